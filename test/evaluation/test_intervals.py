"""Intervals of figures by the bootstrap, and means over pairs."""

from __future__ import annotations

from husky_placerec.evaluation.metrics import Figures, judge
from husky_placerec.evaluation.metrics.intervals import draws
import numpy as np
import pytest
import scipy.stats
from support.builders import planar
from support.judging import judged, MAP, random_judged


def test_intervals_agree_with_scipy_where_queries_are_drawn_singly():
    hits = np.random.default_rng(5).random(400) < 0.7
    rows = np.concatenate(list(draws(len(hits), 'a drive', block=1)))
    assert (rows.sum(axis=1) == len(hits)).all()
    ours = np.percentile(rows @ hits / len(hits), [2.5, 97.5])
    theirs = scipy.stats.bootstrap((hits,), np.mean, method='percentile', rng=1, n_resamples=2000)
    assert ours == pytest.approx([*theirs.confidence_interval], abs=0.01)


def test_blocks_are_runs_in_a_ring():
    (rows,) = draws(7, 'a drive', total=500, block=3)
    assert (rows.sum(axis=1) == 9).all()  # three runs of three
    starts = np.random.default_rng(0).integers(7, size=(500, 3))
    anew = np.zeros((500, 7))
    for row, first in zip(anew, starts):
        for start in first:
            row[[(start + i) % 7 for i in range(3)]] += 1
    assert set(np.unique(rows)) == set(np.unique(anew))
    assert rows.mean(axis=0) == pytest.approx(np.full(7, 9 / 7), abs=0.15)


def test_frames_that_fail_together_widen_the_interval():
    alternating = np.arange(1000) % 2
    in_runs = np.arange(1000) // 50 % 2
    widths = []
    for hits in (alternating, in_runs):
        shares = np.concatenate([rows @ hits / rows.sum(axis=1) for rows in draws(1000)])
        widths.append(np.ptp(np.percentile(shares, [2.5, 97.5])))
    assert widths[1] > 3 * widths[0]


def test_the_same_drive_has_the_same_interval():
    found = random_judged()
    first, second, other = (Figures.of(found, name) for name in ('a', 'a', 'b'))
    key = 'recall', '5', '1'
    assert first.interval(key) == second.interval(key) != other.interval(key)
    low, high = first.interval(key)
    assert low < first[key] < high


def test_the_mean_over_pairs_leaves_out_pairs_without_a_count():
    near = Figures.of(judge(*zip(judged(planar(0), planar(0))), MAP))
    far = Figures.of(judge(*zip(judged(planar(0, 20), planar(0))), MAP))
    mean = Figures.mean([near, far])
    assert far['recall', '5', '1'] is None
    assert mean['recall', '5', '1'] == 1
    assert mean['mean_top1_distance_m',] == 10
    assert mean.interval(('recall', '5', '1')) == [1, 1]
