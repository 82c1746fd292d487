"""Bundle adjustment: its derivatives, and what it recovers of poses and cameras."""

from __future__ import annotations

from husky_placerec.metric.adjustment_terms import OF_CAMERA, OF_POSE, Terms
from husky_placerec.metric.rig import tangents
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

PLACES = 4


@pytest.fixture
def terms():
    """Return observations of random landmarks among four places by two cameras."""
    rng = np.random.default_rng(0)
    count, landmarks = 40, 15
    landmark = rng.integers(0, landmarks, count)
    home = landmark % PLACES
    bearings = Rotation.from_euler('zy', rng.uniform(-0.4, 0.4, (count, 2))).apply([1.0, 0, 0])
    seen = Rotation.from_euler('zy', rng.uniform(-0.5, 0.5, (count, 2))).apply([1.0, 0, 0])
    return Terms(
        1 / rng.uniform(4, 30, landmarks),
        landmark,
        home,
        (home + rng.integers(1, PLACES, count)) % PLACES,
        rng.integers(0, 2, count),
        bearings,
        seen,
        tangents(seen),
        np.full(count, 340.0),
    )


def state():
    rng = np.random.default_rng(1)
    place = np.column_stack([np.arange(PLACES) * 1.0, rng.normal(0, 0.2, (PLACES, 2))])
    turned = Rotation.from_rotvec(rng.normal(0, 0.05, (PLACES, 3)))
    return place, turned, np.zeros((2, OF_CAMERA))


ORIGINS = np.array([[0.3, 0.0, 0.7], [0.2, 0.1, 0.5]])
AXES = np.array([[1.0, 0.0, 0.0], [0.98, 0.199, 0.0]])


def residuals(terms, place, turned, inverse, cameras):
    return terms.linearized(place, turned.as_matrix(), inverse, cameras, ORIGINS, AXES)


STEP = 1e-6


@pytest.mark.parametrize('column', range(2 * OF_POSE + OF_CAMERA))
def test_derivatives_are_those_of_the_residuals(terms, column):
    place, turned, cameras = state()
    before, slope, _ = residuals(terms, place, turned, terms.inverse, cameras)
    number = 3
    home, other, camera = terms.home[number], terms.other[number], terms.camera[number]
    step = np.zeros(6)
    step[column % OF_POSE] = STEP
    if column < 2 * OF_POSE:
        which = home if column < OF_POSE else other
        place = place.copy()
        place[which] += turned[which].apply(step[:3])
        turns = turned.as_matrix()
        turns[which] = turns[which] @ Rotation.from_rotvec(step[3:]).as_matrix()
        turned = Rotation.from_matrix(turns)
    else:
        cameras[camera, column - 2 * OF_POSE] = STEP
    after, _, _ = residuals(terms, place, turned, terms.inverse, cameras)
    found = (after[number] - before[number]) / STEP
    np.testing.assert_allclose(slope[number, :, column], found, rtol=1e-3, atol=0.02)


def test_derivatives_by_the_distance_are_those_of_the_residuals(terms):
    place, turned, cameras = state()
    before, _, deeper = residuals(terms, place, turned, terms.inverse, cameras)
    after, _, _ = residuals(terms, place, turned, terms.inverse + STEP, cameras)
    np.testing.assert_allclose(deeper, (after - before) / STEP, rtol=1e-3, atol=0.02)
