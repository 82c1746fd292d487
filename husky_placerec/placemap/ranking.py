"""The ranking of places by their comparison with a query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from husky_placerec.cameras.lever_arm import LeverArm
from husky_placerec.placemap.views import Comparison
from husky_placerec.types import Candidate, FloatArray, Floats, Mask, Pose
import numpy as np

Way = tuple['bool | None', tuple[int, ...]]  # `reversed` of a candidate, each camera's partner


@dataclass(frozen=True, eq=False)
class Rival:
    """
    The strongest evidence of a map against a candidate.

    :param similarity: of the best place that contradicts the candidate.
    :param cosines: [C] the highest cosine of each camera of the query over all places that
        contradict; -inf for an absent camera.
    :param states: the best places that contradict, and whether each is passed in reverse.
    """

    similarity: float
    cosines: FloatArray
    states: tuple[tuple[int, bool], ...] = ()


def ways_of(cameras: int, opposites: tuple[int, ...] | None, both_ways: bool) -> list[Way]:
    """Return the directions to search, with the partner of each camera of a place."""
    straight = tuple(range(cameras))
    if opposites is None:
        return [(None, straight)]
    return [(False, straight), *([(True, opposites)] if both_ways else [])]


def best_candidates(
    found: Comparison,
    count: int,
    ways: Sequence[Way],
    poses: Floats,
    cameras: Sequence[str],
    there: Mask | None = None,
    arm: LeverArm = LeverArm(),
) -> list[Candidate]:
    """
    Return the most similar places, best first; a place may occur once per direction.

    :param poses: [N, 7] of all places of the map.
    :param cameras: names of the cameras.
    :param there: [A] the cameras of the query that count; None: all.
    :param arm: of the robot that asks.
    """
    if not len(found.places):
        return []
    scores = np.concatenate([found.similarities(partners, there) for _, partners in ways])
    wanted = min(count, len(scores))
    best = np.argpartition(-scores, wanted - 1)[:wanted]
    best = best[np.argsort(-scores[best], kind='stable')]
    candidates = []
    for score, row in zip(scores[best].tolist(), best.tolist()):
        if np.isfinite(score):
            (reverse, partners), at = ways[row // len(found.places)], row % len(found.places)
            place = int(found.places[at])
            pose = arm.pose(Pose(*poses[place].tolist()), reverse)
            cosines = {cameras[i]: cosine for i, cosine in found.shared(at, partners).items()}
            candidates.append(Candidate(place, score, reverse, pose, cosines))
    return candidates


def cosines_of(found: Comparison, opposites: tuple[int, ...] | None, reverse: Mask) -> FloatArray:
    """
    Return [K, C] the cosine of each camera of the query with each place; NaN where there is none.

    :param reverse: [K] whether each place is passed in reverse.
    """
    columns = np.arange(found.present.shape[1])
    partners = np.array([columns, columns if opposites is None else opposites])
    partner = partners[reverse.astype(np.int64)]  # [K, C]
    rows = np.arange(len(found.places))[:, None]
    values = found.cosines[partner, rows, columns]
    by_query = np.full_like(values, np.nan)
    by_query[rows, partner] = np.where(found.there[partner] & found.present, values, np.nan)
    return by_query
