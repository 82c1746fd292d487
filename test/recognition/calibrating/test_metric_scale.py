"""The factor of the standard deviations of poses by landmarks, by a drive with known poses."""

from __future__ import annotations

from types import SimpleNamespace

from husky_placerec.recognition.calibrating.metric_scale import metric_scale
import numpy as np
import pytest
from support.builders import planar

SIGMA_M = 0.02


def run(errors_m, solved=True, whole=True, itself=False, truth=planar(0.0)):
    """Make a run whose poses by landmarks have errors, and state SIGMA_M."""
    covariance = tuple((np.eye(6) * SIGMA_M**2).ravel())

    def result(x, y):
        found = SimpleNamespace(solved=solved, pose=planar(x, y), covariance=covariance)
        made = SimpleNamespace(metric_pose=found)
        made.again = lambda: made
        return made

    results = [result(*each) for each in errors_m]
    return SimpleNamespace(
        whole=whole,
        drive=SimpleNamespace(itself=itself),
        truths=[truth] * len(results),
        results=results,
    )


def drawn(sigma_m, count=400):
    return np.random.default_rng(0).normal(0, sigma_m, (count, 2))


@pytest.mark.parametrize('factor', [1.5, 3.0, 8.0])
def test_the_factor_is_that_of_true_to_stated_errors(factor):
    assert metric_scale([run(drawn(factor * SIGMA_M))]) == pytest.approx(factor, rel=0.1)


def test_no_drive_makes_stated_errors_smaller_and_none_makes_them_huge():
    assert metric_scale([run(drawn(0.1 * SIGMA_M))]) == 1.0
    assert metric_scale([run(drawn(0.9 / 3))]) <= 20.0


def test_mistakes_are_not_noise():
    errors = drawn(SIGMA_M)
    errors[:100] = 5.0, 0.0
    assert metric_scale([run(errors)]) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(
    'made',
    [
        run(drawn(1.0, 19)),
        run(drawn(0.1), solved=False),
        run(drawn(0.1), whole=False),
        run(drawn(0.1), itself=True),
        run(drawn(0.1), truth=None),
    ],
)
def test_too_few_frames_that_are_solved_on_the_map_tell_nothing(made):
    assert metric_scale([made]) == 1.0
