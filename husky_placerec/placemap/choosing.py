"""
Which index a map gets: the simplest that answers within the budget, by the size of the map.

The costs are CPU times on one thread of a busy machine (AMD Zen 5), of a query with two cameras in
both directions: four half-products a place. `benchmarks/search.py` measures them.
"""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.errors import InputError

FLAT, SQ8, HNSW, IVF_SQ8 = 'flat', 'sq8', 'hnsw', 'ivf_sq8'
INDEX_KINDS = (FLAT, SQ8, HNSW, IVF_SQ8)

BUDGET_MS = 5.0
# A frame is looked up for the best place, for rivals elsewhere, and for rivals faced the other
# way. What goes through all places has the budget for the three together.
LOOKUPS = 3
# Nanoseconds for each number that a map's descriptors have.
FLAT_NS = 0.30
SQ8_NS = 0.27
# Above this many views the graph of an HNSW takes too long to build and too much memory.
HNSW_VIEWS = 200_000

SHORTLIST = 50
LEAST_BREADTH = 16


@dataclass(frozen=True)
class IndexPlan:
    """
    An index and how thoroughly it searches.

    :param kind: flat (every place, exactly), sq8 (every view, by a byte a number), hnsw (a graph),
        ivf_sq8 (clusters of views).
    :param shortlist: views that each camera of a query brings up, whose places are compared
        exactly. Not for flat.
    :param breadth: candidates of hnsw, or clusters that ivf_sq8 looks into.
    :param lists: clusters of ivf_sq8.
    """

    kind: str
    shortlist: int = 0
    breadth: int = 0
    lists: int = 0


def choose_index(places: int, cameras: int, size: int, kind: str | None = None) -> IndexPlan:
    """
    Plan the index of a map.

    :param size: numbers a camera.
    :param kind: one of INDEX_KINDS where that is to be overridden.
    :raises InputError: for another kind.
    """
    kind = kind or _kind(places, cameras, size)
    if kind not in INDEX_KINDS:
        raise InputError(f'no index {kind!r}; there are: {", ".join(INDEX_KINDS)}')
    if kind == FLAT:
        return IndexPlan(FLAT)
    if kind == SQ8:
        return IndexPlan(SQ8, SHORTLIST)
    lists = _lists(places * cameras) if kind == IVF_SQ8 else 0
    return IndexPlan(kind, SHORTLIST, LEAST_BREADTH, lists)


def _kind(places: int, cameras: int, size: int) -> str:
    numbers = places * cameras * size
    budget_ns = BUDGET_MS * 1e6 / LOOKUPS
    if numbers * FLAT_NS <= budget_ns:
        return FLAT
    if numbers * SQ8_NS <= budget_ns:
        return SQ8
    return HNSW if places * cameras <= HNSW_VIEWS else IVF_SQ8


def _lists(views: int) -> int:
    """Return a power of two up to 6 sqrt(views); k-means wants some views for each."""
    lists = 1
    while 2 * lists <= 6 * views**0.5 and 80 * lists <= views:
        lists *= 2
    return lists
