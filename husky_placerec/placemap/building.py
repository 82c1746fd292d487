"""Building of a place map from a drive."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from itertools import compress

from husky_placerec.config import Config
from husky_placerec.data.problems import no_frames
from husky_placerec.data.source import decoded_frames, Source
from husky_placerec.data.trajectory import MAP_FRAME, poses_at, Trajectory
from husky_placerec.descriptor.extractor import DescriptorExtractor
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.places import Places
from husky_placerec.placemap.thinning import Thinning
from husky_placerec.progress import Passing
from husky_placerec.types import FloatArray, Frame, Pixels, SECOND_NS
import numpy as np
from numpy.typing import NDArray


def build_map(
    source: Source,
    trajectory: Trajectory,
    extractor: DescriptorExtractor,
    config: Config,
    *,
    track: str,
    max_gap_s: float,
    thinning: Thinning = Thinning(),
    skip_unposed: bool = False,
    progress: Passing = lambda items, _: items,
) -> PlaceMap:
    """
    Make every frame of a source a place, or those that a thinning keeps.

    :param track: name of the drive.
    :param max_gap_s: longest time between two poses that may be interpolated.
    :param skip_unposed: leave out frames that the poses do not cover.
    :raises InputError: for no frames, frames that the poses do not cover, a broken image in a bag.
    """
    # Paired twice: what is wrong with the stamps is said before the long work begins.
    wanted = np.array([frame.stamp_ns for frame in source.frames(config)], np.int64)
    if not len(wanted):
        raise no_frames(source.path, source.problems)
    kept = trajectory.covers(wanted, round(max_gap_s * SECOND_NS))
    if not skip_unposed or not kept.any():
        kept[:] = True
    poses = poses_at(trajectory, wanted[kept], max_gap_s)
    few = thinning.keep(poses)
    kept[kept] = few
    wanted, poses = wanted[kept], poses[few]
    frames = decoded_frames(source, compress(source.frames(config), kept))
    stamps, descriptors = _describe(progress(frames, len(wanted)), extractor)
    if not len(stamps):
        raise no_frames(source.path, source.problems)
    there = np.isin(wanted, stamps)  # a frame all of whose images are broken is left out
    present: NDArray[np.bool_] = np.asarray(descriptors.any(axis=2))
    return PlaceMap(
        Places(stamps, poses[there], (track,) * len(stamps), present),
        descriptors,
        extractor.spec,
        trajectory.frame_id or MAP_FRAME,
        opposite_cameras(config),
        (str(source.path),),
        datetime.now(timezone.utc).isoformat(timespec='seconds'),
        origin=trajectory.origin,
    )


def opposite_cameras(config: Config) -> tuple[int, ...] | None:
    """Return each camera's opposite by index, None unless every camera has one."""
    names = [config.camera_config(name).opposite for name in config.cameras]
    if not all(names):
        return None
    return tuple(config.cameras.index(name) for name in names)


def _describe(
    frames: Iterable[Frame[Pixels]], extractor: DescriptorExtractor
) -> tuple[NDArray[np.int64], FloatArray]:
    """Return stamps, and [N, C, D] float16 as they are stored: a map in memory equals its file."""
    stamps, descriptors = [], []
    for frame in frames:
        stamps.append(frame.stamp_ns)
        descriptors.append(extractor.describe(frame).astype(np.float16))
    return np.array(stamps, np.int64), np.array(descriptors)
