"""The logistic model: the odds of bounded evidence, and what is refused as a model."""

from __future__ import annotations

from husky_placerec.recognition.logistic import bounded, Logistic
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

NEEDS = ('hypothesis',)


def logistic(**changes):
    values = {
        'names': ['a', 'b'],
        'mean': [0.0, 1.0],
        'scale': [1.0, 2.0],
        'weights': [3.0, 0.0],
        'bias': 0.5,
        'prior': 0.5,
    }
    return Logistic.from_json({**values, **changes})


@given(st.floats(-50, 50), st.floats(-50, 50))
def test_the_log_odds_are_the_weighted_sum_of_bounded_evidence(first, second):
    model = logistic(weights=[3.0, -2.0], prior=0.25)
    expected = 0.5 + 3 * np.tanh(first) - 2 * np.tanh((second - 1) / 2)
    evidence = np.array([first, second])
    assert model.log_odds(evidence) == pytest.approx(expected)
    assert model.log_ratio(evidence) == pytest.approx(expected - 0.25)
    assert model.probability(evidence) == pytest.approx(np.exp(expected) / (1 + np.exp(expected)))
    assert np.abs(bounded(evidence, model.mean, model.scale)).max() <= 1


def test_a_likelihood_ratio_is_the_odds_beyond_the_prior():
    model = logistic()
    assert model.log_ratio(np.array([0.0, 7.0])) == 0
    assert model.probability(np.array([0.0, 1.0])) == pytest.approx(1 / (1 + np.exp(-0.5)))
    assert model.against(np.array([-1.0, 1.0])) == pytest.approx({'a': 3 * np.tanh(1), 'b': 0})


def test_evidence_beyond_what_is_usual_says_no_more():
    model = logistic()
    bounds = model.log_ratio(np.array([[-1e6, 1.0], [1e6, 1.0]]))
    assert bounds == pytest.approx([-3.0, 3.0])
    assert model.against(np.array([-1e6, 1.0]))['a'] == pytest.approx(3.0)


def test_a_model_comes_back_as_it_was():
    model = logistic(weights=[3.0, -2.0], bias=0.25)
    assert Logistic.from_json(model.as_json()).as_json() == model.as_json()
    assert model.as_json()['names'] == ['a', 'b']


@pytest.mark.parametrize(
    ('wrong', 'words'),
    [
        ({'scale': [1.0, 0.0]}, 'scales above 0'),
        ({'scale': [1.0, -1.0]}, 'scales above 0'),
        ({'scale': [1.0]}, 'scale: expected 2'),
        ({'mean': [0.0]}, 'mean: expected 2'),
        ({'mean': [0.0, np.inf]}, 'mean: expected 2'),
        ({'weights': [np.nan, 0.0]}, 'weights: expected 2'),
        ({'bias': np.nan}, 'expected finite'),
        ({'prior': np.inf}, 'expected finite'),
    ],
)
def test_a_model_that_cannot_be_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        logistic(**wrong)
