"""The patches of Patch-NetVLAD."""

from __future__ import annotations

from husky_placerec.descriptor.local.patch_netvlad import patch_vlads, PatchVocabulary
from husky_placerec.errors import InputError
import numpy as np
import pytest

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(6, 9, 8)).astype(np.float32)
CLUSTERS = RNG.normal(size=(4, 8), scale=0.05).astype(np.float32)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def pooled_directly(features, clusters, size):
    """Return what `patch_vlads` is to return, cell by cell."""
    cells = unit(features)
    rows = []
    for top in range(features.shape[0] - size + 1):
        for left in range(features.shape[1] - size + 1):
            vlad = np.zeros_like(clusters)
            for cell in cells[top : top + size, left : left + size].reshape(-1, 8):
                nearness = np.exp(-40.0 * np.square(cell - clusters).sum(axis=1))
                share = nearness / nearness.sum()
                vlad += share[:, None] * (cell - clusters)
            rows.append(unit(unit(vlad).ravel()))
    return np.array(rows)


@pytest.mark.parametrize('size', [1, 2, 5])
def test_integral_pooling_equals_direct_pooling(size):
    found = patch_vlads(FEATURES, CLUSTERS, size)
    assert found == pytest.approx(pooled_directly(FEATURES, CLUSTERS, size), abs=1e-4)


def test_a_vocabulary_is_the_same_each_time_and_describes_every_patch():
    maps = RNG.normal(size=(12, 6, 9, 8)).astype(np.float32)
    first, second = (PatchVocabulary.fit(maps, clusters=4, size=16) for _ in range(2))
    assert np.array_equal(first.axes, second.axes)
    described = first.describe(FEATURES)
    assert [each.shape for each in described] == [(5 * 8, 16), (4 * 7, 16), (2 * 5, 16)]
    for each in described:
        assert np.linalg.norm(each, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_too_few_images_and_too_large_patches_are_refused():
    maps = RNG.normal(size=(1, 6, 9, 8)).astype(np.float32)
    with pytest.raises(InputError, match='28 to fit 128 components; expected 256'):
        PatchVocabulary.fit(maps)
    with pytest.raises(InputError, match='patches of 7 cells; the grid has only 6x9'):
        PatchVocabulary.fit(maps, patches=(2, 7))
