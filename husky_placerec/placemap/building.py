"""Building of a place map from a drive."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import compress

from husky_placerec.config import Config
from husky_placerec.data.problems import no_frames
from husky_placerec.data.simulated import is_simulated
from husky_placerec.data.source import decoded_frames, require_clocks, Source
from husky_placerec.data.trajectory import MAP_FRAME, poses_at, Trajectory
from husky_placerec.descriptor.agreement import MOST_PROBES, Probes
from husky_placerec.descriptor.extractor import DescriptorExtractor
from husky_placerec.descriptor.local.collector import LocalCollector
from husky_placerec.descriptor.local.extractor import LocalExtractor
from husky_placerec.descriptor.local.features import LocalFeatures
from husky_placerec.descriptor.preparation import needed_by
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.places import Places
from husky_placerec.placemap.thinning import Thinning
from husky_placerec.placemap.thumbnails import make_thumbnails, SpooledThumbnails
from husky_placerec.printable import printable
from husky_placerec.progress import Passing
from husky_placerec.spool import SpooledRows
from husky_placerec.texts.map_texts import limited, MapTexts
from husky_placerec.texts.seen import SeenText
from husky_placerec.types import FloatArray, Frame, Pixels, SECOND_NS
import numpy as np
from numpy.typing import NDArray

TextsOf = Callable[[Frame[Pixels]], Sequence[SeenText]]


def describe_places(
    source: Source,
    trajectory: Trajectory,
    extractor: DescriptorExtractor,
    config: Config,
    *,
    track: str,
    max_gap_s: float,
    thinning: Thinning = Thinning(),
    thumbnail_width: int = 0,
    skip_unposed: bool = False,
    local: LocalExtractor | None = None,
    texts: TextsOf | None = None,
    progress: Passing = lambda items, _: items,
) -> PlaceMap:
    """
    Make a map of the frames of a source, without whitening and index.

    :param track: name of the drive.
    :param max_gap_s: longest time between two poses that are interpolated.
    :param thinning: keeps some of the frames.
    :param thumbnail_width: pixels; 0: no thumbnails.
    :param skip_unposed: leave out frames that the poses do not cover.
    :param local: describes the cells of the images besides; None: no local descriptors.
    :param texts: tells the texts of a frame; None: none are looked for.
    :raises InputError: for no frames, frames that the poses do not cover, too many broken images.
    """
    # The frames are paired twice, so that errors in stamps and poses come before the long work.
    wanted = np.array([frame.stamp_ns for frame in source.frames(config)], np.int64)
    require_clocks(source)
    if not len(wanted):
        raise no_frames(source.path, source.problems)
    kept = trajectory.covers(wanted, round(max_gap_s * SECOND_NS))
    if not skip_unposed or not kept.any():
        kept[:] = True
    poses = poses_at(trajectory, wanted[kept], max_gap_s)
    few = thinning.keep(poses)
    kept[kept] = few
    wanted, poses = wanted[kept], poses[few]
    seen_by = [extractor.preparation, *([local.preparation] if local is not None else [])]
    # Letters are small: texts are read in the whole image.
    needs = needed_by(config, *seen_by) if texts is None else None
    encoded = compress(source.frames(config), kept)
    frames = decoded_frames(source, encoded, config.max_pixels, needs)
    shown = progress(frames, len(wanted))
    seen = _describe(shown, len(wanted), extractor, local, texts, thumbnail_width)
    if not len(seen.stamps_ns):
        raise no_frames(source.path, source.problems)
    there = np.isin(wanted, seen.stamps_ns)  # a frame whose images are all broken is left out
    present: NDArray[np.bool_] = np.asarray(seen.descriptors.any(axis=2))
    return PlaceMap(
        Places(seen.stamps_ns, poses[there], (track,) * len(present), present),
        seen.descriptors,
        extractor.spec,
        trajectory.frame_id or MAP_FRAME,
        opposite_cameras(config),
        {track: printable(source.path)},
        now(),
        name=str(source.path),
        origin=trajectory.origin,
        simulated=is_simulated(source.path),
        cameras=extractor.preparation.cameras,
        view=extractor.view,
        thumbnails=seen.thumbnails if thumbnail_width else None,
        local=seen.local,
        probes=seen.probes,
        texts=None if texts is None else MapTexts(tuple(seen.texts)),
    )


def now() -> str:
    """Return the present time in the format of `created`."""
    return datetime.now(timezone.utc).isoformat(timespec='seconds')


def opposite_cameras(config: Config) -> tuple[int, ...] | None:
    """Return the index of the opposite of each camera; None unless every camera has one."""
    names = [config.camera_config(name).opposite for name in config.cameras]
    if not all(names):
        return None
    return tuple(config.cameras.index(name) for name in names)


@dataclass(frozen=True)
class _Seen:
    stamps_ns: NDArray[np.int64]
    descriptors: FloatArray  # [N, C, D] float16, as they are stored
    thumbnails: SpooledThumbnails
    local: LocalFeatures | None
    probes: Probes | None
    texts: list[tuple[SeenText, ...]]


def _describe(
    frames: Iterable[Frame[Pixels]],
    count: int,
    extractor: DescriptorExtractor,
    local: LocalExtractor | None,
    texts: TextsOf | None,
    thumbnail_width: int,
) -> _Seen:
    """Describe at most `count` frames; they are decoded ahead by other threads meanwhile."""
    spec = extractor.spec
    stamps, read, cells = [], [], LocalCollector(local)
    descriptors = SpooledRows((len(spec.cameras), spec.size), np.float16)
    thumbnails = SpooledThumbnails(spec.sees)
    probes: list[Pixels] = []
    probed = set(np.linspace(0, count - 1, MOST_PROBES).astype(int).tolist())
    for number, frame in enumerate(frames):
        stamps.append(frame.stamp_ns)
        descriptors.append(extractor.describe(frame))
        if number in probed:  # one of each camera in turn
            camera = list(frame.images)[len(probes) % len(frame.images)]
            probes.append(extractor.preparation(camera, frame.images[camera]))
        if thumbnail_width:
            thumbnails.add(make_thumbnails(frame, thumbnail_width))
        cells.add(frame)
        if texts is not None:
            read.append(limited(texts(frame)))
    found = np.array(stamps, np.int64), descriptors.array()
    return _Seen(*found, thumbnails, cells.collected(), extractor.probes(probes), read)
