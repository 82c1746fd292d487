"""
How sure a figure is: the bootstrap, over blocks of neighbouring queries.

Frames that follow each other see the same place and succeed or fail together, so to draw them one
by one would make every interval too narrow. Source: Politis and Romano, A Circular
Block-Resampling Procedure for Stationary Data, 1992; the length of a block by the usual rule, a
cube root.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
import hashlib

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
DRAWS = 1000
_BATCH = 1 << 21  # numbers at a time, so that 100,000 queries fit in memory


def draws(
    count: int, name: str = '', *, total: int = DRAWS, block: int | None = None
) -> Iterator[NDArray[np.float64]]:
    """
    Yield [b, Q] how often each of Q queries was drawn, `total` rows in all.

    :param name: seeds the draws; the same name and count give the same draws on any machine.
    :param block: neighbours that are drawn together; the cube root of Q by default.
    """
    length = block or max(1, round(count ** (1 / 3)))
    if total * count <= _BATCH:  # as short as most drives are, and then wanted for every map
        yield _few_draws(count, name, total, length)
        return
    rng = _generator(name)
    batch = max(1, _BATCH // count)
    for first in range(0, total, batch):
        starts = rng.integers(count, size=(min(batch, total - first), -(-count // length)))
        yield _times(starts, length, count)


@lru_cache(maxsize=16)
def _few_draws(count: int, name: str, total: int, length: int) -> NDArray[np.float64]:
    starts = _generator(name).integers(count, size=(total, -(-count // length)))
    return _times(starts, length, count)


def _generator(name: str) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], 'big'))


def _times(starts: NDArray[np.int64], length: int, count: int) -> NDArray[np.float64]:
    """Count the blocks over each query, in a ring: a sum over where they begin and end."""
    rows = np.arange(len(starts))[:, None] * count
    size = len(starts) * count
    begun = np.bincount((rows + starts).ravel(), minlength=size)
    ended = np.bincount((rows + (starts + length) % count).ravel(), minlength=size)
    change = (begun - ended).reshape(-1, count)
    wrapped = (starts + length >= count).sum(axis=1, keepdims=True)  # these began before query 0
    return (change.cumsum(axis=1) + wrapped).astype(np.float64)
