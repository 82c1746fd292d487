"""Building of a place map from a drive."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone

import numpy as np

from husky_placerec.config import Config
from husky_placerec.data.trajectory import poses_at, Trajectory
from husky_placerec.descriptor.extractor import DescriptorExtractor
from husky_placerec.errors import InputError
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.places import Places
from husky_placerec.types import Frame, Pixels

DEFAULT_FRAME = 'map'  # of poses whose source does not say


def build_map(
    frames: Iterable[Frame[Pixels]],
    trajectory: Trajectory,
    extractor: DescriptorExtractor,
    config: Config,
    *,
    track: str,
    max_gap_s: float,
    source: str,
) -> PlaceMap:
    """
    Make every frame a place.

    :param track: name of the drive.
    :param max_gap_s: longest time between two poses that may be interpolated.
    :raises InputError: for no frames, or frames that the poses do not cover.
    """
    stamps: list[int] = []
    descriptors: list[np.ndarray] = []
    for frame in frames:
        stamps.append(frame.stamp_ns)
        descriptors.append(extractor.describe(frame).astype(np.float16))
    if not stamps:
        raise InputError(f'{source}: no frames; a map needs at least one place')
    array = np.stack(descriptors)
    poses = poses_at(trajectory, np.array(stamps, np.int64), max_gap_s)
    return PlaceMap(
        Places(
            np.array(stamps, np.int64),
            poses,
            (track,) * len(stamps),
            np.asarray(array.any(axis=2)),
        ),
        array,
        extractor.spec,
        trajectory.frame_id or DEFAULT_FRAME,
        opposite_cameras(config),
        (source,),
        datetime.now(timezone.utc).isoformat(timespec='seconds'),
    )


def opposite_cameras(config: Config) -> tuple[int, ...] | None:
    """Return each camera's opposite by index, None unless every camera has one."""
    names = [config.camera_config(name).opposite for name in config.cameras]
    if not all(names):
        return None
    return tuple(config.cameras.index(name) for name in names)
