"""
Exact search of many queries at once, in memory that does not grow with the map.

It ranks as `PlaceMap.search`. An evaluation of tens of thousands of frames has no time to build
an index, or to loop over queries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import faiss
from husky_placerec.descriptor.fusion import turned_round
from husky_placerec.types import FloatArray
import numpy as np
from numpy.typing import NDArray

# Searched at a time: 60 MB of float32 for vectors of 1536 numbers.
QUERIES, PLACES = 512, 8192


@dataclass(frozen=True)
class Nearest:
    """
    The most similar places of Q queries, best first.

    :param places: [Q, K] int64; -1 where there are fewer places.
    :param similarities: [Q, K] float32, minus infinity where there is none.
    :param turned: [Q, K] bool, whether the place is passed in reverse.
    """

    places: NDArray[np.int64]
    similarities: NDArray[np.float32]
    turned: NDArray[np.bool_]


def search_exactly(
    queries: FloatArray,
    descriptors: FloatArray,
    count: int,
    opposites: Sequence[int] | None = None,
) -> Iterator[Nearest]:
    """
    Yield the `count` most similar places, for QUERIES queries at a time.

    The similarity is the mean cosine over the shared cameras.

    :param queries: [Q, C, D] of any float type, also memory-mapped; zeros for absent cameras.
    :param descriptors: [N, C, D] likewise.
    :param opposites: index of the opposite of each camera; then places passed in reverse are
        found too.
    """
    faiss.omp_set_num_threads(1)  # callers run in parallel, and the results stay bit-identical
    for first in range(0, len(queries), QUERIES):
        yield _search(
            np.asarray(queries[first : first + QUERIES], np.float32), descriptors, count, opposites
        )


def rival_similarities(
    queries: FloatArray,
    descriptors: FloatArray,
    positions: NDArray[np.floating],
    best: Nearest,
    apart_m: float,
    opposites: Sequence[int] | None = None,
) -> FloatArray:
    """
    Return [Q] the similarity of the best place that contradicts the first candidate of each query.

    It is that of `PlaceMap.rival`; minus infinity where nothing contradicts.

    :param queries: [Q, C, D] one block of `search_exactly`, whose result is `best`.
    :param positions: [N, 2] of the places, metres.
    :param apart_m: distance from which a place contradicts another.
    """
    ways = [queries] if opposites is None else [queries, turned_round(queries, opposites)]
    rivals = np.full(len(queries), -np.inf, np.float32)
    if not best.places.shape[1]:
        return rivals
    spots, turned = positions[best.places[:, 0]], best.turned[:, 0]
    for first in range(0, len(descriptors), PLACES):
        places = np.asarray(descriptors[first : first + PLACES], np.float32)
        there = positions[first : first + PLACES]
        near = np.linalg.norm(spots[:, None] - there, axis=-1) <= apart_m
        for way, vectors in enumerate(ways):
            similarity = _similarities(np.asarray(vectors, np.float32), places)
            similarity[near & (turned == bool(way))[:, None]] = -np.inf
            rivals = np.maximum(rivals, similarity.max(axis=1))
    return rivals


def _similarities(queries: FloatArray, places: FloatArray) -> FloatArray:
    """Return [Q, N] mean cosines over the shared cameras, minus infinity where none is."""
    shared = queries.any(axis=2).astype(np.float32) @ places.any(axis=2).T.astype(np.float32)
    cosines = _flat(queries) @ _flat(places).T
    return np.where(shared > 0, cosines / np.maximum(shared, 1), -np.inf).astype(np.float32)


def _search(
    queries: FloatArray, descriptors: FloatArray, count: int, opposites: Sequence[int] | None
) -> Nearest:
    ways = [queries]
    if opposites is not None:
        ways.append(turned_round(queries, opposites))
    best = _nothing(len(queries))
    for first in range(0, len(descriptors), PLACES):
        places = np.asarray(descriptors[first : first + PLACES], np.float32)
        for way, vectors in enumerate(ways):
            found = _by_cameras(vectors, places, count)
            turned = np.full(found.places.shape, bool(way))
            shifted = np.where(found.places < 0, -1, found.places + first)
            best = _best(best, Nearest(shifted, found.similarities, turned), count)
    width = min(count, len(descriptors))
    return _best(best, _nothing(len(queries), width), width)


def _by_cameras(queries: FloatArray, places: FloatArray, count: int) -> Nearest:
    """Search separately for each set of present cameras; mostly there is one set."""
    best = _nothing(len(queries))
    for query_cameras, query_rows in _groups(queries):
        found = _nothing(len(query_rows))
        for cameras, rows in _groups(places):
            shared = int((cameras & query_cameras).sum())
            if not shared:
                continue
            scores, columns = faiss.knn(
                _flat(queries[query_rows]),
                _flat(places[rows]),
                min(count, len(rows)),
                faiss.METRIC_INNER_PRODUCT,
            )
            turned = np.zeros(scores.shape, np.bool_)
            found = _best(
                found, Nearest(rows[columns], scores / np.float32(shared), turned), count
            )
        best = _placed(best, found, query_rows)
    return best


def _groups(
    descriptors: FloatArray,
) -> list[tuple[NDArray[np.bool_], NDArray[np.int64]]]:
    """Return each set of present cameras, and the rows with that set."""
    present = descriptors.any(axis=2)
    kinds, kind = np.unique(present, axis=0, return_inverse=True)
    return [(cameras, np.flatnonzero(kind.ravel() == i)) for i, cameras in enumerate(kinds)]


def _flat(descriptors: FloatArray) -> FloatArray:
    return np.ascontiguousarray(descriptors.reshape(len(descriptors), -1))


def _nothing(count: int, width: int = 0) -> Nearest:
    shape = count, width
    return Nearest(
        np.full(shape, -1, np.int64),
        np.full(shape, -np.inf, np.float32),
        np.zeros(shape, np.bool_),
    )


def _best(first: Nearest, second: Nearest, count: int) -> Nearest:
    """Merge two rankings; where similarities are equal, the first ranking comes first."""
    if not first.places.shape[1]:
        return second
    columns = [
        np.concatenate([getattr(first, name), getattr(second, name)], axis=1)
        for name in ('places', 'similarities', 'turned')
    ]
    order = np.argsort(-columns[1], axis=1, kind='stable')[:, :count]
    return Nearest(*(np.take_along_axis(column, order, axis=1) for column in columns))


def _placed(whole: Nearest, part: Nearest, rows: NDArray[np.int64]) -> Nearest:
    """Put the rankings of some queries into their rows."""
    if len(rows) == len(whole.places):
        return part
    width = max(whole.places.shape[1], part.places.shape[1])
    wide = _best(whole, _nothing(len(whole.places), width), width)
    for name in ('places', 'similarities', 'turned'):
        getattr(wide, name)[rows, : part.places.shape[1]] = getattr(part, name)
    return wide
