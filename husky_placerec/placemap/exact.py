"""The best similarities in a map, by comparison with every place: what an index is measured by."""

from __future__ import annotations

from collections.abc import Sequence

from husky_placerec.placemap.kinds import QueryKind
from husky_placerec.placemap.views import BLOCK, Comparison, Views
from husky_placerec.types import FloatArray
import numpy as np
from numpy.typing import NDArray


def best_similarities(
    views: Views,
    queries: FloatArray,
    kinds: Sequence[QueryKind],
    without: NDArray[np.int64],
) -> FloatArray:
    """
    Return [kinds, M], the similarity of the best place; -inf where no place shares a camera.

    :param queries: [M, C, D], zeros for absent cameras.
    :param without: [M], for each query one place that does not count.
    """
    there: NDArray[np.bool_] = np.asarray(queries.any(axis=2))
    asked = queries if views.whitening is None else views.whitening.whiten(queries)
    best = np.full((len(kinds), len(queries)), -np.inf, np.float32)
    for first in range(0, len(views.present), BLOCK):
        end = min(first + BLOCK, len(views.present))
        present = views.present[first:end]
        seen = np.zeros((end - first, *queries.shape[1:]), np.float32)
        seen[present] = views.compared(first, end)
        # [M, A, n, C]: one product of matrices for all queries
        products = np.tensordot(asked, seen, axes=(2, 2))
        places = np.arange(first, end)
        for m, cosines in enumerate(products):
            found = Comparison(places, cosines, present, there[m])
            for k, kind in enumerate(kinds):
                similarities = found.similarities(kind.partners, kind.there)
                if first <= without[m] < end:
                    similarities[without[m] - first] = -np.inf
                best[k, m] = max(best[k, m], similarities.max())
    return best
