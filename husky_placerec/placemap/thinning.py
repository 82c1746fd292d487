"""Thinning of a drive by distance and angle, for robots that stand or creep."""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.types import Pose
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Thinning:
    """
    Keep a frame if the robot has moved or turned enough since the last kept one.

    :param every_m: least distance in the plane; None: the distance does not count.
    :param turn_deg: least angle; None: the angle does not count.
    """

    every_m: float | None = None
    turn_deg: float | None = None

    def keep(self, poses: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return [N] which poses [N, 7] of a drive are kept; the first one always is."""
        kept = np.ones(len(poses), np.bool_)
        if self.every_m is None and self.turn_deg is None:
            return kept
        last = None
        for i, values in enumerate(poses):
            pose = Pose.from_array(values)
            kept[i] = last is None or self._differ(last, pose)
            last = pose if kept[i] else last
        return kept

    def _differ(self, last: Pose, pose: Pose) -> bool:
        moved = self.every_m is not None and last.distance_m(pose) >= self.every_m
        return moved or (self.turn_deg is not None and last.angle_deg(pose) >= self.turn_deg)
