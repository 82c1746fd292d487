"""Poses in the rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
import math

from husky_placerec.data.problems import Problems
from husky_placerec.data.tables import Row
from husky_placerec.data.trajectory import MAP_FRAME, Trajectory
from husky_placerec.errors import InputError
import numpy as np

POSITIONS = (('tx', 'ty', 'tz'), ('x', 'y', 'z'))
QUATERNION = ('qx', 'qy', 'qz', 'qw')
YAW = 'yaw'
EXPECTED = 'x, y, z (or tx, ty, tz) in metres with qx, qy, qz, qw, or with yaw in radians'

# Latitudes and longitudes instead of metres hardly change over a drive, and are far from zero. A
# robot that stands would look the same, but is no drive.
MANY_POSES = 50
STILL = {'radians': (math.pi / 2, math.pi, 0.01), 'degrees': (90.0, 180.0, 0.1)}
FAR_FROM_ZERO = 20  # times the extent


def pose_reader(columns: Sequence[str]) -> Callable[[Row], list[float]] | None:
    """
    Return a function that reads [7] x y z qx qy qz qw of a row, or [] without a pose.

    None if the columns are missing.
    """
    position = next((names for names in POSITIONS if set(names[:2]) <= set(columns)), None)
    turn = QUATERNION if set(QUATERNION) <= set(columns) else (YAW,)
    if position is None or not set(turn) <= set(columns):
        return None
    needed = tuple(name for name in (*position, *turn) if name in columns)

    def read(row: Row) -> list[float]:
        if not all(row.text(name) for name in needed):
            return []
        x, y = (row.number_in(name) for name in position[:2])
        z = row.number_in(position[2]) if position[2] in columns else 0.0
        values = [row.number_in(name) for name in turn]
        if turn == (YAW,):
            values = [0.0, 0.0, math.sin(values[0] / 2), math.cos(values[0] / 2)]
        return [x, y, z, *values]

    return read


def trajectory_of(
    stamped: Iterable[tuple[int, list[float]]],
    source: str,
    frame_id: str = MAP_FRAME,
    problems: Problems | None = None,
) -> Trajectory:
    """
    Make a trajectory of stamps in ns and [7] poses; a row without a pose is left out.

    :param problems: as in `Trajectory.make`.
    :raises InputError: as `Trajectory.make`, and for latitudes instead of metres.
    """
    there = [(stamp_ns, pose) for stamp_ns, pose in stamped if pose]
    stamps, poses = [stamp_ns for stamp_ns, _ in there], [pose for _, pose in there]
    trajectory = Trajectory.make(stamps, poses, source, frame_id, problems=problems)
    refuse_latitudes(trajectory)
    return trajectory


def refuse_latitudes(trajectory: Trajectory) -> None:
    """
    Refuse positions that are latitude and longitude.

    :raises InputError: that names what was found.
    """
    if len(trajectory.stamps_ns) <= MANY_POSES:
        return
    middle = np.median(trajectory.poses[:, :2], axis=0)
    extent = np.ptp(trajectory.poses[:, :2], axis=0)
    for unit, (latitude, longitude, still) in STILL.items():
        bounds = sorted((latitude, longitude))
        inside = (np.sort(abs(middle)) <= bounds).all() and (abs(middle) <= longitude).all()
        if inside and (extent < still).all() and np.hypot(*middle) > FAR_FROM_ZERO * max(extent):
            raise InputError(
                f'{trajectory.source}: the positions stay within {extent[0]:.2g} x {extent[1]:.2g}'
                f' of ({middle[0]:.5g}, {middle[1]:.5g}): {unit} of latitude and longitude, or a '
                'robot that did not move; expected metres, such as local east, north, up'
            )
