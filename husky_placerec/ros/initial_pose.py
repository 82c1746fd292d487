"""When a localizer is given a pose to start from."""

from __future__ import annotations

import math

from husky_placerec.config import Config
from husky_placerec.recognition.calibration import UNCALIBRATED
from husky_placerec.types import Pose, Recognition


class InitialPose:
    """
    Gives one pose when it is due, and then no other until it is asked again.

    A wrong one throws a localizer off that was right, so that all must speak for it: an accepted
    pose of a calibrated map, known well enough, somebody who listens, and not where the last one
    was given already.
    """

    def __init__(self, config: Config) -> None:
        self._due = False
        self._last: Pose | None = None
        self.configure(config)

    def configure(self, config: Config) -> None:
        self._mode = config.initial_pose
        self._sigma_m = config.initial_pose_sigma
        self._apart_m = config.initial_pose_spacing
        self._due = self._due and self._mode != 'off'

    @property
    def wanted(self) -> bool:
        return self._mode != 'off'

    def activated(self) -> None:
        self._due = self._mode == 'once'

    def ask(self) -> bool:
        """Give the next good pose; return whether that is switched on."""
        self._due = self.wanted
        return self._due

    def take(self, recognition: Recognition, calibration: str, listeners: int) -> Pose | None:
        """Return the pose to give now, if one is due; it then no longer is."""
        if not (self._due and listeners and self._is_sure(recognition, calibration)):
            return None
        pose = recognition.pose
        near = self._last is not None and pose is not None
        if near and self._last.distance_m(pose) < self._apart_m:  # type: ignore[union-attr, arg-type]
            return None
        self._due, self._last = False, pose
        return pose

    def _is_sure(self, recognition: Recognition, calibration: str) -> bool:
        if not recognition.accepted or calibration == UNCALIBRATED:
            return False
        if recognition.covariance is None:
            return False
        return math.sqrt(max(recognition.covariance[:2])) <= self._sigma_m
