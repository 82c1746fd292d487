"""How good recognitions are, against the truth: the one place where this is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from husky_placerec.types import Pose, Recognition
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

TOLERANCES_M = (5.0, 10.0, 25.0)
RANKS = (1, 5, 10)
HEADING_DEG = 30.0
RIGHT_M = 10.0  # within which an accepted pose counts as right


@dataclass(frozen=True)
class Judged:
    """A recognition beside the truth."""

    recognition: Recognition
    truth: Pose

    def rank(self, tolerance_m: float, heading_deg: float | None) -> int | None:
        """Return the place, from 1, of the first candidate that is right."""
        for rank, candidate in enumerate(self.recognition.candidates, 1):
            if is_right(candidate.pose, self.truth, tolerance_m, heading_deg):
                return rank
        return None

    @property
    def right(self) -> bool:
        pose = self.recognition.pose
        return pose is not None and is_right(pose, self.truth, RIGHT_M, HEADING_DEG)


def is_right(pose: Pose, truth: Pose, tolerance_m: float, heading_deg: float | None) -> bool:
    near = pose.distance_m(truth) <= tolerance_m
    return near and (heading_deg is None or pose.angle_deg(truth) <= heading_deg)


def summarize(
    judged: Sequence[Judged],
    map_positions: NDArray[np.float64],
    tolerances_m: Sequence[float] = TOLERANCES_M,
) -> dict[str, Any]:
    """
    Return the keys of `summary.json` that need the truth.

    :param map_positions: [N, 2] or more, x and y of the map's places; a recall is over the frames
        that have a place within its tolerance.
    """
    tree = cKDTree(map_positions[:, :2])
    truths = np.array([[item.truth.x, item.truth.y] for item in judged]).reshape(-1, 2)
    nearest_m = tree.query(truths)[0]
    accepted = [item for item in judged if item.recognition.accepted]
    off_map = [item for item, distance in zip(judged, nearest_m) if distance > RIGHT_M]
    top1_m = [
        item.recognition.pose.distance_m(item.truth)
        for item in judged
        if item.recognition.pose is not None
    ]
    return {
        'recall': _recalls(judged, nearest_m, tolerances_m, None),
        'recall_with_heading': _recalls(judged, nearest_m, tolerances_m, HEADING_DEG),
        'precision': _share([item.right for item in accepted]),
        'right_within': {'distance_m': RIGHT_M, 'heading_deg': HEADING_DEG},
        'off_map': {
            'frames': len(off_map),
            'accepted': sum(item.recognition.accepted for item in off_map),
        },
        'mean_top1_distance_m': float(np.mean(top1_m)) if top1_m else None,
        'median_top1_distance_m': float(np.median(top1_m)) if top1_m else None,
    }


def _recalls(
    judged: Sequence[Judged],
    nearest_m: NDArray[np.float64],
    tolerances_m: Sequence[float],
    heading_deg: float | None,
) -> dict[str, dict[str, float | None]]:
    table = {}
    for tolerance_m in tolerances_m:
        on_map = [item for item, d in zip(judged, nearest_m) if d <= tolerance_m]
        ranks = [item.rank(tolerance_m, heading_deg) for item in on_map]
        table[f'{tolerance_m:g}'] = {
            str(k): _share([rank is not None and rank <= k for rank in ranks]) for k in RANKS
        }
    return table


def _share(hits: Sequence[bool]) -> float | None:
    return float(np.mean(hits)) if hits else None
