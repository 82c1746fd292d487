"""
The choice of the search index: the simplest one that answers within the budget.

The costs are CPU times of one thread on a busy machine (AMD Zen 5), for a query with two cameras
in both directions (four half-products per place). `benchmarks/search.py` measures them.
"""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.errors import InputError

FLAT, SQ8, HNSW, IVF_SQ8, IVF_PLACES = 'flat', 'sq8', 'hnsw', 'ivf_sq8', 'ivf_places'
INDEX_KINDS = (FLAT, SQ8, HNSW, IVF_SQ8, IVF_PLACES)

BUDGET_MS = 5.0
# A frame needs three searches: the best place, rivals elsewhere, and rivals faced the other way.
# An exhaustive index has the budget for the three together.
LOOKUPS = 3
# Nanoseconds per number of the descriptors.
FLAT_NS = 0.30
SQ8_NS = 0.27
# With more views the graph of an HNSW takes too long to build, and too much memory.
HNSW_VIEWS = 200_000

SHORTLIST = 50
LEAST_BREADTH = 16


@dataclass(frozen=True)
class IndexPlan:
    """
    An index and how thoroughly it searches.

    :param kind: flat (every place, exactly), sq8 (every view, one byte per number), hnsw (a
        graph), ivf_sq8 (clusters of views), ivf_places (clusters of places, in few bits).
    :param shortlist: number of views per camera of the query whose places are compared exactly,
        or of places for each way to face; unused for flat.
    :param breadth: number of candidates of hnsw, or of clusters that are searched.
    :param lists: number of clusters; 0 without.
    """

    kind: str
    shortlist: int = 0
    breadth: int = 0
    lists: int = 0


def choose_index(places: int, cameras: int, size: int, kind: str | None = None) -> IndexPlan:
    """
    Plan the index of a map.

    :param size: numbers per camera.
    :param kind: one of INDEX_KINDS; None: chosen by the costs.
    :raises InputError: for an unknown kind.
    """
    kind = kind or _kind(places, cameras, size)
    if kind not in INDEX_KINDS:
        raise InputError(f'no index {kind!r}; there are: {", ".join(INDEX_KINDS)}')
    if kind == FLAT:
        return IndexPlan(FLAT)
    if kind == SQ8:
        return IndexPlan(SQ8, SHORTLIST)
    lists = {IVF_SQ8: _lists(places * cameras), IVF_PLACES: _lists(places)}.get(kind, 0)
    return IndexPlan(kind, SHORTLIST, LEAST_BREADTH, lists)


def _kind(places: int, cameras: int, size: int) -> str:
    numbers = places * cameras * size
    budget_ns = BUDGET_MS * 1e6 / LOOKUPS
    if numbers * FLAT_NS <= budget_ns:
        return FLAT
    if numbers * SQ8_NS <= budget_ns:
        return SQ8
    return HNSW if places * cameras <= HNSW_VIEWS else IVF_PLACES


def _lists(rows: int) -> int:
    """Return a power of two up to `6 * sqrt(rows)`, because k-means needs rows per cluster."""
    lists = 1
    while 2 * lists <= 6 * rows**0.5 and 80 * lists <= rows:
        lists *= 2
    return lists
