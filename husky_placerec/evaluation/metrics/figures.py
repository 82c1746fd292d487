"""Figures that are ratios of two sums over queries, with their bootstrap intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
import warnings

from husky_placerec.evaluation.metrics.intervals import CONFIDENCE, draws
from husky_placerec.evaluation.metrics.judged import Judged
from husky_placerec.types import Floats
import numpy as np

RANKS = (1, 5, 10)
ONE_PERCENT = '1%'
RECALLS = ('recall', 'recall_with_heading')

Key = tuple[str, ...]


@dataclass(frozen=True)
class Figures:
    """
    Figures by name; NaN where there is nothing to count.

    :param keys: M paths in `summary.json`, such as (recall, 5, 1).
    :param values: [M].
    :param resampled: [B, M] the figures of B bootstrap samples.
    """

    keys: tuple[Key, ...]
    values: Floats
    resampled: Floats

    @classmethod
    def of(cls, judged: Judged, drive: str = '') -> Figures:
        """
        Count the figures.

        :param drive: name of the queries' drive. The bootstrap samples depend on it alone, so that
            all maps are compared by the same samples of the queries.
        """
        ratios = dict(_ratios(judged))
        above = np.stack([above for above, _ in ratios.values()], axis=1)
        below = np.stack([below for _, below in ratios.values()], axis=1)
        parts = [(times @ above, times @ below) for times in draws(len(judged), drive)]
        resampled = _divided(*(np.concatenate(sums) for sums in zip(*parts)))
        return cls(tuple(ratios), _divided(above.sum(axis=0), below.sum(axis=0)), resampled)

    @classmethod
    def mean(cls, several: Sequence[Figures]) -> Figures:
        """Return the mean over pairs of drives, without the pairs that have nothing to count."""
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', RuntimeWarning)  # the mean of nothing is NaN
            return cls(
                several[0].keys,
                np.nanmean([each.values for each in several], axis=0),
                np.nanmean([each.resampled for each in several], axis=0),
            )

    def __getitem__(self, key: Key) -> float | None:
        """Return a figure; None where there is nothing to count."""
        return _number(self.values[self.keys.index(key)])

    def interval(self, key: Key) -> list[float] | None:
        """Return the lower and upper bound of a figure at CONFIDENCE; None without a count."""
        column = self.resampled[:, self.keys.index(key)]
        column = column[np.isfinite(column)]
        if not len(column):
            return None
        tail = 50 * (1 - CONFIDENCE)
        return [float(bound) for bound in np.percentile(column, [tail, 100 - tail])]

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as they are nested in `summary.json`."""
        return _nested({key: self[key] for key in self.keys})

    def intervals(self) -> dict[str, Any]:
        """Return the intervals, nested in the same way."""
        return _nested({key: self.interval(key) for key in self.keys})


def one_percent(places: int) -> int:
    """Return 1 % of the places, at least 1; after Uy and Lee (PointNetVLAD, CVPR 2018)."""
    return max(round(places / 100), 1)


def _ratios(judged: Judged) -> list[tuple[Key, tuple[Floats, Floats]]]:
    """Return for each figure what each query adds to numerator and denominator, both [Q]."""
    ratios: list[tuple[Key, tuple[Floats, Floats]]] = []
    names = {**{str(rank): rank for rank in RANKS}, ONE_PERCENT: one_percent(judged.places)}
    for way, recall in enumerate(RECALLS):
        for column, tolerance in enumerate(judged.tolerances_m):
            known = (judged.nearest_m <= tolerance).astype(float)
            first = judged.first_right[:, column, way]
            for name, rank in names.items():
                seen = name != ONE_PERCENT or min(rank, judged.places) <= judged.depth
                hit = known * ((first > 0) & (first <= rank))
                ratios.append(((recall, f'{tolerance:g}', name), (hit, known * seen)))
    accepted, found = judged.accepted.astype(float), judged.found.astype(float)
    ratios.append((('precision',), (accepted * judged.pose_right, accepted)))
    for name, errors in (
        ('mean_top1_distance_m', judged.distance_m),
        ('mean_top1_angle_deg', judged.angle_deg),
    ):
        ratios.append(((name,), (np.where(judged.found, errors, 0), found)))
    return ratios


def _divided(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _nested(flat: dict[Key, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for (*path, last), value in flat.items():
        branch = tree
        for name in path:
            branch = branch.setdefault(name, {})
        branch[last] = value
    return tree
