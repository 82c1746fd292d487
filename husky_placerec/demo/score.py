"""The score of the demo: the received poses against the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from husky_placerec.evaluation.metrics import HEADING_DEG, is_right, RIGHT_M
from husky_placerec.types import Pose
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

LEAST_RECOGNISED = 0.80
LEAST_PRECISION = 0.98


@dataclass(frozen=True)
class Score:
    """
    The counts of a drive.

    :param truths: true pose of every sent frame, by stamp.
    :param on_map: stamps of the frames with a place within the tolerance.
    :param right: stamps whose published pose is right.
    :param published: received poses by stamp.
    """

    truths: Mapping[int, Pose]
    on_map: frozenset[int]
    right: frozenset[int]
    published: Mapping[int, Pose]

    @property
    def recognised(self) -> float:
        """The recognised share of the sent frames on the map; a lost frame counts as missed."""
        return len(self.right & self.on_map) / len(self.on_map)

    @property
    def precision(self) -> float | None:
        """The right share of the published poses; None where nothing was published."""
        return len(self.right) / len(self.published) if self.published else None

    @property
    def passed(self) -> bool:
        """Whether recall and precision reach what the demo asks for."""
        return self.recognised >= LEAST_RECOGNISED and (self.precision or 0) >= LEAST_PRECISION


def score(
    truths: Mapping[int, Pose], published: Mapping[int, Pose], map_poses: NDArray[np.float64]
) -> Score:
    """Judge the published poses; a pose whose stamp was never sent is wrong."""
    tree = cKDTree(map_poses[:, :2])
    on_map = {s for s, truth in truths.items() if tree.query([truth.x, truth.y])[0] <= RIGHT_M}
    right = {
        stamp_ns
        for stamp_ns, pose in published.items()
        if stamp_ns in truths and is_right(pose, truths[stamp_ns], RIGHT_M, HEADING_DEG)
    }
    return Score(truths, frozenset(on_map), frozenset(right), published)
