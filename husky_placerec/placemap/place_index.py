"""
The index of a very large map: whole places, by the main directions of their descriptors.

A query that is like no place finds its best one only by all of its cameras together: that place
is among the most similar views of none of them. So the views of a place are one vector here, and
a query is one vector for each way that the robot may face: with the cameras exchanged it asks for
places that are passed in reverse, and zeros stand for a camera that it lacks.

The vectors are projected to the directions in which the descriptors of the map have most of their
length, and pairs of their numbers are stored in 4 bits. So a cluster has a twentieth of the bytes
of whole descriptors, and tables in the registers of the processor give the products. What that
confuses, the exact comparison of the places that are found tells apart.

Sources: Jegou, Douze and Schmid, Product Quantization for Nearest Neighbor Search, PAMI 2011;
Andre, Kermarrec and Le Scouarnec, Cache Locality Is Not Enough: High-Performance Nearest Neighbor
Search with Product Quantization Fast Scan, VLDB 2015.
"""

from __future__ import annotations

from typing import Any

import faiss
from husky_placerec.descriptor.inner_products import inner_products
from husky_placerec.placemap.index import search_options, SearchIndex, selection, train_on
from husky_placerec.placemap.index_plan import IndexPlan, LEAST_BREADTH
from husky_placerec.placemap.views import BLOCK, Comparison, Views
from husky_placerec.progress import Passing
from husky_placerec.types import FloatArray
import numpy as np
from numpy.typing import NDArray

DIRECTIONS = 128  # numbers of a projected view
FITTED_PLACES = 5000  # that the directions are fitted to; more change them little
LEAST_SAMPLE = 16  # vectors that faiss needs for codes of 4 bits


class PlaceIndex(SearchIndex):
    """
    Compare a query with the places that faiss finds for all of its cameras together.

    :param index: as it is stored; it is arranged for the search here.
    :param directions: [P, D] that a descriptor is projected to.
    """

    def __init__(self, views: Views, plan: IndexPlan, index: Any, directions: FloatArray) -> None:
        self.plan = plan
        self.faiss: Any = faiss.IndexIVFPQFastScan(index)
        self._stored = index  # whose clusters are used
        self._views = views
        self._directions = np.ascontiguousarray(directions, np.float32)

    def compare(
        self,
        query: FloatArray,
        without: NDArray[np.int64] | None = None,
        count: int = 1,
        *,
        each: bool = False,
    ) -> Comparison:
        """Compare a query with the selected places; see SearchIndex."""
        faiss.omp_set_num_threads(1)
        there: NDArray[np.bool_] = np.asarray(query.any(axis=1))
        whitening = self._views.whitening
        seen = query if whitening is None else whitening.whiten(query)
        projected = inner_products(self._directions, seen) * there[:, None]
        selected = None
        if without is not None and len(without):
            selected = selection(self.faiss.ntotal, without)
        rows = [np.empty(0, np.int64)]
        if there.any():
            rows.append(self._found(projected, self.plan.breadth, count, selected))
        if each and there.sum() > 1:
            for camera in np.flatnonzero(there):
                alone = projected * (np.arange(len(query)) == camera)[:, None]
                rows.append(self._found(alone, LEAST_BREADTH, count, selected))
        found = np.concatenate(rows)
        return self._views.compare(query, np.unique(found[found >= 0]))  # faiss pads with -1

    def by_each_camera(
        self, found: Comparison, query: FloatArray, without: NDArray[np.int64] | None
    ) -> Comparison:
        """Compare the query again, with the places that each camera alone finds."""
        return self.compare(query, without, each=True)

    def _found(
        self,
        projected: FloatArray,
        breadth: int,
        count: int,
        selected: faiss.IDSelector | None,
    ) -> NDArray[np.int64]:
        """Return the most similar places each way, of cameras [C, P]."""
        ways = [projected]
        if self._views.opposites is not None:
            ways.append(projected[list(self._views.opposites)])
        asked = np.ascontiguousarray(np.stack(ways).reshape(len(ways), -1), np.float32)
        wanted = min(max(self.plan.shortlist, count), self.faiss.ntotal)
        options = search_options(self.plan.kind, breadth, wanted, selected)
        return np.asarray(self.faiss.search(asked, wanted, params=options)[1].ravel(), np.int64)


def build_places(
    views: Views, plan: IndexPlan, progress: Passing = lambda items, _: items
) -> tuple[faiss.Index, FloatArray]:
    """Index every place of a map, and return also the directions [P, D]."""
    faiss.omp_set_num_threads(1)
    directions = _main_directions(views)
    cameras = views.descriptors.shape[1]
    index: Any = train_on(
        plan, cameras * len(directions), lambda count: _sample(views, directions, count)
    )
    starts = range(0, len(views.present), BLOCK)
    for first in progress(starts, len(starts)):
        places = np.arange(first, min(first + BLOCK, len(views.present)))
        index.add(_projected(views, directions, places))
    return index, directions


def _main_directions(views: Views) -> FloatArray:
    """
    Return [P, D]: the directions of the largest second moments, which keep scalar products best.

    They are not centred: the mean of the descriptors counts in a scalar product, too.
    """
    places = np.arange(0, len(views.present), -(-len(views.present) // FITTED_PLACES))
    seen = views.vectors(places)[views.present[places]]
    _, directions = np.linalg.eigh(seen.T.astype(np.float64) @ seen)
    return np.ascontiguousarray(directions[:, ::-1][:, :DIRECTIONS].T, np.float32)


def _sample(views: Views, directions: FloatArray, count: int) -> FloatArray:
    """Return about `count` projected places, spread over the map."""
    places = np.arange(0, len(views.present), max(1, len(views.present) // count))
    blocks = [places[first : first + BLOCK] for first in range(0, len(places), BLOCK)]
    rows = np.concatenate([_projected(views, directions, block) for block in blocks])
    return np.resize(rows, (max(len(rows), LEAST_SAMPLE), rows.shape[1]))


def _projected(views: Views, directions: FloatArray, places: NDArray[np.int64]) -> FloatArray:
    """
    Return [K, C * P]: the vectors of some places.

    A place that lacks cameras has longer vectors of the others: its similarity is the mean over
    the cameras that it shares with a query, not over all.
    """
    present = views.present[places]
    shares = present.shape[1] / np.maximum(present.sum(axis=1), 1)
    projected = (views.vectors(places) @ directions.T) * (present * shares[:, None])[..., None]
    return np.ascontiguousarray(projected.reshape(len(places), -1), np.float32)
