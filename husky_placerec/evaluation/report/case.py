"""The queries of one drive to one map, in the form that the report draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from husky_placerec.evaluation.metrics import HEADING_DEG, Judged
from husky_placerec.types import Floats, Indices, Mask
import numpy as np

# Outcomes of a frame; each has a mark of its own on the map of the route.
RIGHT_ACCEPTED, RIGHT_REFUSED, WRONG_ACCEPTED, WRONG_REFUSED, UNKNOWN_REFUSED = range(5)
GROSS_M = 25.0  # from which a mistake is no near miss


@dataclass(frozen=True)
class Case:
    """
    Q queries to a map of N places.

    :param database: name of the map.
    :param queries: name of the drive.
    :param stamps_ns: [Q] stamps of the queries.
    :param place_stamps_ns: [Q] stamps of the best candidates.
    :param truths: [Q, 2] true x and y.
    :param estimates: [Q, 2] x and y of the best candidates, NaN where there is none.
    :param route: [N, 2] x and y of the places.
    :param turned: [Q] whether the best candidate is passed in reverse.
    :param query_sources: where the images of the queries may be, and `map_sources` those of the
        places.
    """

    database: str
    queries: str
    judged: Judged
    stamps_ns: Indices
    place_stamps_ns: Indices
    truths: Floats
    estimates: Floats
    route: Floats
    turned: Mask
    query_sources: Sequence[Path]
    map_sources: Sequence[Path]

    @property
    def title(self) -> str:
        """What is recognised where, for headings."""
        return f'{self.queries} in the map of {self.database}'

    @property
    def outcomes(self) -> Indices:
        """The outcome [Q] of each frame."""
        judged = self.judged
        return np.select(
            [
                judged.pose_right & judged.accepted,
                judged.accepted,
                judged.right,
                judged.on_map,
            ],
            [RIGHT_ACCEPTED, WRONG_ACCEPTED, RIGHT_REFUSED, WRONG_REFUSED],
            UNKNOWN_REFUSED,
        )


@dataclass(frozen=True)
class Mistake:
    """A query whose best candidate is wrong."""

    case: Case
    row: int

    @property
    def accepted(self) -> bool:
        """Whether a pose was accepted."""
        return bool(self.case.judged.accepted[self.row])

    @property
    def gross(self) -> bool:
        """Whether the candidate is far off, or faces another way."""
        judged = self.case.judged
        return bool(
            judged.distance_m[self.row] > GROSS_M or judged.angle_deg[self.row] > HEADING_DEG
        )

    @property
    def similarity(self) -> float:
        """The similarity of the best candidate."""
        return float(self.case.judged.similarity[self.row])


def worst_mistakes(cases: Sequence[Case], most: int = 20, apart_m: float = 10.0) -> list[Mistake]:
    """
    Return the worst mistakes: accepted ones first, then gross ones, then the most similar.

    A frame whose accepted pose is right is no mistake, even if the best candidate is wrong. Of
    mistakes of one drive within a distance only the worst is returned.

    :param most: how many are returned at most.
    :param apart_m: least distance between two mistakes of one drive.
    """
    found = [Mistake(case, int(row)) for case in cases for row in _mistakes(case.judged)]
    found.sort(key=lambda each: (not each.accepted, not each.gross, -each.similarity))
    chosen: list[Mistake] = []
    for mistake in found:
        if len(chosen) == most:
            break
        if not any(_is_near(mistake, other, apart_m) for other in chosen):
            chosen.append(mistake)
    return chosen


def _mistakes(judged: Judged) -> Indices:
    wrong = judged.found & ~judged.right & (judged.on_map | judged.accepted)
    return np.flatnonzero(wrong & ~(judged.accepted & judged.pose_right))


def _is_near(first: Mistake, second: Mistake, apart_m: float) -> bool:
    if first.case is not second.case:
        return False
    truths = first.case.truths
    return float(np.hypot(*(truths[first.row] - truths[second.row]))) < apart_m
