"""Building of a place map from a drive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timezone

from husky_placerec.config import Config
from husky_placerec.data.bag import Bag
from husky_placerec.data.source import decode_frame
from husky_placerec.data.trajectory import poses_at, Trajectory
from husky_placerec.descriptor.extractor import DescriptorExtractor
from husky_placerec.errors import InputError
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.places import Places
from husky_placerec.progress import Passing
from husky_placerec.types import FloatArray, Frame, Pixels
import numpy as np
from numpy.typing import NDArray

DEFAULT_FRAME = 'map'  # of poses whose source does not say


def build_map(
    bag: Bag,
    trajectory: Trajectory,
    extractor: DescriptorExtractor,
    config: Config,
    *,
    track: str,
    max_gap_s: float,
    progress: Passing = lambda items, _: items,
) -> PlaceMap:
    """
    Make every frame of a bag a place.

    :param track: name of the drive.
    :param max_gap_s: longest time between two poses that may be interpolated.
    :raises InputError: for no frames, frames that the poses do not cover, a broken image.
    """
    # The bag is paired twice: what is wrong with its stamps is said before the long work begins.
    stamps = np.array([frame.stamp_ns for frame in bag.frames(config)], np.int64)
    if not len(stamps):
        raise InputError(f'{bag.path}: no frames; a map needs at least one place')
    poses = poses_at(trajectory, stamps, max_gap_s)
    descriptors = _describe(progress(_decoded(bag, config), len(stamps)), extractor)
    present: NDArray[np.bool_] = np.asarray(descriptors.any(axis=2))
    return PlaceMap(
        Places(stamps, poses, (track,) * len(stamps), present),
        descriptors,
        extractor.spec,
        trajectory.frame_id or DEFAULT_FRAME,
        opposite_cameras(config),
        (str(bag.path),),
        datetime.now(timezone.utc).isoformat(timespec='seconds'),
    )


def opposite_cameras(config: Config) -> tuple[int, ...] | None:
    """Return each camera's opposite by index, None unless every camera has one."""
    names = [config.camera_config(name).opposite for name in config.cameras]
    if not all(names):
        return None
    return tuple(config.cameras.index(name) for name in names)


def _decoded(bag: Bag, config: Config) -> Iterator[Frame[Pixels]]:
    for frame in bag.frames(config):
        yield decode_frame(frame, str(bag.path))


def _describe(frames: Iterable[Frame[Pixels]], extractor: DescriptorExtractor) -> FloatArray:
    """Return [N, C, D] float16, as they are stored: a map in memory equals the one on disk."""
    return np.stack([extractor.describe(frame).astype(np.float16) for frame in frames])
