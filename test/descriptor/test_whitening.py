"""Whitening: it evens out the variances, and raw descriptors are compared in its space."""

from __future__ import annotations

import sys

from husky_placerec.descriptor.fusion import normalize
from husky_placerec.descriptor.whitening import Whitening
from husky_placerec.errors import InputError
import numpy as np
import pytest
from support.builders import random_descriptors

NEEDS = ('sklearn',)

SIZE = 12


def correlated(count, seed=0):
    """Make unit vectors that differ a lot in few directions and little in the others."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(9).normal(size=(SIZE, SIZE))
    mixing *= np.geomspace(3, 0.1, SIZE)[:, None]
    return normalize((rng.normal(size=(count, SIZE)) @ mixing + 1).astype(np.float32))


@pytest.fixture(scope='module')
def whitening():
    return Whitening.fit(correlated(2000))


def spread(vectors):
    """Return the ratio of the largest to the smallest variance of any direction."""
    variances = np.linalg.eigvalsh(np.cov(vectors.T))
    return variances[-1] / variances[0]


def test_whitened_vectors_have_more_even_variances(whitening):
    fresh = correlated(2000, seed=1)
    assert spread(whitening.whiten(fresh)) < spread(fresh) / 20


@pytest.mark.filterwarnings('ignore:Only one sample available')
def test_it_is_symmetric_and_finite_even_of_few_vectors():
    for count in (1, 2, 5):
        matrix = Whitening.fit(correlated(count)).matrix
        np.testing.assert_allclose(matrix, matrix.T, atol=1e-6)
        assert np.isfinite(matrix).all()


def test_few_vectors_are_whitened_less_than_many():
    def unevenness(count):
        scales = np.linalg.eigvalsh(Whitening.fit(correlated(count)).matrix)
        return scales[-1] / scales[0]

    assert unevenness(3) < unevenness(30) <= unevenness(3000)


def test_many_vectors_are_whitened_by_their_covariance_shrunk_by_the_least_amount(whitening):
    vectors = correlated(2000).astype(np.float64)
    covariance = np.cov(vectors.T, bias=True)
    shrunk = 0.9 * covariance + 0.1 * np.trace(covariance) / SIZE * np.eye(SIZE)
    product = whitening.matrix.astype(np.float64) @ shrunk @ whitening.matrix
    np.testing.assert_allclose(product / product[0, 0], np.eye(SIZE), atol=1e-5)
    np.testing.assert_allclose(whitening.mean, vectors.mean(axis=0), atol=1e-6)


def test_only_fitting_needs_scikit_learn_and_its_error_says_how_to_install_it(
    whitening, monkeypatch
):
    monkeypatch.setitem(sys.modules, 'sklearn.covariance', None)
    with pytest.raises(InputError, match=r'pip install husky_placerec\[report\]'):
        Whitening.fit(correlated(5))
    assert whitening.whiten(correlated(5)).any()


def test_each_camera_has_unit_length_and_an_absent_one_stays_zero(whitening):
    present = np.array([[True, True], [True, False], [False, False]])
    descriptors = random_descriptors(np.random.default_rng(0), present, SIZE)
    whitened = whitening.whiten(descriptors)
    np.testing.assert_allclose(np.linalg.norm(whitened, axis=2), present, atol=1e-6)
    assert (whitened[~present] == 0).all()


def test_cameras_can_be_swapped_before_or_after(whitening):
    descriptors = random_descriptors(np.random.default_rng(0), np.ones((4, 2), bool), SIZE)
    np.testing.assert_array_equal(
        whitening.whiten(descriptors)[:, ::-1], whitening.whiten(descriptors[:, ::-1])
    )


def test_a_raw_descriptor_is_compared_as_if_it_were_whitened(whitening):
    raw, queries = correlated(50, seed=2), correlated(3, seed=3)
    queries[1] = 0
    direction, offset = whitening.query_directions(queries)
    found = (raw @ direction.T - offset) / whitening.lengths(raw)[:, None]
    expected = whitening.whiten(raw) @ whitening.whiten(queries).T
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert (found[:, 1] == 0).all()
