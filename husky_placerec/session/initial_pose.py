"""When a localizer is given a pose to start from."""

from __future__ import annotations

import math

from husky_placerec.config import Config
from husky_placerec.recognition.calibration import UNCALIBRATED
from husky_placerec.types import Pose, Recognition


class InitialPose:
    """
    Give one pose when it is due, and no other until somebody asks again.

    A wrong pose harms a localizer that was right. So a pose is given only if it was accepted on a
    calibrated map, its standard deviation is small, somebody listens, and the last one that was
    given is far away.
    """

    def __init__(self) -> None:
        self._due = False
        self._last: Pose | None = None

    def activated(self, config: Config) -> None:
        """Make a pose due where the configuration asks for one at the start."""
        self._due = config.initial_pose == 'once'

    def ask(self, config: Config) -> bool:
        """Make a pose due; return whether initial poses are switched on."""
        self._due = config.initial_pose != 'off'
        return self._due

    def take(
        self, recognition: Recognition, calibration_kind: str, listeners: int, config: Config
    ) -> Pose | None:
        """Return the pose to give now, if one is due; it then no longer is."""
        self._due = self._due and config.initial_pose != 'off'
        if not self._due or not listeners or calibration_kind == UNCALIBRATED:
            return None
        pose, covariance = recognition.pose, recognition.covariance
        if not recognition.accepted or pose is None or covariance is None:
            return None
        if math.sqrt(max(covariance[:2])) > config.initial_pose_sigma:
            return None
        spacing_m = config.initial_pose_spacing
        if self._last is not None and self._last.distance_m(pose) < spacing_m:
            return None
        self._due, self._last = False, pose
        return pose
