"""
Bootstrap samples of queries, for intervals of figures.

Neighbouring frames see the same place and succeed or fail together. Samples of single frames would
make every interval too narrow, so blocks of neighbours are drawn. Source: Politis and Romano (A
Circular Block-Resampling Procedure for Stationary Data, 1992). The length of a block is the cube
root of the number of queries, the usual rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
import hashlib

from husky_placerec.types import Floats, Indices
import numpy as np

CONFIDENCE = 0.95
DRAWS = 1000
BATCH = 1 << 21  # numbers at a time, so that 100,000 queries fit in memory


def draws(
    count: int, name: str = '', *, total: int = DRAWS, block: int | None = None
) -> Iterator[Floats]:
    """
    Yield [b, Q] how often each of Q queries was drawn, `total` rows in all.

    :param count: Q.
    :param name: seed; the same name and count give the same samples on every machine.
    :param block: length of a block; None: the cube root of Q.
    """
    length = block or max(1, round(count ** (1 / 3)))
    if total * count <= BATCH:  # most drives are so short; their samples are wanted for every map
        yield _few_draws(count, name, total, length)
        return
    rng = _generator(name)
    batch = max(1, BATCH // count)
    for first in range(0, total, batch):
        starts = rng.integers(count, size=(min(batch, total - first), -(-count // length)))
        yield _times(starts, length, count)


@lru_cache(maxsize=16)
def _few_draws(count: int, name: str, total: int, length: int) -> Floats:
    starts = _generator(name).integers(count, size=(total, -(-count // length)))
    return _times(starts, length, count)


def _generator(name: str) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], 'big'))


def _times(starts: Indices, length: int, count: int) -> Floats:
    """Count the blocks that cover each query of the ring, by the begins and ends of blocks."""
    rows = np.arange(len(starts))[:, None] * count
    size = len(starts) * count
    begun = np.bincount((rows + starts).ravel(), minlength=size)
    ended = np.bincount((rows + (starts + length) % count).ravel(), minlength=size)
    change = (begun - ended).reshape(-1, count)
    wrapped = (starts + length >= count).sum(axis=1, keepdims=True)  # they began before 0
    return (change.cumsum(axis=1) + wrapped).astype(np.float64)
