"""The best similarity of each query, by comparison with every place: the reference of an index."""

from __future__ import annotations

from collections.abc import Sequence

from husky_placerec.descriptor.fusion import turned_round
from husky_placerec.placemap.exact_search import search_exactly
from husky_placerec.placemap.query_kinds import QueryKind
from husky_placerec.placemap.views import BLOCK, Views
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
    Return [kinds, M] similarities of the best place; -inf where no place shares a camera.

    :param queries: [M, C, D], zeros for absent cameras.
    :param without: [M] one place for each query that is left out.
    """
    asked = queries if views.whitening is None else views.whitening.whiten(queries)
    turned = [turned_round(asked * kind.there[:, None], kind.partners) for kind in kinds]
    best = np.full((len(kinds), len(queries)), -np.inf, np.float32)
    for first in range(0, len(views.present), BLOCK):
        end = min(first + BLOCK, len(views.present))
        seen = np.zeros((end - first, *queries.shape[1:]), np.float32)
        seen[views.present[first:end]] = views.compared(first, end)
        for found, vectors in zip(best, turned):
            nearest = list(search_exactly(vectors, seen, 2))
            places = np.concatenate([block.places for block in nearest]) + first
            similarities = np.concatenate([block.similarities for block in nearest])
            similarities[places == without[:, None]] = -np.inf
            np.maximum(found, similarities.max(axis=1), out=found)
    return best
