"""
Descriptors of places that were never seen, as clustered as those of a real campus.

A town of streets that come in kinds; along a street the look changes smoothly; a drive adds its
own light and season to all it sees. Some drives go the other way: what is ahead of them was behind
the others. A view is a mixture of a few dozen features, and a little noise of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

FEATURES = 64
KINDS_OF_STREET = 300
STREET_PLACES = 40  # 200 m at 5 m a place
DRIVES = 5  # over each street
CHUNK = 50_000


@dataclass(frozen=True)
class Town:
    """
    A map and the frames of another drive.

    :param descriptors: [N, 2, D] float16, unit vectors of front and back.
    :param queries: [M, 2, D] float32, of a drive that is not in the map.
    """

    descriptors: np.ndarray
    queries: np.ndarray


def make_town(
    count: int, size: int, queries: int = 400, seed: int = 0, reversed_drives: int = 1
) -> Town:
    """
    Make `count` places with descriptors of `size` numbers a camera.

    :param reversed_drives: so many of the drives go the other way; without one, a query turned
        round is like nothing in the map.
    """
    rng = np.random.default_rng(seed)
    spots = -(-count // DRIVES)
    looks = _looks(rng, spots)  # [spots, 2 directions, FEATURES]
    mixing = rng.normal(size=(FEATURES, size)).astype(np.float32)
    mixing *= np.linspace(1.5, 0.3, FEATURES, dtype=np.float32)[:, None]
    offset = 0.5 * rng.normal(size=size).astype(np.float32)
    descriptors = np.empty((count, 2, size), np.float16)
    for first in range(0, count, CHUNK):
        index = np.arange(first, min(first + CHUNK, count))
        drive, spot = index // spots, index % spots
        views = _views(rng, looks[spot], drive)
        backwards = drive >= DRIVES - reversed_drives
        views[backwards] = views[backwards][:, ::-1]
        descriptors[index] = _described(rng, views, mixing, offset)
    where = rng.integers(0, spots - 1, queries)
    between = rng.random((queries, 1, 1), np.float32)
    seen = (1 - between) * looks[where] + between * looks[where + 1]
    views = _views(rng, seen, np.full(queries, DRIVES))
    return Town(descriptors, _described(rng, views, mixing, offset).astype(np.float32))


def _looks(rng: np.random.Generator, spots: int) -> np.ndarray:
    streets = -(-spots // STREET_PLACES)
    kinds = rng.normal(size=(KINDS_OF_STREET, FEATURES)).astype(np.float32)
    kind = kinds[rng.integers(0, KINDS_OF_STREET, streets)]
    street = kind + 0.5 * rng.normal(size=kind.shape).astype(np.float32)
    common = np.repeat(street, STREET_PLACES, axis=0)[:spots]
    looks = np.empty((spots, 2, FEATURES), np.float32)
    for direction in range(2):
        along = rng.normal(size=(spots, FEATURES)).astype(np.float32)
        along = gaussian_filter1d(along, 1.5, axis=0, mode='wrap')
        looks[:, direction] = common + 1.3 * along / along.std()
    return looks


def _views(rng: np.random.Generator, looks: np.ndarray, drive: np.ndarray) -> np.ndarray:
    """Return [n, 2, FEATURES]: each drive has its light, each view passers-by."""
    lights = 0.5 * np.random.default_rng(7).normal(size=(DRIVES + 1, FEATURES))
    own = 0.6 * rng.normal(size=looks.shape)
    return (looks + lights[drive][:, None] + own).astype(np.float32)


def _described(
    rng: np.random.Generator, views: np.ndarray, mixing: np.ndarray, offset: np.ndarray
) -> np.ndarray:
    vectors = views @ mixing + 8 * offset / np.sqrt(FEATURES)
    vectors += 2 * rng.standard_normal(vectors.shape, np.float32)
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors.astype(np.float16)
