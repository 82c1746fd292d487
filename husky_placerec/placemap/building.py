"""Building of a place map from a drive."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone

from husky_placerec.config import Config
from husky_placerec.data.source import decoded_frames, Source
from husky_placerec.data.trajectory import MAP_FRAME, poses_at, Trajectory
from husky_placerec.descriptor.extractor import DescriptorExtractor
from husky_placerec.errors import InputError
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.places import Places
from husky_placerec.progress import Passing
from husky_placerec.types import FloatArray, Frame, Pixels
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
    progress: Passing = lambda items, _: items,
) -> PlaceMap:
    """
    Make every frame of a source a place.

    :param track: name of the drive.
    :param max_gap_s: longest time between two poses that may be interpolated.
    :raises InputError: for no frames, frames that the poses do not cover, a broken image in a bag.
    """
    # Paired twice: what is wrong with the stamps is said before the long work begins.
    wanted = np.array([frame.stamp_ns for frame in source.frames(config)], np.int64)
    if not len(wanted):
        raise InputError(f'{source.path}: no frames; a map needs at least one place')
    poses = poses_at(trajectory, wanted, max_gap_s)
    frames = progress(decoded_frames(source, source.frames(config)), len(wanted))
    stamps, descriptors = _describe(frames, extractor)
    if not len(stamps):
        raise InputError(f'{source.path}: none of {len(wanted)} frames has an image that decodes')
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
