"""Drives as arrays: the poses, and all images at the network's input size, kept on disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
import hashlib
from itertools import islice
from pathlib import Path

from husky_placerec.arrays import map_array
from husky_placerec.config import Config
from husky_placerec.data.source import decode_usable, open_source
from husky_placerec.descriptor.masking import Masking
from husky_placerec.descriptor.preparation import Preparation
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.errors import InputError
from husky_placerec.evaluation.tracks import check_comparable, read_track, Track, unlike_names
from husky_placerec.files import temporary_file
from husky_placerec.progress import bar
from husky_placerec.types import Floats, Frame, Indices, Mask, Pixels
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Drive:
    """
    A drive of N frames.

    :param track: the poses, and the source's path.
    :param images: [N, C, H, W, 3] RGB, memory-mapped; black where a camera gave no image.
    :param present: [N, C], whether the camera gave an image.
    :param static: [N, C, H, W] of 0 to 255, how static each pixel is, memory-mapped; None: there
        are no masks.
    """

    track: Track
    images: NDArray[np.uint8]
    present: Mask
    static: NDArray[np.uint8] | None = None

    @property
    def poses(self) -> Floats:
        """The poses, [N, 7]: x y z qx qy qz qw."""
        return self.track.poses


def read_group(paths: Sequence[str], config: Config, reach_m: float) -> list[Track]:
    """
    Read the poses of a group of drives, which share one map frame.

    :param reach_m: two drives overlap where they come nearer than this, in metres.
    :raises InputError: for a drive that overlaps with no other drive of the group.
    """
    names = unlike_names([Path(path) for path in paths])
    tracks = [
        read_track(Path(path), name, config, kind=None, poses=None, heading=None, max_gap_s=2.0)
        for path, name in zip(paths, names)
    ]
    apart = check_comparable(tracks, reach_m)
    for path, name in zip(paths, names):
        lone = [each for each in apart if name in each[:2]]
        if len(lone) == len(tracks) - 1:
            nearest = min(distance for *_, distance in lone)
            raise InputError(
                f'{path}: does not overlap with the other drives of its group: its least distance '
                f'from them is {nearest:.0f} m; expected less than {reach_m:g} m'
            )
    return tracks


def load_drive(track: Track, config: Config, spec: DescriptorSpec, folder: Path) -> Drive:
    """
    Load a drive with its images at the input size of a network.

    :param folder: keeps the images, and the masks where the parameters ask for them; those of an
        earlier call are not decoded again.
    """
    masking = Masking.of(config)
    prepare = Preparation.of(spec, config)
    with open_source(track.path) as source:
        about = repr(
            (
                source.fingerprint(config),
                spec.sees,
                spec.input_width,
                spec.input_height,
                spec.pinhole_focal,
                track.stamps_ns.tolist(),
            )
        )
        path = folder / f'{hashlib.sha256(about.encode()).hexdigest()[:16]}.npy'
        if not path.exists():
            size = spec.input_height, spec.input_width
            shape = (len(track), len(spec.sees), *size, 3 if masking is None else 4)
            folder.mkdir(parents=True, exist_ok=True)
            with temporary_file(folder, path.stem, '.npy') as temporary:
                made = np.lib.format.open_memmap(temporary, 'w+', np.uint8, shape)
                frames = source.frames(config)
                with bar(f'Reading {track.name}', len(track)) as shown:
                    for row, frame in enumerate(_rows(frames, track.rows)):
                        decoded = decode_usable(frame, source, config.max_pixels)
                        for camera, image in _images(decoded, spec.sees):
                            made[row, camera, ..., :3] = prepare(spec.sees[camera], image)
                        if masking is not None and decoded is not None:
                            made[row, ..., 3] = _static(masking, decoded, prepare, spec)
                        shown.update()
                made.flush()
                temporary.replace(path)
    stored = map_array(path)
    images = stored[..., :3]
    present = np.stack([[each.any() for each in row] for row in images])
    return Drive(track, images, present, None if masking is None else stored[..., 3])


def _static(
    masking: Masking, frame: Frame[Pixels], prepare: Preparation, spec: DescriptorSpec
) -> NDArray[np.uint8]:
    """Return [C, H, W] of 0 to 255; all static where there is no mask."""
    shares = masking.shares(frame, prepare)
    whole = np.ones((spec.input_height, spec.input_width), np.float32)
    found = np.stack([shares.get(camera, whole) for camera in spec.sees])
    return np.round(found * 255).astype(np.uint8)


def _rows(frames: Iterator, rows: Indices) -> Iterator:
    """Yield the frames of the given numbers, which are in rising order."""
    at = 0
    for row in rows.tolist():
        yield next(islice(frames, row - at, None))
        at = row + 1


def _images(frame: Frame[Pixels] | None, cameras: Sequence[str]) -> Iterator[tuple[int, Pixels]]:
    """Yield each image of a frame with the index of its camera."""
    for name, image in (frame.images if frame else {}).items():
        yield cameras.index(name), image
