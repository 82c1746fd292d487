"""What a place picked at random would score: the least that any method has to beat."""

from __future__ import annotations

from collections.abc import Sequence

from husky_placerec.evaluation.metrics.figures import Figures, Key, ONE_PERCENT, one_percent, RANKS
from husky_placerec.evaluation.metrics.judged import angles_deg, Floats, HEADING_DEG
import numpy as np
from scipy.spatial import cKDTree
from scipy.special import gammaln

_MOST_PLACES = 2000  # for the mean distance, of a long map every n-th


def chance_figures(truths: Floats, map_poses: Floats, tolerances_m: Sequence[float]) -> Figures:
    """
    Return the expected figures of candidates drawn without replacement.

    :param truths: [Q, 7] poses of the queries.
    :param map_poses: [N, 7].
    """
    places, tree = len(map_poses), cKDTree(map_poses[:, :2])
    ranks = {**{str(rank): rank for rank in RANKS}, ONE_PERCENT: one_percent(places)}
    values: dict[Key, float] = {}
    for tolerance in tolerances_m:
        near, facing = _right_places(truths, map_poses, tree, tolerance)
        for recall, right in (('recall', near), ('recall_with_heading', facing)):
            for name, rank in ranks.items():
                hit = _hit(right[near > 0], places, min(rank, places))
                values[recall, f'{tolerance:g}', name] = float(hit.mean()) if len(hit) else np.nan
    values['mean_top1_distance_m',] = _mean_distance(truths, map_poses)
    numbers = np.array(list(values.values()))
    return Figures(tuple(values), numbers, np.repeat(numbers[None], 1, axis=0))


def _hit(right: Floats, places: int, drawn: int) -> Floats:
    """Return the probability that of `drawn` places one is among the right ones."""
    left = places - right
    # Of all ways to draw, those that draw only wrong ones; by logarithms, for they are many.
    log_missed = (
        gammaln(left + 1)
        - gammaln(np.maximum(left - drawn, 0) + 1)
        - gammaln(places + 1)
        + gammaln(places - drawn + 1)
    )
    return np.where(left >= drawn, 1 - np.exp(log_missed), 1.0)


def _right_places(
    truths: Floats, map_poses: Floats, tree: cKDTree, tolerance_m: float
) -> tuple[Floats, Floats]:
    """Return [Q] how many places are near each query, and how many of them face its way."""
    near, facing = np.zeros(len(truths)), np.zeros(len(truths))
    for i, (truth, rows) in enumerate(
        zip(truths, tree.query_ball_point(truths[:, :2], tolerance_m))
    ):
        near[i] = len(rows)
        facing[i] = (angles_deg(map_poses[rows, 3:], truth[3:]) <= HEADING_DEG).sum()
    return near, facing


def _mean_distance(truths: Floats, map_poses: Floats) -> float:
    step_q, step_n = (-(-len(x) // _MOST_PLACES) for x in (truths, map_poses))
    apart = truths[::step_q, None, :2] - map_poses[None, ::step_n, :2]
    return float(np.hypot(apart[..., 0], apart[..., 1]).mean())
