"""The smaller space of local features, in which frequent directions weigh less."""

from __future__ import annotations

from husky_placerec.descriptor.local.basis import Basis
from husky_placerec.errors import InputError
import numpy as np
import pytest


def maps(images=24, channels=6, spread=(8.0, 4.0, 2.0, 1.0, 0.5, 0.0)):
    """Return [N, 5, 4, C] features whose directions vary by `spread`, turned at random."""
    rng = np.random.default_rng(0)
    turn, _ = np.linalg.qr(rng.normal(size=(channels, channels)))
    return 3.0 + (rng.normal(size=(images, 5, 4, channels)) * spread[:channels]) @ turn


def test_features_in_the_basis_are_centred_apart_and_half_whitened():
    features = maps()
    basis = Basis.fit(features, 4)
    assert (basis.mean.dtype, basis.axes.shape) == (np.float32, (6, 4))
    rows = features.reshape(-1, 6)
    values = (rows - basis.mean) @ basis.axes
    assert np.abs(values.mean(axis=0)).max() < 1e-4
    covariance = np.cov(values.T)
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 1e-3
    # Of a variance v remains its root: v / sqrt(v).
    variances = np.linalg.eigvalsh(np.cov(rows.T))[::-1][:4]
    assert np.diag(covariance) == pytest.approx(np.sqrt(variances), rel=1e-3)


def test_a_direction_that_never_changes_does_not_explode():
    basis = Basis.fit(maps(), 6)
    assert np.isfinite(basis.axes).all()
    # The least variance counts as a millionth of the largest.
    assert np.linalg.norm(basis.axes, axis=0).max() < 20.0


@pytest.mark.parametrize(('images', 'fits'), [(19, False), (20, True)])
def test_too_few_images_are_refused(images, fits):
    if fits:
        assert Basis.fit(maps(images), 4).axes.shape == (6, 4)
        return
    with pytest.raises(InputError, match='local features: 19 images to fit a basis; expected 20'):
        Basis.fit(maps(images), 4)


def test_too_few_channels_are_refused():
    with pytest.raises(InputError, match='local features: 6 channels; expected at least 7'):
        Basis.fit(maps(), 7)
    with pytest.raises(InputError, match='expected at least 32'):
        Basis.fit(maps())
