"""The metrics of places that are drawn at random, the weakest baseline."""

from __future__ import annotations

from collections.abc import Sequence

from husky_placerec.evaluation.metrics.figures import Figures, Key, ONE_PERCENT, one_percent, RANKS
from husky_placerec.evaluation.metrics.judged import angles_deg, HEADING_DEG
from husky_placerec.types import Floats, Indices, Mask
import numpy as np
from scipy.spatial import cKDTree
from scipy.special import gammaln

MOST_POSES = 500  # for the mean distance; of more poses every n-th is taken


def chance_figures(truths: Floats, map_poses: Floats, tolerances_m: Sequence[float]) -> Figures:
    """
    Return the expected figures of candidates that are drawn without replacement.

    :param truths: [Q, 7] true poses of the queries.
    :param map_poses: [N, 7] poses of the places.
    """
    places = len(map_poses)
    ranks = {**{str(rank): rank for rank in RANKS}, ONE_PERCENT: one_percent(places)}
    query, distance, facing = _near_pairs(truths, map_poses, max(tolerances_m))
    values: dict[Key, float] = {}
    for tolerance in tolerances_m:
        within = distance <= tolerance
        near = np.bincount(query[within], minlength=len(truths))
        near_and_facing = np.bincount(query[within & facing], minlength=len(truths))
        for recall, right in (('recall', near), ('recall_with_heading', near_and_facing)):
            for name, rank in ranks.items():
                hit = _hit_probability(right[near > 0], places, min(rank, places))
                values[recall, f'{tolerance:g}', name] = float(hit.mean()) if len(hit) else np.nan
    values['mean_top1_distance_m',] = _mean_distance(truths, map_poses)
    numbers = np.array(list(values.values()))
    return Figures(tuple(values), numbers, numbers[None])


def _hit_probability(right: Indices, places: int, drawn: int) -> Floats:
    """
    Return [Q] the probability that one of the drawn places is right.

    `probability = 1 - C(places - right, drawn) / C(places, drawn)`, by logarithms of factorials.

    :param right: [Q] how many of the places are right.
    """
    left = places - right
    log_missed = (
        gammaln(left + 1)
        - gammaln(np.maximum(left - drawn, 0) + 1)
        - gammaln(places + 1)
        + gammaln(places - drawn + 1)
    )
    return np.where(left >= drawn, 1 - np.exp(log_missed), 1.0)


def _near_pairs(truths: Floats, map_poses: Floats, reach_m: float) -> tuple[Indices, Floats, Mask]:
    """Return of each place near a query: the query, the distance, whether the headings agree."""
    trees = (cKDTree(poses[:, :2]) for poses in (truths, map_poses))
    pairs = next(trees).sparse_distance_matrix(next(trees), reach_m, output_type='ndarray')
    angles = angles_deg(truths[pairs['i'], 3:], map_poses[pairs['j'], 3:])
    return pairs['i'], pairs['v'], angles <= HEADING_DEG


def _mean_distance(truths: Floats, map_poses: Floats) -> float:
    step_q, step_n = (-(-len(x) // MOST_POSES) for x in (truths, map_poses))
    apart = truths[::step_q, None, :2] - map_poses[None, ::step_n, :2]
    return float(np.hypot(apart[..., 0], apart[..., 1]).mean())
