"""The fit of a logistic model: a minimum, with the signs that are known, near its prior."""

from __future__ import annotations

from husky_placerec.recognition.calibrating.logistic_fit import fit_weights
import numpy as np
import pytest

SIGNS = np.array([1.0, 1.0, -1.0])
PRIOR = np.array([0.5, 2.0, -1.0, 0.3])
STRENGTH = np.array([3.0, 3.0, 3.0, 1.0])


def data(count=200, weights=(1.5, 0.8, -2.0), bias=0.4, seed=0):
    rng = np.random.default_rng(seed)
    seen = rng.uniform(-1, 1, (count, 3))
    odds = seen @ np.array(weights) + bias
    return seen, rng.random(count) < 1 / (1 + np.exp(-odds)), rng.uniform(0.5, 2.0, count)


def loss(values, seen, true, weight, prior=PRIOR, strength=STRENGTH):
    odds = seen @ values[:-1] + values[-1]
    return weight @ np.logaddexp(0, np.where(true, -odds, odds)) + 0.5 * strength @ (
        np.square(values - prior)
    )


@pytest.mark.parametrize('seed', range(4))
def test_no_values_near_the_fitted_ones_have_a_smaller_loss(seed):
    seen, true, weight = data(seed=seed)
    found = fit_weights(seen, true, weight, SIGNS, PRIOR, STRENGTH)
    least = loss(found, seen, true, weight)
    for step in np.vstack([np.eye(4), np.random.default_rng(1).normal(size=(20, 4))]):
        for scale in (0.02, -0.02):
            assert loss(found + scale * step, seen, true, weight) > least


def test_evidence_that_seems_to_speak_the_wrong_way_has_no_weight():
    seen, true, weight = data(weights=(-3.0, 1.0, 3.0))
    free = np.zeros(4), np.zeros(4) + 1e-3
    found = fit_weights(seen, true, weight, SIGNS, *free)
    assert found[0] == found[2] == 0
    assert found[1] > 0.3
    turned = fit_weights(seen, true, weight, -SIGNS, *free)
    assert turned[0] < -1 and turned[2] > 1 and turned[1] == 0


def test_without_data_the_prior_is_kept():
    none = np.zeros((0, 3)), np.zeros(0, bool), np.zeros(0)
    assert fit_weights(*none, SIGNS, PRIOR, STRENGTH) == pytest.approx(PRIOR)
    wrong = np.array([-0.5, 2.0, 1.0, 0.3])  # is held to the signs
    assert fit_weights(*none, SIGNS, wrong, STRENGTH) == pytest.approx([0.0, 2.0, 0.0, 0.3])


def test_some_data_adjust_the_prior_and_much_data_replace_it():
    seen, true, weight = data(20_000)
    free = fit_weights(seen, true, weight, SIGNS, PRIOR, np.zeros(4))
    assert np.abs(free - PRIOR).min() > 0.05
    away = []
    for count in (20, 200, 20_000):
        part = seen[:count], true[:count], weight[:count]
        away.append(np.abs(fit_weights(*part, SIGNS, PRIOR, STRENGTH) - PRIOR))
    assert (away[0][:3] < away[2][:3]).all()  # the bias is held less than the weights
    assert away[2] == pytest.approx(np.abs(free - PRIOR), abs=0.02)


def test_the_stronger_the_prior_the_nearer_is_the_fit():
    some = data(50)
    far = [
        np.linalg.norm(fit_weights(*some, SIGNS, PRIOR, strength * STRENGTH) - PRIOR)
        for strength in (0.1, 1.0, 10.0, 1e4)
    ]
    assert far == sorted(far, reverse=True)
    assert far[-1] < 0.01 < far[0]


def test_a_sample_counts_by_its_weight():
    seen, true, _ = data(60)
    twice = np.vstack([seen, seen[:30]]), np.append(true, true[:30]), np.ones(90)
    heavy = seen, true, np.where(np.arange(60) < 30, 2.0, 1.0)
    expected = fit_weights(*twice, SIGNS, PRIOR, STRENGTH)
    assert fit_weights(*heavy, SIGNS, PRIOR, STRENGTH) == pytest.approx(expected, abs=1e-4)
