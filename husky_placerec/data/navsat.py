"""Satellite fixes as poses: local east, north, up in metres, with a separate heading."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from husky_placerec.data.frames import is_odometry_frame
from husky_placerec.data.trajectory import MAP_FRAME, Trajectory
from husky_placerec.errors import InputError
from husky_placerec.types import GeoOrigin
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

NO_FIX = -1  # of sensor_msgs/NavSatStatus
STEP_M = 2.0  # a shorter motion gives no direction, because fixes jitter
MAX_HEADING_GAP_NS = 500_000_000


def is_usable(fix: Any) -> bool:
    """Return whether a `sensor_msgs/NavSatFix` has a position."""
    return fix.status.status > NO_FIX and bool(np.isfinite([fix.latitude, fix.longitude]).all())


def to_enu(fixes: NDArray[np.float64], origin: GeoOrigin) -> NDArray[np.float64]:
    """
    Return [N, 3] metres east, north and up of an origin.

    :param fixes: [N, 3] latitude, longitude in degrees, altitude in metres, NaN where unknown.
    """
    import pymap3d  # imported on demand: most maps have no fixes

    altitudes = np.where(np.isfinite(fixes[:, 2]), fixes[:, 2], origin.altitude)
    there = origin.latitude, origin.longitude, origin.altitude
    return np.stack(pymap3d.geodetic2enu(fixes[:, 0], fixes[:, 1], altitudes, *there), axis=1)


def origin_of(fixes: NDArray[np.float64]) -> GeoOrigin:
    """Return the first fix; a missing altitude becomes 0."""
    latitude, longitude, altitude = fixes[0]
    return GeoOrigin(float(latitude), float(longitude), float(np.nan_to_num(altitude)))


def fix_trajectory(
    stamps_ns: Sequence[int],
    fixes: NDArray[np.float64],
    source: str,
    heading: Trajectory | None,
    origin: GeoOrigin | None,
) -> Trajectory:
    """
    Make poses of fixes.

    :param fixes: [N, 3] latitude, longitude in degrees, altitude in metres.
    :param heading: orientations, whose positions are ignored; None: the direction of motion.
    :param origin: of the east, north, up frame; None: the first fix.
    :raises InputError: for no fixes, or no heading at any of them.
    """
    if not len(stamps_ns):
        raise InputError(f'{source}: no fixes; expected messages with a position')
    origin = origin or origin_of(fixes)
    order = np.argsort(stamps_ns, kind='stable')
    stamps, places = np.array(stamps_ns, np.int64)[order], to_enu(fixes, origin)[order]
    notes = []
    if heading is None:
        turns = motion_headings(places, source)
        notes.append(
            'no --heading: it is that of the motion, so the robot must not have driven backwards'
        )
    else:
        there = heading.covers(stamps, MAX_HEADING_GAP_NS)
        if not there.any():
            raise InputError(f'{heading.source}: no heading at the time of any fix of {source}')
        if not there.all():
            notes.append(
                f'{(~there).sum()} of {len(there)} fixes have no heading and are left out'
            )
        if is_odometry_frame(heading.frame_id):
            notes.append(f'{heading.source}: a heading in odom drifts and does not know north')
        stamps, places = stamps[there], places[there]
        turns = heading.at(stamps)[:, 3:]
    trajectory = Trajectory.make(
        stamps.tolist(), np.hstack([places, turns]).tolist(), source, MAP_FRAME
    )
    return trajectory.with_origin(origin).with_notes(*notes)


def motion_headings(places: NDArray[np.float64], source: str) -> NDArray[np.float64]:
    """
    Return [N, 4] level quaternions in the direction of motion of positions [N, 3].

    A robot that stands or creeps has the heading of the surrounding step.

    :raises InputError: if the robot never moves by STEP_M.
    """
    steps = _steps(places[:, :2])
    if len(steps) < 2:
        raise InputError(
            f'{source}: it never moves {STEP_M:g} m, so its heading is not known; '
            'name a topic that has it with --heading'
        )
    last = len(steps) - 1
    after = np.searchsorted(steps, np.arange(len(places)), side='right').clip(1, last)
    before = np.searchsorted(steps, np.arange(len(places)), side='left').clip(1, last) - 1
    ahead = places[steps[after], :2] - places[steps[before], :2]
    yaws = np.arctan2(ahead[:, 1], ahead[:, 0])
    return np.asarray(Rotation.from_euler('z', yaws[:, None]).as_quat())


def _steps(flat: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return which of the positions [N, 2] are STEP_M away from the last returned one."""
    steps = [0]
    for i, place in enumerate(flat):
        if np.hypot(*(place - flat[steps[-1]])) >= STEP_M:
            steps.append(i)
    return np.array(steps, np.int64)
