"""How well similarity tells right from wrong, at every threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from husky_placerec.evaluation.metrics.judged import Floats, Judged
import numpy as np


@dataclass(frozen=True)
class PrecisionRecall:
    """
    Precision and recall of the best candidates that are at least this similar.

    Precision is over those accepted, frames unknown to the map among them; recall is over the
    frames that the map knows, so what retrieval misses keeps it below 1.

    :param thresholds: [T], rising; `precision` and `recall` likewise.
    :param average_precision: the area under the curve, as a sum of steps.
    :param full_precision_recall: the most recall at which nothing accepted is wrong; None where
        the map knows no frame.
    :param full_precision_threshold: the similarity that gives it; None where none does.
    """

    thresholds: Floats
    precision: Floats
    recall: Floats
    average_precision: float | None
    full_precision_recall: float | None
    full_precision_threshold: float | None

    def as_dict(self) -> dict[str, Any]:
        return {
            'average_precision': self.average_precision,
            'recall_at_full_precision': self.full_precision_recall,
            'full_precision_similarity': self.full_precision_threshold,
        }


def precision_recall(judged: Judged) -> PrecisionRecall:
    """Return the curve over the similarity of the best candidate."""
    from sklearn.metrics import average_precision_score, precision_recall_curve

    right, known = judged.right[judged.found], int(judged.on_map.sum())
    similarity = judged.similarity[judged.found]
    if not known or not right.any():
        empty = np.empty(0)
        nothing = 0.0 if known else None
        return PrecisionRecall(empty, empty, empty, nothing, nothing, None)
    share = right.sum() / known  # scikit-learn's recall is over the right ones alone
    precision, recall, thresholds = precision_recall_curve(right, similarity)
    precision, recall = precision[:-1], recall[:-1] * share  # its last point is of no threshold
    whole = np.flatnonzero((precision == 1) & (recall > 0))
    best = whole[0] if len(whole) else None  # thresholds rise, so recall falls
    return PrecisionRecall(
        thresholds,
        precision,
        recall,
        float(average_precision_score(right, similarity) * share),
        0.0 if best is None else float(recall[best]),
        None if best is None else float(thresholds[best]),
    )
