"""The path of a drive: the pose and the time after each distance."""

from __future__ import annotations

from dataclasses import dataclass
import math

from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.road import Road
from husky_placerec.campus.route import USUAL_LENGTH_M
from husky_placerec.campus.sway import Sway
from husky_placerec.campus.world import Campus
from husky_placerec.types import Pose, SECOND_NS
import numpy as np

SPEED_M_PER_S = 1.0
_FIRST_DAY_S = 1_717_228_800  # 2024-06-01 08:00 UTC, in seconds since 1970
_DAY_S = 86_400
_LANE_M = 90.0  # length of one lane section, including the lane change at its beginning
_CHANGES = 3  # a lane change takes `1 / _CHANGES` of a section
_GREATEST_SWING = 1.3


@dataclass(frozen=True)
class TimedPose:
    """Pose of `base_link` in the map frame, and its time in nanoseconds since 1970."""

    stamp_ns: int
    pose: Pose


class DrivePath:
    """
    The path of one drive: along a road, right of its centre line, with smooth wander.

    Without a detour, `start_m` is an arc length of the mapped route. With a detour, the drive
    follows a tour that contains an unmapped road, and `start_m` is added to its usual start.
    """

    def __init__(self, campus: Campus, config: DriveConfig) -> None:
        """Draw the lateral offset, the phases of the wander, the lanes and the sway."""
        rng = np.random.default_rng([config.seed, 5, config.drive])
        self._phases = rng.uniform(0, 2 * math.pi, 4)
        self._left_m = -0.6 + float(np.clip(rng.normal(0, 0.3), -0.4, 0.4)) + config.lateral_m
        self._heading_deg = config.heading_deg
        self._direction = -1 if config.reverse else 1
        # Two drives must not take their pictures at exactly the same places.
        self._start_m = config.start_m + rng.random() * config.step_m
        self._road: Road = campus.route
        if config.detour:
            tour = campus.network.tour_for(config.length_m)
            self._road = tour.road
            self._start_m += tour.start_m(config.length_m)
        if config.reverse:
            self._start_m += config.length_m
        self._start_ns = (_FIRST_DAY_S + config.drive * _DAY_S) * SECOND_NS
        self._terrain = campus.terrain
        lanes = rng.integers(2, size=max(2, round(self._road.length_m / _LANE_M)))
        self._lanes_m = config.lane_change_m * lanes
        self._sway = Sway(np.random.default_rng([config.seed, 17, config.drive]), config.sway)

    def after(self, driven_m: float) -> TimedPose:
        """Return the pose after a driven distance in metres."""
        arc = self._start_m + self._direction * driven_m
        left_m, wander_deg = self._wander(arc)
        lane_m, turned = self._lane(arc)
        place = self._road.at(arc).beside(self._direction * (left_m + lane_m))
        yaw = place.yaw if self._direction > 0 else place.yaw + math.pi
        yaw += math.radians(wander_deg) + self._direction * turned
        ground = self._terrain.pose(place.x, place.y, yaw)
        pose = self._sway.applied(ground, driven_m)
        elapsed_ns = round(driven_m / SPEED_M_PER_S * SECOND_NS)
        return TimedPose(self._start_ns + elapsed_ns, pose)

    def _wander(self, arc: float) -> tuple[float, float]:
        """Return the offset to the left in metres, and the offset of the heading in degrees."""
        # The same number of periods per metre on each road; rounded, so that a closed road closes.
        rounds = max(1, round(self._road.length_m / USUAL_LENGTH_M))
        turn = rounds * arc / self._road.length_m * 2 * math.pi
        slow, quick, heading, jitter = self._phases
        left_m = self._left_m
        left_m += 0.36 * math.sin(5 * turn + slow) + 0.24 * math.sin(11 * turn + quick)
        swing = math.sin(17 * turn + heading) + 0.3 * math.sin(83 * turn + jitter)
        return left_m, self._heading_deg * swing / _GREATEST_SWING

    def _lane(self, arc: float) -> tuple[float, float]:
        """Return the offset of the lane to the left, and the angle of a lane change in radians."""
        place = arc / self._road.length_m % 1 * len(self._lanes_m)
        here = int(place) % len(self._lanes_m)
        from_m, to_m = self._lanes_m[here], self._lanes_m[(here + 1) % len(self._lanes_m)]
        share = min(_CHANGES * (place - int(place)), 1.0)
        per_m = _CHANGES * len(self._lanes_m) / self._road.length_m
        steep = (to_m - from_m) * 6 * share * (1 - share) * per_m
        return float(from_m + (to_m - from_m) * share**2 * (3 - 2 * share)), math.atan(steep)


def drive_poses(campus: Campus, config: DriveConfig) -> list[TimedPose]:
    """Return the pose and time of each frame of a drive."""
    track = DrivePath(campus, config)
    return [track.after(distance) for distance in frame_distances(config)]


def frame_distances(config: DriveConfig) -> list[float]:
    """Return the driven distance at each frame, in metres."""
    frames = max(1, math.ceil(config.length_m / config.step_m - 1e-9))
    return [frame * config.step_m for frame in range(frames)]
