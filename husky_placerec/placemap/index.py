"""
The search index of a map: exhaustive for a small map, a shortlist for a large one.

An approximate index of fused descriptors finds frames that both cameras see again. It fails for a
query of one camera, and for a robot that faces the other way. So each view (one camera at one
place) is indexed separately. Each camera of the query looks up the most similar views of any
camera. The places of these views are then compared exactly with the query, by the descriptors of
the map. This answers every kind of query at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import faiss
from husky_placerec.placemap.index_plan import (
    FLAT,
    HNSW,
    IndexPlan,
    IVF_PLACES,
    IVF_SQ8,
    SQ8,
)
from husky_placerec.placemap.views import BLOCK, Comparison, Views
from husky_placerec.progress import Passing
from husky_placerec.types import FloatArray
import numpy as np
from numpy.typing import NDArray

TRAINING_VIEWS = 40  # per cluster; k-means needs at least 39
HNSW_LINKS = 24
HNSW_BUILDING = 80  # number of candidates while the graph is built


class SearchIndex(ABC):
    """Select places and compare them with a query."""

    plan: IndexPlan

    @abstractmethod
    def compare(
        self,
        query: FloatArray,
        without: NDArray[np.int64] | None = None,
        count: int = 1,
        *,
        each: bool = False,
    ) -> Comparison:
        """
        Compare a query with the selected places.

        :param query: [C, D], zeros for absent cameras.
        :param without: places to leave out.
        :param count: number of places that the caller wants.
        :param each: the caller wants the best place of each camera alone, too.
        """

    def elsewhere(
        self, found: Comparison, query: FloatArray, near: NDArray[np.int64]
    ) -> Comparison:
        """
        Compare the same query again, without some places.

        :param found: what `compare` returned for it.
        :param near: all places to leave out, those that `found` lacks included.
        """
        return self.compare(query, near, each=True)

    def by_each_camera(
        self, found: Comparison, query: FloatArray, without: NDArray[np.int64] | None
    ) -> Comparison:
        """
        Return a comparison that has the best place of each camera alone, too.

        :param found: what `compare` returned for the query without the same places.
        """
        return found


class ExhaustiveIndex(SearchIndex):
    """Compare a query with every place."""

    def __init__(self, views: Views) -> None:
        self.plan = IndexPlan(FLAT)
        self._views = views
        descriptors = np.asarray(views.descriptors, np.float32)
        self._rows = np.ascontiguousarray(descriptors.reshape(-1, descriptors.shape[2]))
        self._places = np.arange(len(descriptors), dtype=np.int64)

    def compare(
        self,
        query: FloatArray,
        without: NDArray[np.int64] | None = None,
        count: int = 1,
        *,
        each: bool = False,
    ) -> Comparison:
        """Compare a query with the selected places; see SearchIndex."""
        found = self._views.compare(query, self._places, self._rows)
        if without is None or not len(without):
            return found
        kept = np.ones(len(self._places), np.bool_)
        kept[without] = False
        return found.at(kept)

    def elsewhere(
        self, found: Comparison, query: FloatArray, near: NDArray[np.int64]
    ) -> Comparison:
        """Leave places out of the comparison with every place."""
        return found.at(~np.isin(found.places, near))


class ShortlistIndex(SearchIndex):
    """Compare a query with the places of the views that faiss finds."""

    def __init__(self, views: Views, plan: IndexPlan, index: faiss.Index) -> None:
        self.plan = plan
        self.faiss = index
        self._views = views

    def compare(
        self,
        query: FloatArray,
        without: NDArray[np.int64] | None = None,
        count: int = 1,
        *,
        each: bool = False,
    ) -> Comparison:
        """Compare a query with the selected places; see SearchIndex."""
        faiss.omp_set_num_threads(
            1
        )  # a setting per thread; more threads would wait for each other
        seen = query[query.any(axis=1)]
        whitening = self._views.whitening
        if whitening is not None:
            seen = whitening.whiten(seen)
        wanted = min(max(self.plan.shortlist, count), self.faiss.ntotal)
        rows = np.empty(0, np.int64)
        if len(seen):
            # The present cameras share the work of the absent ones.
            breadth = self.plan.breadth * len(query) // len(seen)
            options = search_options(self.plan.kind, breadth, wanted, self._selected(without))
            rows = self.faiss.search(np.ascontiguousarray(seen), wanted, params=options)[1]
        places = np.unique(self._views.places[rows[rows >= 0]])  # faiss pads with -1
        return self._views.compare(query, places)

    def _selected(self, without: NDArray[np.int64] | None) -> faiss.IDSelector | None:
        if without is None or not len(without):
            return None
        return selection(self.faiss.ntotal, self._views.rows_of(without))


def selection(count: int, without: NDArray[np.int64]) -> faiss.IDSelector:
    """Select all of `count` rows but some."""
    counts = np.ones(count, np.bool_)
    counts[without] = False
    bits = np.packbits(counts, bitorder='little')
    return faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg, arg-type]


def search_options(
    kind: str, breadth: int, wanted: int, selected: faiss.IDSelector | None
) -> faiss.SearchParameters:
    """
    Return how faiss searches an index of a kind.

    :param breadth: as in `IndexPlan`.
    :param wanted: number of rows.
    :param selected: rows that may be found; None: all.
    """
    chosen: dict[str, Any] = {} if selected is None else {'sel': selected}
    if kind == HNSW:
        chosen['efSearch'] = max(breadth, wanted)
        return faiss.SearchParametersHNSW(**chosen)  # type: ignore[attr-defined]
    if kind in (IVF_SQ8, IVF_PLACES):
        clusters = faiss.SearchParametersHNSW(efSearch=2 * breadth)  # type: ignore[attr-defined]
        chosen.update(nprobe=breadth, quantizer_params=clusters)
        return faiss.SearchParametersIVF(**chosen)
    return faiss.SearchParameters(**chosen)


def build_faiss(
    views: Views, plan: IndexPlan, progress: Passing = lambda items, _: items
) -> faiss.Index:
    """Index every view of a map; for any plan but flat."""
    faiss.omp_set_num_threads(1)
    size = views.descriptors.shape[2]
    index: Any = train_on(plan, size, lambda count: _sample(views, count))
    count = len(views.present)
    starts = range(0, count, BLOCK)
    for first in progress(starts, len(starts)):
        index.add(views.compared(first, min(first + BLOCK, count)))
    return index


def train_on(plan: IndexPlan, size: int, sample: Callable[[int], FloatArray]) -> faiss.Index:
    """
    Return an empty index of vectors of `size` numbers.

    :param sample: returns about so many vectors as it is asked for.
    """
    index: Any = faiss.index_factory(size, _factory(plan, size), faiss.METRIC_INNER_PRODUCT)
    if plan.kind == HNSW:
        index.hnsw.efConstruction = HNSW_BUILDING
    if plan.lists:  # a graph finds the nearest clusters in half the time
        clusters: Any = faiss.downcast_index(index.quantizer)
        clusters.hnsw.efConstruction = HNSW_BUILDING
    index.train(sample(max(plan.lists, 256) * TRAINING_VIEWS))
    return index


def _factory(plan: IndexPlan, size: int) -> str:
    clusters = f'IVF{plan.lists}_HNSW{HNSW_LINKS}'
    products = size // 2 if size % 2 == 0 else size
    return {
        SQ8: 'SQ8',
        HNSW: f'HNSW{HNSW_LINKS}_SQ8',
        IVF_SQ8: f'{clusters},SQ8',
        IVF_PLACES: f'{clusters},PQ{products}x4',
    }[plan.kind]


def _sample(views: Views, count: int) -> FloatArray:
    """Return about `count` views, spread over the map."""
    total = len(views.present)
    step = max(1, total * views.present.shape[1] // count)
    places = np.arange(0, total, step)
    return views.vectors(places)[views.present[places]]
