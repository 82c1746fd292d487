"""`summary.json` of an evaluation: the keys of a replay's, over all pairs and for each pair."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
import itertools
from typing import Any

from husky_placerec.evaluation.comparison import Evaluation
from husky_placerec.evaluation.metrics import counts, Figures, merge_counts, summarize
from husky_placerec.evaluation.metrics.intervals import CONFIDENCE
import numpy as np


def evaluation_summary(evaluation: Evaluation) -> dict[str, Any]:
    """
    Return the content of `summary.json`.

    Over all pairs, shares and errors are means, and counts are sums.
    """
    pairs = evaluation.pairs
    own = Figures.mean([pair.figures for pair in pairs])
    each = [counts(pair.judged) for pair in pairs]
    return {
        'method': evaluation.method,
        'frames': sum(len(pair.judged) for pair in pairs),
        'accepted': sum(int(pair.judged.accepted.sum()) for pair in pairs),
        'latency_ms': percentiles(np.concatenate(evaluation.latencies_ms)),
        **own.as_dict(),
        **merge_counts(each),
        'intervals': {'confidence': CONFIDENCE, **own.intervals()},
        'baselines': {
            name: _with_intervals(Figures.mean(figures))
            for name, figures in evaluation.figures.items()
            if name != evaluation.method
        },
        'by_season': _by_tag(evaluation, 'season'),
        'by_light': _by_tag(evaluation, 'light'),
        'tracks': [
            {
                'name': track.name,
                'source': str(track.path),
                'frames': len(track),
                'season': track.tags.season,
                'light': track.tags.light,
                'origin': vars(track.origin) if track.origin else None,
            }
            for track in evaluation.tracks
        ],
        'pairs': [
            {
                'database': pair.database,
                'queries': pair.queries,
                'frames': len(pair.judged),
                'accepted': int(pair.judged.accepted.sum()),
                'latency_ms': percentiles(latencies),
                **summarize(pair.judged, pair.figures),
            }
            for pair, latencies in zip(pairs, evaluation.latencies_ms)
        ],
    }


def percentiles(values: np.ndarray) -> dict[str, float]:
    """Return the median and the 95th percentile."""
    return {f'p{q}': float(np.percentile(values, q)) for q in (50, 95)}


def _with_intervals(figures: Figures) -> dict[str, Any]:
    if len(figures.resampled) <= 1:  # chance is computed without a sample
        return figures.as_dict()
    return {**figures.as_dict(), 'intervals': figures.intervals()}


def _by_tag(evaluation: Evaluation, tag: str) -> list[dict[str, Any]]:
    """
    Return the means over pairs with the same season or light of the map and of the queries.

    :param tag: 'season' or 'light'; pairs of a drive without this tag are left out.
    """
    tags = [getattr(track.tags, tag) for track in evaluation.tracks]
    groups: dict[tuple[str, str], list[Figures]] = defaultdict(list)
    order = itertools.permutations(tags, 2)
    for (database, queries), pair in zip(order, evaluation.pairs):
        if database and queries:
            groups[database, queries].append(pair.figures)
    return [
        {'database': database, 'queries': queries, 'pairs': len(group), **_mean(group)}
        for (database, queries), group in groups.items()
    ]


def _mean(group: Sequence[Figures]) -> dict[str, Any]:
    return _with_intervals(Figures.mean(group))
