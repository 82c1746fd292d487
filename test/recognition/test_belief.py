"""The belief: its weights add up to 1, whatever is merged or dropped."""

from __future__ import annotations

from husky_placerec.recognition.belief import Belief, merge_states
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

NEEDS = ('hypothesis',)

WEIGHT = st.floats(1e-6, 1.0)


def made(weights, elsewhere, off_map):
    count = len(weights)
    places = 3 * np.arange(count)
    return Belief(
        places, places % 2 == 1, np.array(weights), 10.0 + np.arange(count), elsewhere, off_map
    )


def test_the_prior_has_no_states():
    prior = Belief.prior(0.3)
    assert (prior.elsewhere, prior.off_map, prior.total) == (0.7, 0.3, 1.0)
    columns = prior.places, prior.reverse, prior.weights, prior.proofs
    assert [len(column) for column in columns] == [0] * 4
    assert [column.dtype for column in columns] == [np.int64, np.bool_, np.float64, np.float64]


def test_the_total_is_of_all_weights():
    assert made([0.5, 0.25], 2.0, 4.0).total == 6.75


def test_the_likeliest_states_are_kept_and_the_others_are_elsewhere():
    reduced = made([0.2, 0.6, 0.4], 0.5, 0.3).reduced(2)  # the total is 2
    assert reduced.places.tolist() == [3, 6]
    assert reduced.reverse.tolist() == [True, False]
    assert reduced.proofs.tolist() == [11.0, 12.0]
    assert reduced.weights == pytest.approx([0.3, 0.2])
    assert reduced.elsewhere == pytest.approx((0.5 + 0.2) / 2)
    assert reduced.off_map == pytest.approx(0.15)


def test_of_equally_likely_states_the_first_are_kept():
    assert made([0.1, 0.1, 0.1], 0.5, 0.2).reduced(2).places.tolist() == [0, 3]


@given(st.lists(WEIGHT, max_size=8), WEIGHT, WEIGHT, st.integers(1, 8))
def test_a_reduced_belief_adds_up_to_one(weights, elsewhere, off_map, most):
    before = made(weights, elsewhere, off_map)
    after = before.reduced(most)
    assert after.total == pytest.approx(1)
    assert len(after.weights) == min(most, len(weights))
    dropped = np.setdiff1d(before.places, after.places)
    kept = before.weights[np.isin(before.places, after.places)]
    assert before.weights[dropped // 3].max(initial=0.0) <= kept.min(initial=np.inf)


def test_equal_states_become_one_with_the_sum_of_weights_and_the_mean_proof():
    places, reverse, weights, proofs = merge_states(
        np.array([4, 4, 2, 4]),
        np.array([False, True, False, False]),
        np.array([1.0, 2.0, 4.0, 3.0]),
        np.array([10.0, 20.0, 5.0, 30.0]),
    )
    assert list(zip(places.tolist(), reverse.tolist())) == [(2, False), (4, False), (4, True)]
    assert weights.tolist() == [4.0, 4.0, 2.0]
    assert proofs.tolist() == [5.0, (1 * 10 + 3 * 30) / 4, 20.0]


def test_a_state_without_weight_has_no_proof():
    *_, weights, proofs = merge_states(
        np.array([4]), np.array([False]), np.array([0.0]), np.array([7.0])
    )
    assert (weights.tolist(), proofs.tolist()) == ([0.0], [0.0])
