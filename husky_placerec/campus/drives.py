"""Drives along the road of a campus: what is asked for, and where the robot is when."""

from __future__ import annotations

from dataclasses import dataclass
import math

from husky_placerec.campus.conditions import condition_named
from husky_placerec.campus.faults import fault_named
from husky_placerec.campus.rig import CameraModel, HUSKY_RIG, IDENTICAL_RIG
from husky_placerec.campus.road import Road
from husky_placerec.campus.world import Campus
from husky_placerec.errors import InputError
from husky_placerec.types import Pose, SECOND_NS
import numpy as np

SPEED_M_PER_S = 1.0
_FIRST_DAY_S = 1_717_228_800  # 2024-06-01 08:00 UTC, in seconds since 1970
_DAY_S = 86_400
_LEAST_STEP_M = 0.02  # 20 ms: leaves room for the delay between two cameras
_RANGES = [
    ('lateral_m', -4.0, 4.0),  # more would be on the pavement
    ('heading_deg', 0.0, 45.0),
    ('aliasing', 0.0, 1.0),
    ('traffic', 0.0, 7.0),  # then nearly every bay at the kerb is taken
]


@dataclass(frozen=True)
class DriveConfig:
    """What to record; the same config gives the same pixels."""

    seed: int = 1  # the campus
    drive: int = 0  # varies lateral offset, wander, traffic and phase
    condition: str = 'summer_day'
    start_m: float = 0.0  # arc length where the drive begins; what it is of: see Track
    length_m: float = 300.0
    step_m: float = 3.0  # distance between frames
    width: int = 640
    height: int = 360
    reverse: bool = False  # the same stretch from its end to its beginning
    lateral_m: float = 0.0  # to the left of where a robot usually drives
    heading_deg: float = 3.0  # amplitude of the heading's wander
    detour: bool = False  # about a third of the drive on an unmapped road, in its middle
    traffic: float = 1.0  # how many parked and moving cars and people, as a share of the usual
    aliasing: float = 0.3  # share of the houses that stand in runs which repeat elsewhere
    identical_cameras: bool = False  # the back one as the front one; else as the Husky has them
    fault: str = ''  # of the cameras, as 'blur', or of one, as 'black:back'

    @property
    def rig(self) -> tuple[CameraModel, ...]:
        """The cameras of the robot."""
        return IDENTICAL_RIG if self.identical_cameras else HUSKY_RIG

    def check(self) -> None:
        """
        Refuse what cannot be driven.

        :raises InputError: when the condition or the fault is unknown or a number is out of range.
        """
        condition_named(self.condition)
        fault_named(self.fault)
        for name, least in (('seed', 0), ('drive', 0), ('width', 16), ('height', 16)):
            value = getattr(self, name)
            if value < least:
                raise InputError(f'{name} is {value}; expected at least {least}')
        for name in ('step_m', 'length_m'):
            value = getattr(self, name)
            if not (_LEAST_STEP_M <= value < math.inf):
                raise InputError(f'{name} is {value}; expected at least {_LEAST_STEP_M} (metres)')
        for name, least_real, most in _RANGES:
            if not least_real <= getattr(self, name) <= most:
                raise InputError(
                    f'{name} is {getattr(self, name)}; expected {least_real} to {most}'
                )


@dataclass(frozen=True)
class TimedPose:
    """Where `base_link` is in the map frame at a moment, in nanoseconds since 1970."""

    stamp_ns: int
    pose: Pose


class Track:
    """
    The way one drive takes: along a road, right of its middle, with smooth wander.

    The arc is that of the mapped route; with a detour, that of a tour with an unmapped road in
    it, counted from where the middle of the drive is that of the unmapped road.
    """

    def __init__(self, campus: Campus, config: DriveConfig) -> None:
        """Draw offset, wander and phase of the drive."""
        rng = np.random.default_rng([config.seed, 5, config.drive])
        self._phases = rng.uniform(0, 2 * math.pi, 4)
        self._left_m = -0.6 + float(np.clip(rng.normal(0, 0.3), -0.4, 0.4)) + config.lateral_m
        self._heading_deg = config.heading_deg
        self._direction = -1 if config.reverse else 1
        # Two drives do not take their pictures at the very same spots.
        self._start_m = config.start_m + rng.random() * config.step_m
        self._road: Road = campus.route
        if config.detour:
            tour = campus.network.tour_for(config.length_m)
            self._road = tour.road
            self._start_m += (tour.side_m - config.length_m) / 2
        if config.reverse:
            self._start_m += config.length_m
        self._start_ns = (_FIRST_DAY_S + config.drive * _DAY_S) * SECOND_NS

    def after(self, driven_m: float) -> TimedPose:
        """Return the pose after some distance."""
        arc = self._start_m + self._direction * driven_m
        left_m, wander_deg = self._wander(arc)
        place = self._road.at(arc).beside(self._direction * left_m)
        yaw = place.yaw if self._direction > 0 else place.yaw + math.pi
        pose = Pose.planar(place.x, place.y, yaw + math.radians(wander_deg))
        elapsed_ns = round(driven_m / SPEED_M_PER_S * SECOND_NS)
        return TimedPose(self._start_ns + elapsed_ns, pose)

    def _wander(self, arc: float) -> tuple[float, float]:
        """Return the offset to the robot's left in metres, and its heading's in degrees."""
        turn = arc / self._road.length_m * 2 * math.pi
        slow, quick, heading, jitter = self._phases
        left_m = self._left_m
        left_m += 0.36 * math.sin(5 * turn + slow) + 0.24 * math.sin(11 * turn + quick)
        swing = math.sin(17 * turn + heading) + 0.3 * math.sin(83 * turn + jitter)
        return left_m, self._heading_deg * swing


def drive_poses(campus: Campus, config: DriveConfig) -> list[TimedPose]:
    """Return where each frame of a drive is taken, and when."""
    track = Track(campus, config)
    return [track.after(distance) for distance in frame_distances(config)]


def frame_distances(config: DriveConfig) -> list[float]:
    """Return how far the robot has driven at each frame."""
    frames = max(1, math.ceil(config.length_m / config.step_m - 1e-9))
    return [frame * config.step_m for frame in range(frames)]
