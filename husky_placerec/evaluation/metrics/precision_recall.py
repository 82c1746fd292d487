"""Precision and recall of poses over thresholds of similarity, or of another score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from husky_placerec.evaluation.metrics.judged import Judged
from husky_placerec.types import Floats, Mask
import numpy as np


@dataclass(frozen=True)
class PrecisionRecall:
    """
    Precision and recall where the best candidates above a threshold are accepted.

    The precision is over the accepted frames, those off the map included. The recall is over the
    frames on the map, so that frames without a right candidate keep it below 1.

    :param thresholds: [T] rising similarities, or other scores.
    :param precision: [T], and `recall` [T].
    :param average_precision: area under the curve, as a sum of steps; None where no frame is on
        the map.
    :param full_precision_recall: largest recall at which no accepted candidate is wrong; None
        where no frame is on the map.
    :param full_precision_threshold: the similarity of that recall; None where there is none.
    """

    thresholds: Floats
    precision: Floats
    recall: Floats
    average_precision: float | None
    full_precision_recall: float | None
    full_precision_threshold: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return the entries of `summary.json`."""
        return {
            'average_precision': self.average_precision,
            'recall_at_full_precision': self.full_precision_recall,
            'full_precision_similarity': self.full_precision_threshold,
        }


def precision_recall(judged: Judged) -> PrecisionRecall:
    """Return the curve over the similarity of the best candidate."""
    known = int(judged.on_map.sum())
    return curve(np.where(judged.found, judged.similarity, -np.inf), judged.right, known)


def curve(scores: Floats, right: Mask, known: int) -> PrecisionRecall:
    """
    Return the curve over a score from which a pose is accepted.

    :param scores: [Q], minus infinity where there is no pose.
    :param right: [Q] whether the pose is right.
    :param known: frames on the map, over which the recall is.
    """
    from sklearn.metrics import average_precision_score, precision_recall_curve

    found = np.isfinite(scores)
    scores, right = scores[found], right[found]
    if not known or not right.any():
        empty = np.empty(0)
        nothing = 0.0 if known else None
        return PrecisionRecall(empty, empty, empty, nothing, nothing, None)
    share = right.sum() / known  # scikit-learn counts the recall over the right ones only
    precision, recall, thresholds = precision_recall_curve(right, scores)
    precision, recall = precision[:-1], recall[:-1] * share  # the last point has no threshold
    whole = np.flatnonzero((precision == 1) & (recall > 0))
    best = whole[0] if len(whole) else None  # thresholds rise, so recall falls
    return PrecisionRecall(
        thresholds,
        precision,
        recall,
        float(average_precision_score(right, scores) * share),
        0.0 if best is None else float(recall[best]),
        None if best is None else float(thresholds[best]),
    )
