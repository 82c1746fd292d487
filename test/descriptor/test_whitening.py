"""Whitening: what all views share counts less, and raw descriptors are compared through it."""

from __future__ import annotations

from husky_placerec.descriptor.fusion import normalize
from husky_placerec.descriptor.whitening import Whitening
import numpy as np
import pytest
from support.builders import random_descriptors

SIZE = 12


def correlated(count, seed=0):
    """Make unit vectors that differ much in few directions and little in the others."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(9).normal(size=(SIZE, SIZE))
    mixing *= np.geomspace(3, 0.1, SIZE)[:, None]
    return normalize((rng.normal(size=(count, SIZE)) @ mixing + 1).astype(np.float32))


@pytest.fixture(scope='module')
def whitening():
    return Whitening.fit(correlated(2000))


def spread(vectors):
    """Return the largest over the smallest variance in any direction."""
    powers = np.linalg.eigvalsh(np.cov(vectors.T))
    return powers[-1] / powers[0]


def test_whitened_views_differ_in_all_directions_more_evenly(whitening):
    fresh = correlated(2000, seed=1)
    assert spread(whitening.whiten(fresh)) < spread(fresh) / 20


def test_it_is_symmetric_and_finite_even_of_few_views():
    for count in (1, 2, 5):
        matrix = Whitening.fit(correlated(count)).matrix
        np.testing.assert_allclose(matrix, matrix.T, atol=1e-6)
        assert np.isfinite(matrix).all()


def test_few_views_are_whitened_less_than_many():
    def unevenness(count):
        powers = np.linalg.eigvalsh(Whitening.fit(correlated(count)).matrix)
        return powers[-1] / powers[0]

    assert unevenness(3) < unevenness(30) <= unevenness(3000)


def test_each_camera_is_of_unit_length_again_and_an_absent_one_stays_zero(whitening):
    present = np.array([[True, True], [True, False], [False, False]])
    descriptors = random_descriptors(np.random.default_rng(0), present, SIZE)
    whitened = whitening.whiten(descriptors)
    np.testing.assert_allclose(np.linalg.norm(whitened, axis=2), present, atol=1e-6)
    assert (whitened[~present] == 0).all()


def test_cameras_may_be_exchanged_before_or_after(whitening):
    descriptors = random_descriptors(np.random.default_rng(0), np.ones((4, 2), bool), SIZE)
    np.testing.assert_array_equal(
        whitening.whiten(descriptors)[:, ::-1], whitening.whiten(descriptors[:, ::-1])
    )


def test_a_raw_descriptor_is_compared_as_if_it_were_whitened(whitening):
    raw, queries = correlated(50, seed=2), correlated(3, seed=3)
    queries[1] = 0
    direction, offset = whitening.probe(queries)
    found = (raw @ direction.T - offset) / whitening.lengths(raw)[:, None]
    expected = whitening.whiten(raw) @ whitening.whiten(queries).T
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert (found[:, 1] == 0).all()
