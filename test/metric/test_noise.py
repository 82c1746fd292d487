"""The noise of epipolar geometry, among wrong matches."""

from __future__ import annotations

from husky_placerec.metric.noise import epipolar_sigma, excess_of, gate_of, KEY_POINT_PX, MOST_PX
import numpy as np
import pytest


@pytest.mark.parametrize('sigma', [0.6, 1.2, 4.0, 8.0])
@pytest.mark.parametrize('wrong', [0.0, 0.4])
def test_noise_is_found_among_wrong_matches(sigma, wrong):
    rng = np.random.default_rng(0)
    errors = np.abs(rng.normal(0, sigma, 4000))
    errors = np.concatenate([errors, rng.uniform(0, 300, int(4000 * wrong / (1 - wrong)))])
    assert epipolar_sigma(errors) == pytest.approx(sigma, rel=0.15)


def test_too_few_matches_tell_nothing():
    assert np.isnan(epipolar_sigma(np.ones(10)))
    assert np.isnan(epipolar_sigma(np.full(1000, np.inf)))


def test_poses_that_fit_nothing_have_a_bounded_noise():
    assert epipolar_sigma(np.random.default_rng(0).uniform(0, 30, 1000)) <= MOST_PX


def test_gate_and_excess_follow_the_noise():
    assert gate_of(0.5) == 2.0
    assert gate_of(5.0) > 8.0
    assert excess_of(KEY_POINT_PX) == 0.0
    assert excess_of(5.0) == pytest.approx(4.85, abs=0.01)
