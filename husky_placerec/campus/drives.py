"""Drives along the road of a campus: what is asked for, and where the robot is when."""

from __future__ import annotations

from dataclasses import dataclass
import math

from husky_placerec.campus.conditions import condition_named
from husky_placerec.campus.world import Campus
from husky_placerec.errors import InputError
from husky_placerec.types import Pose, SECOND_NS
import numpy as np

SPEED_M_PER_S = 1.0
_FIRST_DAY_S = 1_717_228_800  # 2024-06-01 08:00 UTC, in seconds since 1970
_DAY_S = 86_400
_LEAST_STEP_M = 0.02  # 20 ms: leaves room for the delay between two cameras


@dataclass(frozen=True)
class DriveConfig:
    """What to record; the same config gives the same pixels."""

    seed: int = 1  # the campus
    drive: int = 0  # varies lateral offset, wander, traffic and phase
    condition: str = 'summer_day'
    start_m: float = 0.0  # arc length on the route where the drive begins
    length_m: float = 300.0
    step_m: float = 3.0  # distance between frames
    width: int = 640
    height: int = 360

    def check(self) -> None:
        """
        Refuse what cannot be driven.

        :raises InputError: when the condition is unknown or a number is out of range.
        """
        condition_named(self.condition)
        for name, least in (('seed', 0), ('drive', 0), ('width', 16), ('height', 16)):
            value = getattr(self, name)
            if value < least:
                raise InputError(f'{name} is {value}; expected at least {least}')
        for name in ('step_m', 'length_m'):
            value = getattr(self, name)
            if not (_LEAST_STEP_M <= value < math.inf):
                raise InputError(f'{name} is {value}; expected at least {_LEAST_STEP_M} (metres)')


@dataclass(frozen=True)
class TimedPose:
    """Where `base_link` is in the map frame at a moment, in nanoseconds since 1970."""

    stamp_ns: int
    pose: Pose


class Track:
    """The way one drive takes: along the road, right of its middle, with smooth wander."""

    def __init__(self, campus: Campus, config: DriveConfig) -> None:
        """Draw offset, wander and phase of the drive."""
        rng = np.random.default_rng([config.seed, 5, config.drive])
        self._route = campus.route
        self._phases = rng.uniform(0, 2 * math.pi, 4)
        self._left_m = -0.6 + float(np.clip(rng.normal(0, 0.3), -0.4, 0.4))
        # Two drives do not take their pictures at the very same spots.
        self._start_m = config.start_m + rng.random() * config.step_m
        self._start_ns = (_FIRST_DAY_S + config.drive * _DAY_S) * SECOND_NS

    def after(self, driven_m: float) -> TimedPose:
        """Return the pose after some distance."""
        arc = self._start_m + driven_m
        turn = arc / self._route.length_m * 2 * math.pi
        slow, quick, heading, jitter = self._phases
        left_m = self._left_m
        left_m += 0.36 * math.sin(5 * turn + slow) + 0.24 * math.sin(11 * turn + quick)
        wander_deg = 3 * math.sin(17 * turn + heading) + 0.9 * math.sin(83 * turn + jitter)
        place = self._route.at(arc).beside(left_m)
        pose = Pose.planar(place.x, place.y, place.yaw + math.radians(wander_deg))
        elapsed_ns = round(driven_m / SPEED_M_PER_S * SECOND_NS)
        return TimedPose(self._start_ns + elapsed_ns, pose)


def drive_poses(campus: Campus, config: DriveConfig) -> list[TimedPose]:
    """Return where each frame of a drive is taken, and when."""
    track = Track(campus, config)
    return [track.after(distance) for distance in frame_distances(config)]


def frame_distances(config: DriveConfig) -> list[float]:
    """Return how far the robot has driven at each frame."""
    frames = max(1, math.ceil(config.length_m / config.step_m - 1e-9))
    return [frame * config.step_m for frame in range(frames)]
