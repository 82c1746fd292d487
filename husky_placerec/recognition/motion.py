"""The motion of the robot since the last frame that the sequence filter has used."""

from __future__ import annotations

from dataclasses import dataclass
import math

from husky_placerec.recognition.odometry import Odometry
from husky_placerec.recognition.route import Route
from husky_placerec.types import FloatArray, Pose, SECOND_NS
import numpy as np

STILL = Pose.planar(0.0, 0.0, 0.0)
ODOMETRY_SPREAD = 0.05  # standard deviation, as a share of the distance and of the angle
DRIFT = np.radians(2.0)  # of the heading, per square root of a metre
BENDS = np.radians(10.0)  # that a road may turn in a metre, where nothing is known of it


@dataclass(frozen=True)
class Motion:
    """
    A motion between two moments.

    :param pose: the later pose in the frame of the earlier one.
    :param metres: distance driven.
    :param spread_m: standard deviation of the position of `pose`.
    :param turn_spread: standard deviation of its yaw, radians.
    :param guessed: True where it was guessed from the elapsed time, without odometry.
    """

    pose: Pose
    metres: float
    spread_m: float
    turn_spread: float
    guessed: bool = False


class MotionIntegrator:
    """
    Add up the motion from frame to frame.

    Odometry counts where it covers the frames. Elsewhere the elapsed time gives an upper bound,
    `speed * elapsed`, and the change of the view another one: a robot that stands sees the same.
    The smaller of the two bounds counts.

    :param speed: the usual one, m/s.
    """

    def __init__(self, odometry: Odometry, route: Route, speed: float) -> None:
        self.speed = speed
        self._odometry = odometry
        self._route = route
        self._last_ns: int | None = None
        self._view: FloatArray | None = None
        self._pose, self._driven_m, self._guessed_m = STILL, 0.0, 0.0

    def steps_back(self, stamp_ns: int) -> bool:
        """Return whether a stamp lies over 1 s before the last one, as when a bag loops."""
        return self._last_ns is not None and stamp_ns < self._last_ns - SECOND_NS

    def until(self, stamp_ns: int, view: FloatArray) -> Motion | None:
        """
        Return the motion since the last used frame, up to this one; None for the first frame.

        :param view: [C, D] the descriptor of this frame.
        """
        last_ns, self._last_ns = self._last_ns, max(stamp_ns, self._last_ns or stamp_ns)
        if last_ns is None:
            self._view = view
            return None
        if stamp_ns > last_ns:
            self._add(last_ns, stamp_ns)
        if self._guessed_m:
            return self._guessed(view)
        turn_drift = DRIFT * math.sqrt(self._driven_m)
        return Motion(
            self._pose,
            self._driven_m,
            ODOMETRY_SPREAD * self._driven_m,
            math.hypot(turn_drift, ODOMETRY_SPREAD * self._pose.yaw),
        )

    def restart(self, view: FloatArray) -> None:
        """Count from the last frame on, because the filter has used it."""
        self._view = view
        self._pose, self._driven_m, self._guessed_m = STILL, 0.0, 0.0

    def _guessed(self, view: FloatArray) -> Motion:
        seen_m = np.inf if self._view is None else self._route.metres_between(self._view, view)
        guessed_m = min(self._guessed_m, seen_m)
        pose = self._pose @ Pose.planar(guessed_m, 0.0, 0.0)
        return Motion(pose, self._driven_m + guessed_m, guessed_m, BENDS * guessed_m, True)

    def _add(self, before_ns: int, after_ns: int) -> None:
        motion = self._odometry.motion(before_ns, after_ns)
        if motion is None:
            self._guessed_m += self.speed * (after_ns - before_ns) / SECOND_NS
        else:
            self._pose = self._pose @ motion
            self._driven_m += math.hypot(motion.x, motion.y)
