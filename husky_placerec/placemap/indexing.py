"""Building and tuning of the search index of a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
import time

import faiss
from husky_placerec.placemap.best_similarities import best_similarities
from husky_placerec.placemap.index import (
    build_faiss,
    ExhaustiveIndex,
    SearchIndex,
    ShortlistIndex,
)
from husky_placerec.placemap.index_plan import (
    BUDGET_MS,
    choose_index,
    FLAT,
    HNSW,
    IndexPlan,
    IVF_PLACES,
    IVF_SQ8,
)
from husky_placerec.placemap.place_index import build_places, PlaceIndex
from husky_placerec.placemap.query_kinds import QueryKind
from husky_placerec.placemap.views import Views
from husky_placerec.progress import Passing
from husky_placerec.types import FloatArray
import numpy as np
from numpy.typing import NDArray

QUERIES = 200
ENOUGH_RECALL = 0.995  # of the worst kind of query, with a reserve over the promised 0.99
LEAST_RECALL = 0.99  # where places as a whole do not reach it, their views may
SAME = 1e-5  # difference of equal similarities that were summed in another order


@dataclass(frozen=True)
class IndexReport:
    """
    The measured quality of an index.

    :param recall: share of the queries of each kind for which it finds the best place; empty for a
        map of one place.
    :param queries: number of queries of each kind.
    :param cpu_ms: median time of a query of the slowest kind, on one thread.
    """

    recall: dict[str, float]
    queries: int
    cpu_ms: float


@dataclass(frozen=True, eq=False)
class BuiltIndex:
    """
    An index as a map stores it; of a flat one only the report is stored.

    :param file: from which faiss read it. Faiss cannot write a memory-mapped index again, so that
        the file is copied instead.
    :param directions: [P, D] of `PlaceIndex`; None for the other kinds.
    """

    plan: IndexPlan
    report: IndexReport
    faiss: faiss.Index | None = None
    file: Path | None = None
    directions: FloatArray | None = None

    def searching(self, views: Views) -> SearchIndex:
        """Return the search of some views by this index."""
        if self.faiss is None:
            return ExhaustiveIndex(views)
        if self.directions is not None:
            return PlaceIndex(views, self.plan, self.faiss, self.directions)
        return ShortlistIndex(views, self.plan, self.faiss)


def build_index(
    views: Views,
    kinds: Sequence[QueryKind],
    kind: str | None = None,
    progress: Passing = lambda items, _: items,
) -> BuiltIndex:
    """
    Build and measure the index of a map.

    The queries of the measurement are places of the map; each is left out of its own search.

    :param kind: one of INDEX_KINDS; None: chosen by the size of the map.
    :raises InputError: for an unknown kind.
    """
    places, cameras, size = views.descriptors.shape
    plan = choose_index(places, cameras, size, kind)
    made = _built(views, kinds, plan, progress)
    if kind is None and plan.kind == IVF_PLACES and _worst(made.report) < LEAST_RECALL:
        other = choose_index(places, cameras, size, IVF_SQ8)
        by_views = _built(views, kinds, other, progress)
        made = max(made, by_views, key=lambda index: _worst(index.report))
    return made


def _built(
    views: Views, kinds: Sequence[QueryKind], plan: IndexPlan, progress: Passing
) -> BuiltIndex:
    index = BuiltIndex(plan, IndexReport({}, 0, 0.0))
    if plan.kind == IVF_PLACES:
        found, directions = build_places(views, plan, progress)
        index = replace(index, faiss=found, directions=directions)
    elif plan.kind != FLAT:
        index = replace(index, faiss=build_faiss(views, plan, progress))
    return tune(views, kinds, index)


def tune(views: Views, kinds: Sequence[QueryKind], index: BuiltIndex) -> BuiltIndex:
    """Widen the search of an index until its recall suffices or it is too slow; measure it."""
    trial = _Trial.make(views, kinds)
    index = trial.measured(index)
    while _worst(index.report) < ENOUGH_RECALL:
        wider = [
            trial.measured(replace(index, plan=plan))
            for plan in _wider(index.plan, len(views.places))
        ]
        affordable = [each for each in wider if each.report.cpu_ms <= BUDGET_MS]
        if not affordable:
            break
        index = max(affordable, key=lambda each: (_worst(each.report), -each.report.cpu_ms))
    return index


def _worst(report: IndexReport) -> float:
    return min(report.recall.values(), default=1)


def _wider(plan: IndexPlan, views: int) -> list[IndexPlan]:
    """Return plans that search the same index more thoroughly."""
    found = []
    if plan.kind != FLAT and plan.shortlist < views:
        found.append(replace(plan, shortlist=2 * plan.shortlist))
    if plan.kind == HNSW and plan.breadth < views:
        found.append(replace(plan, breadth=2 * plan.breadth))
    if plan.breadth < plan.lists:
        found.append(replace(plan, breadth=2 * plan.breadth))
    return found


@dataclass(frozen=True, eq=False)
class _Trial:
    """Queries with the known best similarity [kinds, M] of each kind."""

    views: Views
    kinds: Sequence[QueryKind]
    asked: NDArray[np.int64]
    queries: FloatArray
    best: FloatArray

    @classmethod
    def make(cls, views: Views, kinds: Sequence[QueryKind]) -> _Trial:
        chosen = np.random.default_rng(0).permutation(len(views.present))[:QUERIES]
        asked = np.sort(chosen).astype(np.int64)
        queries = views.as_queries(asked)
        best = best_similarities(views, queries, kinds, asked)
        return cls(views, kinds, asked, queries, best)

    def measured(self, built: BuiltIndex) -> BuiltIndex:
        index = built.searching(self.views)
        recall, times_ms = {}, [0.0]
        for kind, expected in zip(self.kinds, self.best):
            found = np.full(len(self.queries), -np.inf)
            spent = np.zeros(len(self.queries))
            for i, query in enumerate(self.queries):
                began = time.thread_time()
                seen = index.compare(query * kind.there[:, None])
                similarities = seen.similarities(kind.partners)
                spent[i] = (time.thread_time() - began) * 1000
                found[i] = similarities[seen.places != self.asked[i]].max(initial=-np.inf)
            times_ms.append(float(np.median(spent)))
            there = np.isfinite(expected)
            if there.any():
                recall[kind.name] = float((found >= expected - SAME)[there].mean())
        report = IndexReport(recall, len(self.queries), max(times_ms))
        return replace(built, report=report)
