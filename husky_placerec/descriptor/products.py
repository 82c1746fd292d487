"""
Scalar products on one thread.

numpy hands these to a BLAS that starts threads of its own; on a busy machine they wait for one
another, 25 ms for what takes one.
"""

from __future__ import annotations

import faiss
from husky_placerec.types import FloatArray
import numpy as np

BLOCK_BYTES = 3 << 20  # of rows; stays in the cache while the next query goes over it


def inner_products(rows: FloatArray, queries: FloatArray) -> FloatArray:
    """
    Return [A, N]: the scalar product of each query with each row.

    The rows pass through the memory once, however many queries there are.

    :param rows: [N, D] float32, contiguous.
    :param queries: [A, D] float32.
    """
    queries = np.ascontiguousarray(queries, np.float32)
    count, size = rows.shape
    found = np.empty((len(queries), count), np.float32)
    step = max(1, BLOCK_BYTES // (4 * size))
    pointers = [faiss.swig_ptr(query) for query in queries]
    for begin in range(0, count, step):
        block = rows[begin : begin + step]
        for query, products in zip(pointers, found[:, begin : begin + step]):
            faiss.fvec_inner_products_ny(  # type: ignore[attr-defined]
                faiss.swig_ptr(products), query, faiss.swig_ptr(block), size, len(block)
            )
    return found
