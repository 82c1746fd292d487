"""Satellite fixes as positions: local east, north, up in metres."""

from __future__ import annotations

from collections.abc import Sequence
import math
from typing import Any

from husky_placerec.data.soundness.fixes import possible_fixes, sound_altitudes
from husky_placerec.data.soundness.positions import driven_m, jump_doubts, reachable
from husky_placerec.data.trajectory import MAP_FRAME, Trajectory
from husky_placerec.errors import InputError
from husky_placerec.types import GeoOrigin
import numpy as np
from numpy.typing import NDArray

NO_FIX = -1  # of sensor_msgs/NavSatStatus
UNKNOWN = 0  # type of the covariance of a sensor_msgs/NavSatFix


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


def sigma_of(fix: Any) -> float:
    """Return the standard deviation of a fix in the plane, in metres; NaN if it says none."""
    if fix.position_covariance_type == UNKNOWN:
        return math.nan
    return math.sqrt(max(0.0, fix.position_covariance[0], fix.position_covariance[4]))


def fix_trajectory(
    stamps_ns: Sequence[int],
    fixes: NDArray[np.float64],
    source: str,
    origin: GeoOrigin | None,
    sigmas_m: Sequence[float] | None = None,
    odometry: Trajectory | None = None,
) -> Trajectory:
    """
    Make positions of the fixes that can be right; they have no headings yet.

    :param fixes: [N, 3] latitude, longitude in degrees, altitude in metres.
    :param origin: of the east, north, up frame; None: the first of those fixes.
    :param sigmas_m: [N] standard deviations, NaN where they are not known.
    :param odometry: of the same drive, which tells jumps from a fast robot.
    :raises InputError: for no fixes, or none that can be right.
    """
    if not len(stamps_ns):
        raise InputError(f'{source}: no fixes; expected messages with a position')
    stamps, order = np.unique(np.array(stamps_ns, np.int64), return_index=True)
    fixes = fixes[order]
    sigmas = np.full(len(stamps), np.nan) if sigmas_m is None else np.array(sigmas_m)[order]
    good, doubts = possible_fixes(stamps, fixes, sigmas, source)
    total, stamps, fixes = len(stamps), stamps[good], fixes[good]
    altitudes, wrong = sound_altitudes(stamps, fixes[:, 2])
    fixes = np.column_stack([fixes[:, :2], altitudes])
    flat = to_enu(fixes, origin_of(fixes))[:, :2]
    way = None if odometry is None else driven_m(odometry, stamps, flat)
    kept, jumps = reachable(stamps, flat, way)
    doubts += wrong + jump_doubts(stamps[~kept], jumps, total, 'fixes')
    stamps, fixes = stamps[kept], fixes[kept]
    origin = origin or origin_of(fixes)
    level = np.tile([0.0, 0.0, 0.0, 1.0], (len(stamps), 1))
    poses = np.hstack([to_enu(fixes, origin), level])
    trajectory = Trajectory.make(stamps.tolist(), poses.tolist(), source, MAP_FRAME)
    return trajectory.with_origin(origin).with_doubts(*doubts)
