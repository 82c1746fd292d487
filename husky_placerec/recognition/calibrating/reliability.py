"""How well stated probabilities come true: reliability, and recall at a precision."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Any

from husky_placerec.types import Floats, Mask
import numpy as np

BINS = 10
PRECISIONS = (1.0, 0.99)


@dataclass(frozen=True, eq=False)
class Reliability:
    """
    Stated probabilities beside the share that came true, in bins of equal width.

    :param mean: [B] mean probability in a bin, NaN in an empty one.
    :param share: [B] share that came true.
    :param weight: [B] of the bins; they add up to 1.
    """

    mean: Floats
    share: Floats
    weight: Floats

    @classmethod
    def of(cls, probability: Floats, true: Mask, weight: Floats | None = None) -> Reliability:
        """Measure probabilities [N] beside what is true [N]."""
        weight = np.ones(len(true)) if weight is None else weight
        bins = np.minimum((probability * BINS).astype(np.int64), BINS - 1)
        total = np.bincount(bins, weight, BINS)
        with np.errstate(invalid='ignore', divide='ignore'):
            mean = np.bincount(bins, weight * probability, BINS) / total
            share = np.bincount(bins, weight * true, BINS) / total
        return cls(mean, share, total / max(float(total.sum()), 1e-12))

    @property
    def error(self) -> float:
        """The expected calibration error (Naeini et al., AAAI 2015)."""
        return float(np.nansum(self.weight * np.abs(self.mean - self.share)))

    def as_json(self) -> list[dict[str, Any]]:
        """Return the bins that are not empty."""
        rows = zip(self.mean.tolist(), self.share.tolist(), self.weight.tolist())
        return [{'said': m, 'came_true': s, 'share': w} for m, s, w in rows if w > 0]


def recall_at(
    precision: float, score: Floats, true: Mask, known: int
) -> tuple[float, float | None]:
    """
    Return the highest recall at a precision, and the score from which it accepts.

    :param known: frames that could be recognised, including those that the search misses.
    """
    order = np.argsort(-score, kind='stable')
    hits = np.cumsum(true[order])
    last = np.append(np.diff(score[order]) != 0, True)  # equal scores are accepted together
    good = last & (hits >= precision * np.arange(1, len(hits) + 1) - 1e-9) & (hits > 0)
    if not good.any() or not known:
        return 0.0, None
    at = int(np.flatnonzero(good)[-1])
    return float(hits[at] / known), float(score[order][at])


def upper_bound(events: int, trials: int, confidence: float = 0.95) -> float:
    """Return the upper bound of a rate, one-sided (Clopper and Pearson, 1934)."""
    from scipy.stats import beta

    if not trials or events >= trials:
        return 1.0
    bound = float(beta.ppf(confidence, events + 1, trials - events))
    return bound if math.isfinite(bound) else 1.0
