"""One drive put to one map, as the report draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from husky_placerec.evaluation.metrics import HEADING_DEG, Judged
import numpy as np
from numpy.typing import NDArray

# What became of a frame; each has its colour and its mark on the map of the route.
HIT, SHY, WRONG, MISSED, UNKNOWN = range(5)
GROSS_M = 25.0


@dataclass(frozen=True)
class Case:
    """
    Q queries to a map of N places.

    :param stamps_ns: [Q] of the queries' frames; `place_stamps_ns` [Q] of the best candidates'.
    :param truths: [Q, 2] x and y; `estimates` [Q, 2] likewise, NaN where there is no candidate.
    :param route: [N, 2] of the map.
    :param turned: [Q] bool, whether the best place is passed in reverse.
    :param query_sources: where the images of the queries may be found; `map_sources` likewise.
    """

    database: str
    queries: str
    judged: Judged
    stamps_ns: NDArray[np.int64]
    place_stamps_ns: NDArray[np.int64]
    truths: NDArray[np.float64]
    estimates: NDArray[np.float64]
    route: NDArray[np.float64]
    turned: NDArray[np.bool_]
    query_sources: Sequence[Path]
    map_sources: Sequence[Path]

    @property
    def title(self) -> str:
        return f'{self.queries} in the map of {self.database}'

    @property
    def fates(self) -> NDArray[np.int64]:
        """Tell [Q] what became of each frame."""
        judged = self.judged
        return np.select(
            [
                judged.pose_right & judged.accepted,
                judged.right,
                judged.accepted,
                judged.on_map,
            ],
            [HIT, SHY, WRONG, MISSED],
            UNKNOWN,
        )


@dataclass(frozen=True)
class Mistake:
    """A query that was taken for another place."""

    case: Case
    row: int

    @property
    def accepted(self) -> bool:
        return bool(self.case.judged.accepted[self.row])

    @property
    def gross(self) -> bool:
        """Whether it is more than a near miss."""
        judged = self.case.judged
        return bool(
            judged.distance_m[self.row] > GROSS_M or judged.angle_deg[self.row] > HEADING_DEG
        )

    @property
    def similarity(self) -> float:
        return float(self.case.judged.similarity[self.row])


def worst_mistakes(cases: Sequence[Case], most: int = 20, apart_m: float = 10.0) -> list[Mistake]:
    """
    Return the worst mistakes: accepted ones first, then gross ones, then the most similar.

    Of frames next to each other that fail alike only the worst is taken.
    """
    found = [
        Mistake(case, int(row))
        for case in cases
        for row in np.flatnonzero(
            case.judged.found & ~case.judged.right & (case.judged.on_map | case.judged.accepted)
        )
    ]
    found.sort(key=lambda each: (not each.accepted, not each.gross, -each.similarity))
    chosen: list[Mistake] = []
    for mistake in found:
        if len(chosen) == most:
            break
        if not any(_alike(mistake, other, apart_m) for other in chosen):
            chosen.append(mistake)
    return chosen


def _alike(first: Mistake, second: Mistake, apart_m: float) -> bool:
    if first.case is not second.case:
        return False
    truths = first.case.truths
    return float(np.hypot(*(truths[first.row] - truths[second.row]))) < apart_m
