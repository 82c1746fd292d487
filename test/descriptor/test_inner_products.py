"""Inner products by faiss: the pointers that they need, and their values."""

from __future__ import annotations

import faiss
from husky_placerec.descriptor.inner_products import inner_products
import numpy as np


def test_this_faiss_still_has_the_pointers_and_the_function():
    for name in ('swig_ptr', 'fvec_inner_products_ny'):
        assert hasattr(faiss, name), (
            f'faiss.{name} is gone: descriptor/inner_products.py needs another'
        )


def test_the_products_are_those_of_numpy():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(1000, 48)).astype(np.float32)
    queries = rng.normal(size=(3, 48)).astype(np.float32)
    np.testing.assert_allclose(inner_products(rows, queries), queries @ rows.T, atol=1e-4)
