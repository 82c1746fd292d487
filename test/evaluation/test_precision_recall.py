"""Precision and recall over thresholds of similarity."""

from __future__ import annotations

from husky_placerec.evaluation.metrics import judge, precision_recall
import numpy as np
import pytest
from support.builders import planar
from support.judging import judged, MAP, random_judged

NEEDS = ('sklearn',)


def test_precision_and_recall_equal_a_count_at_every_threshold():
    found = random_judged()
    curve = precision_recall(found)
    assert 0 < found.right.sum() < found.on_map.sum() < len(found)
    for threshold, precision, recall in zip(curve.thresholds, curve.precision, curve.recall):
        accepted = found.similarity >= threshold
        assert precision == pytest.approx(found.right[accepted].mean())
        assert recall == pytest.approx(found.right[accepted].sum() / found.on_map.sum())
    steps = np.diff(np.append(curve.recall, 0))
    assert curve.average_precision == pytest.approx(-(steps * curve.precision).sum())


def test_recall_at_full_precision_counts_until_the_first_mistake():
    right, wrong = planar(0), planar(70)
    scored = [(0.9, right), (0.8, right), (0.7, wrong), (0.6, right)]
    items = [judged(planar(0), pose, similarity=s) for s, pose in scored]
    curve = precision_recall(judge(*zip(*items), MAP))
    assert curve.full_precision_recall == 2 / 4
    assert curve.full_precision_threshold == 0.8
    assert curve.average_precision == pytest.approx((1 + 1 + 3 / 4) / 4)


@pytest.mark.parametrize('pose', [planar(70), None])
def test_when_nothing_is_right_there_is_no_threshold(pose):
    items = [judged(planar(0), *filter(None, [pose]))]
    assert precision_recall(judge(*zip(*items), MAP)).as_dict() == {
        'average_precision': 0.0,
        'recall_at_full_precision': 0.0,
        'full_precision_similarity': None,
    }


def test_an_accepted_unknown_place_lowers_the_precision_at_every_threshold():
    items = [
        judged(planar(0), planar(0), similarity=0.8),
        judged(planar(900), planar(0), similarity=0.9),
    ]
    assert precision_recall(judge(*zip(*items), MAP)).full_precision_recall == 0
