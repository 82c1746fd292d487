"""The keys of `summary.json` that need the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from husky_placerec.evaluation.metrics.figures import Figures
from husky_placerec.evaluation.metrics.intervals import CONFIDENCE
from husky_placerec.evaluation.metrics.judged import HEADING_DEG, Judged, RIGHT_M
from husky_placerec.evaluation.metrics.precision_recall import precision_recall
import numpy as np


def summarize(judged: Judged, figures: Figures | None = None) -> dict[str, Any]:
    """
    Return recalls, precision, errors and their intervals.

    A recall is over the frames that have a place of the map within the tolerance.

    :param figures: the figures of `judged`, where they are counted already.
    """
    figures = figures or Figures.of(judged)
    return {
        **figures.as_dict(),
        **counts(judged),
        'intervals': {'confidence': CONFIDENCE, **figures.intervals()},
    }


def counts(judged: Judged) -> dict[str, Any]:
    """
    Return the values that are not ratios of sums: medians, precision-recall, counts.

    `frames_on_map` counts the frames that have a place of the map within each tolerance; the
    recalls are shares of them. The medians are over the frames on the map.
    """
    off_map = ~judged.on_map
    compared = judged.found & judged.on_map  # an unknown place has no right match to be near to
    return {
        'frames_on_map': {
            f'{tolerance:g}': int((judged.nearest_m <= tolerance).sum())
            for tolerance in judged.tolerances_m
        },
        'right_within': {'distance_m': RIGHT_M, 'heading_deg': HEADING_DEG},
        'off_map': {'frames': int(off_map.sum()), 'accepted': int(judged.accepted[off_map].sum())},
        'median_top1_distance_m': _median(judged.distance_m[compared]),
        'median_top1_angle_deg': _median(judged.angle_deg[compared]),
        'precision_recall': precision_recall(judged).as_dict(),
    }


def merge_counts(several: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Merge `counts` over pairs of drives: sums of the counts, means of the other values."""
    return {
        'right_within': several[0]['right_within'],
        'frames_on_map': {
            key: sum(each['frames_on_map'][key] for each in several)
            for key in several[0]['frames_on_map']
        },
        'off_map': {
            key: sum(each['off_map'][key] for each in several) for key in ('frames', 'accepted')
        },
        **{
            key: _mean([each[key] for each in several])
            for key in ('median_top1_distance_m', 'median_top1_angle_deg')
        },
        'precision_recall': {
            key: _mean([each['precision_recall'][key] for each in several])
            for key in ('average_precision', 'recall_at_full_precision')
        },
    }


def _median(values: np.ndarray) -> float | None:
    return float(np.median(values)) if len(values) else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
