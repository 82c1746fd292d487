"""How well stated probabilities come true, and the recall at a precision."""

from __future__ import annotations

from husky_placerec.recognition.calibrating.reliability import recall_at, Reliability, upper_bound
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

NEEDS = ('hypothesis',)


def test_probabilities_that_come_true_have_no_calibration_error():
    rng = np.random.default_rng(1)
    said = rng.random(20_000)
    true = rng.random(20_000) < said
    assert Reliability.of(said, true).error < 0.02
    assert Reliability.of(np.ones(10), np.zeros(10, bool)).error == 1


def test_ten_bins_of_equal_width_have_their_means_and_shares():
    said = np.array([0.0, 0.05, 0.1, 0.19, 0.95, 1.0])
    true = np.array([False, True, False, True, True, True])
    weight = np.array([1.0, 3.0, 1.0, 1.0, 2.0, 2.0])
    found = Reliability.of(said, true, weight)
    assert len(found.mean) == 10
    filled = [0, 1, 9]
    assert found.weight[filled] == pytest.approx([0.4, 0.2, 0.4])
    assert found.mean[filled] == pytest.approx([3 * 0.05 / 4, 0.145, 0.975])
    assert found.share[filled] == pytest.approx([0.75, 0.5, 1.0])
    assert np.isnan(found.mean[2:9]).all()
    expected = 0.4 * (0.75 - 0.0375) + 0.2 * (0.5 - 0.145) + 0.4 * 0.025
    assert found.error == pytest.approx(expected)
    lines = found.as_json()
    assert [line['share'] for line in lines] == pytest.approx([0.4, 0.2, 0.4])
    assert lines[1] == pytest.approx({'said': 0.145, 'came_true': 0.5, 'share': 0.2})


def test_without_weights_all_count_alike():
    said, true = np.array([0.2, 0.25]), np.array([True, False])
    assert Reliability.of(said, true).error == pytest.approx(abs(0.225 - 0.5))


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1))
def test_the_weights_of_the_bins_add_up_to_one(said_and_true):
    said, true = map(np.array, zip(*said_and_true))
    found = Reliability.of(said, true)
    assert found.weight.sum() == pytest.approx(1)
    assert 0 <= found.error <= 1


def test_recall_at_a_precision_counts_what_retrieval_missed():
    score, true = np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, True, False, True])
    assert recall_at(1.0, score, true, known=5) == (2 / 5, 0.8)
    assert recall_at(0.75, score, true, known=5) == (3 / 5, 0.6)
    assert recall_at(1.0, score, np.zeros(4, bool), known=5) == (0.0, None)
    assert recall_at(1.0, score, true, known=0) == (0.0, None)


def test_the_order_of_the_frames_does_not_matter():
    score, true = np.array([0.6, 0.9, 0.7, 0.8]), np.array([True, True, False, True])
    assert recall_at(1.0, score, true, known=4) == (2 / 4, 0.8)


def test_frames_of_the_same_score_are_accepted_together():
    score, true = np.array([0.9, 0.8, 0.8, 0.7]), np.array([True, True, False, True])
    assert recall_at(1.0, score, true, known=4) == (1 / 4, 0.9)
    assert recall_at(2 / 3, score, true, known=4) == (3 / 4, 0.7)
    together = np.array([0.8, 0.8])
    assert recall_at(1.0, together, np.array([True, False]), known=2) == (0.0, None)
    assert recall_at(1.0, together, np.array([True, True]), known=2) == (1.0, 0.8)


def test_a_precision_that_is_regained_further_down_counts():
    score = np.linspace(0.9, 0.1, 10)
    true = np.arange(10) != 0
    assert recall_at(0.9, score, true, known=9) == (1.0, pytest.approx(0.1))
    assert recall_at(0.91, score, true, known=9) == (0.0, None)


@pytest.mark.parametrize(('events', 'trials'), [(0, 1000), (2, 10), (1, 3)])
def test_the_upper_bound_of_a_rate_leaves_five_percent(events, trials):
    """At the bound, so few events have a probability of 5 % (the definition)."""
    from scipy.stats import binom

    assert binom.cdf(events, trials, upper_bound(events, trials)) == pytest.approx(0.05)
    assert binom.cdf(events, trials, upper_bound(events, trials, 0.8)) == pytest.approx(0.2)


def test_without_any_error_the_rate_may_still_be_three_in_as_many():
    assert upper_bound(0, 1000) == pytest.approx(3 / 1000, rel=0.01)


def test_without_trials_or_with_events_alone_the_rate_may_be_one():
    assert upper_bound(0, 0) == upper_bound(3, 3) == 1.0
