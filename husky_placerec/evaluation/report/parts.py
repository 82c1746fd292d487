"""The parts that the reports of a replay and of an evaluation have in common."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from husky_placerec.config import Config
from husky_placerec.evaluation.metrics import HEADING_DEG, Judged, RIGHT_M
from husky_placerec.evaluation.report.case import Case, Mistake, worst_mistakes
from husky_placerec.evaluation.report.charts import (
    draw_distances,
    draw_latency,
    draw_precision_recall,
    draw_reliability,
    draw_similarities,
)
from husky_placerec.evaluation.report.page import Picture
from husky_placerec.evaluation.report.photos import find_photos, Photos
from husky_placerec.evaluation.report.route import chosen_cases, draw_routes
from husky_placerec.recognition.measurement import Thresholds
import numpy as np


def route_picture(cases: Sequence[Case]) -> Picture:
    """Return the map of the route, with the outcome of each frame."""
    chosen = chosen_cases(cases)
    text = (
        f'Each mark is a frame at its true position. A match is right within {RIGHT_M:g} m and '
        f'{HEADING_DEG:g} degrees. A line connects each frame with a wrong accepted pose to its '
        'best match.'
    )
    if len(chosen) < len(cases):
        text += ' The pairs with the lowest, the median and the highest share of right matches.'
    alt = 'Map of the route with hits, misses and refusals'
    return Picture('route', draw_routes(chosen), alt, text)


def error_pictures(judged: Judged, thresholds: Thresholds | None) -> list[Picture]:
    """
    Return the charts of errors, and of the reliability where probabilities were stated.

    :param thresholds: what decided; None where a calibration did.
    """
    pictures = [
        Picture(
            'distances',
            draw_distances(judged),
            'Histogram of the distance of the best match',
            f'Of the frames within {RIGHT_M:g} m of a place of the map, accepted or not.',
        ),
        Picture(
            'similarities',
            draw_similarities(judged, thresholds.min_similarity if thresholds else None),
            'Histograms of the similarity of right and wrong best matches',
            'The less the two overlap, the better a threshold separates them.',
        ),
        Picture(
            'precision_recall',
            draw_precision_recall(judged, thresholds),
            'Precision over recall',
            'The threshold of similarity falls from left to right: more frames are recognised, '
            'and more of them wrongly.',
        ),
    ]
    reliability = draw_reliability(judged)
    if reliability is not None:
        text = 'Above the dotted line the stated probabilities are too low, below it too high.'
        alt = 'Reliability of the stated probabilities'
        pictures.append(Picture('reliability', reliability, alt, text))
    return pictures


def latency_picture(latencies_ms: np.ndarray, text: str) -> Picture:
    """Return the chart of the time for a frame."""
    return Picture('latency', draw_latency(latencies_ms), 'Histogram of latency', text)


def mistakes_with_photos(
    cases: Sequence[Case], config: Config, kind: str | None
) -> tuple[list[Mistake], Photos]:
    """Return the worst mistakes, and the images of queries and places that are still there."""
    mistakes = worst_mistakes(cases)
    wanted: dict[Path, set[int]] = defaultdict(set)
    for mistake in mistakes:
        case = mistake.case
        for sources, stamps in (
            (case.query_sources, case.stamps_ns),
            (case.map_sources, case.place_stamps_ns),
        ):
            for path in sources:
                wanted[path].add(int(stamps[mistake.row]))
    return mistakes, find_photos(wanted, config, kind)
