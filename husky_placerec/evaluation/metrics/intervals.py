"""
How sure a figure is: the bootstrap, over blocks of neighbouring queries.

Frames that follow each other see the same place and succeed or fail together, so to draw them one
by one would make every interval too narrow. Source: Politis and Romano, A Circular
Block-Resampling Procedure for Stationary Data, 1992; the length of a block by the usual rule, a
cube root.
"""

from __future__ import annotations

from collections.abc import Iterator
import hashlib

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
DRAWS = 1000
_BATCH = 1 << 22  # numbers at a time, so that 100,000 queries fit in memory


def draws(
    count: int, name: str = '', *, total: int = DRAWS, block: int | None = None
) -> Iterator[NDArray[np.float64]]:
    """
    Yield [b, Q] how often each of Q queries was drawn, `total` rows in all.

    :param name: seeds the draws; the same name and count give the same draws on any machine.
    :param block: neighbours that are drawn together; the cube root of Q by default.
    """
    length = block or max(1, round(count ** (1 / 3)))
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], 'big')
    rng = np.random.default_rng(seed)
    batch = max(1, _BATCH // max(count, 1))
    for first in range(0, total, batch):
        rows = min(batch, total - first)
        starts = rng.integers(count, size=(rows, -(-count // length)))
        yield _times(starts, length, count)


def _times(starts: NDArray[np.int64], length: int, count: int) -> NDArray[np.float64]:
    """Count the blocks over each query, in a ring: a sum over where they begin and end."""
    rows = np.arange(len(starts))[:, None] * count
    size = len(starts) * count
    begun = np.bincount((rows + starts).ravel(), minlength=size)
    ended = np.bincount((rows + (starts + length) % count).ravel(), minlength=size)
    change = (begun - ended).reshape(-1, count)
    wrapped = (starts + length >= count).sum(axis=1, keepdims=True)  # these began before query 0
    return (change.cumsum(axis=1) + wrapped).astype(np.float64)
