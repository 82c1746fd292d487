"""Metrics of recognitions by the true poses; every other module takes them from here."""

from husky_placerec.evaluation.metrics.chance import chance_figures
from husky_placerec.evaluation.metrics.figures import Figures
from husky_placerec.evaluation.metrics.judged import (
    HEADING_DEG,
    is_right,
    judge,
    Judged,
    RIGHT_M,
    TOLERANCES_M,
)
from husky_placerec.evaluation.metrics.precision_recall import precision_recall, PrecisionRecall
from husky_placerec.evaluation.metrics.summary import counts, merge_counts, summarize

__all__ = [
    'HEADING_DEG',
    'RIGHT_M',
    'TOLERANCES_M',
    'Figures',
    'Judged',
    'PrecisionRecall',
    'chance_figures',
    'counts',
    'is_right',
    'judge',
    'merge_counts',
    'precision_recall',
    'summarize',
]
