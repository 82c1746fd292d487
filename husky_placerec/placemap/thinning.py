"""Fewer places: a robot that stands or creeps sees each of them many times."""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.types import Pose
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Thinning:
    """
    Keep a place when the robot has moved or turned enough since the last one kept.

    :param every_m: metres in the plane; None: moving alone keeps none.
    :param turn_deg: degrees; None: turning alone keeps none.
    """

    every_m: float | None = None
    turn_deg: float | None = None

    def keep(self, poses: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return [N] bool for [N, 7] poses in the order of the drive; the first is kept."""
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
