"""How far the robot has moved since the last frame that counted."""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.recognition.odometry import Odometry
from husky_placerec.recognition.route import Route
from husky_placerec.types import FloatArray, Pose, SECOND_NS
import numpy as np

STILL = Pose.planar(0.0, 0.0, 0.0)
ODOMETRY_SPREAD = 0.05  # of the way driven, and of the angle turned
DRIFT = np.radians(2.0)  # of the heading, in a metre
BENDS = np.radians(10.0)  # what a road may turn in a metre, where nothing is known of it


@dataclass(frozen=True)
class Moved:
    """
    A motion between two moments.

    :param pose: the later in the earlier's own frame.
    :param metres: driven.
    :param spread_m: how far off `pose` may be.
    :param turn_spread: the same of its yaw, in radians.
    :param guessed: from the time, for want of odometry.
    """

    pose: Pose
    metres: float
    spread_m: float
    turn_spread: float
    guessed: bool = False


class Motion:
    """
    Adds up the motion from frame to frame: by odometry where it covers them, by time otherwise.

    Time alone says only how far the robot may have come, so that the change of the view has to
    agree: a robot that stands sees the same.

    :param speed: usual one in m/s, where there is no odometry.
    """

    def __init__(self, odometry: Odometry, route: Route, speed: float) -> None:
        self._odometry = odometry
        self._route = route
        self.speed = speed
        self._last_ns: int | None = None
        self.forget()

    def forget(self) -> None:
        """Begin anew with the next frame."""
        self._last_ns = None
        self._view: FloatArray | None = None
        self._begin()

    def _begin(self) -> None:
        self._pose, self._driven_m, self._guessed_m = STILL, 0.0, 0.0

    def steps_back(self, stamp_ns: int) -> bool:
        """Say whether time began anew, as when a bag loops."""
        return self._last_ns is not None and stamp_ns < self._last_ns - SECOND_NS

    def since(self, stamp_ns: int, view: FloatArray) -> Moved | None:
        """
        Return the motion since the last frame that counted, up to this one; None for the first.

        :param view: [C, D] the descriptor of the frame.
        """
        last_ns, self._last_ns = self._last_ns, max(stamp_ns, self._last_ns or stamp_ns)
        if last_ns is None:
            self._view = view
            return None
        if stamp_ns > last_ns:
            self._add(last_ns, stamp_ns)
        if not self._guessed_m:
            return self._counted()
        seen_m = np.inf if self._view is None else self._route.metres_between(self._view, view)
        guessed_m = min(self._guessed_m, seen_m)
        pose = self._pose @ Pose.planar(guessed_m, 0.0, 0.0)
        return Moved(pose, self._driven_m + guessed_m, guessed_m, BENDS * guessed_m, True)

    def _counted(self) -> Moved:
        """Return the motion by odometry alone."""
        turned = ODOMETRY_SPREAD * self._pose.yaw
        return Moved(
            self._pose,
            self._driven_m,
            ODOMETRY_SPREAD * self._driven_m,
            float(np.hypot(DRIFT * np.sqrt(self._driven_m), turned)),
        )

    def count(self, view: FloatArray) -> None:
        """Take the last frame for one that counted."""
        self._view = view
        self._begin()

    def _add(self, before_ns: int, after_ns: int) -> None:
        moved = self._odometry.moved(before_ns, after_ns)
        if moved is None:
            self._guessed_m += self.speed * (after_ns - before_ns) / SECOND_NS
        else:
            self._pose = self._pose @ moved
            self._driven_m += float(np.hypot(moved.x, moved.y))
