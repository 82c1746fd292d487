"""Search of the places nearest to a descriptor."""

from __future__ import annotations

from collections import defaultdict

import faiss
from husky_placerec.types import FloatArray
import numpy as np
from numpy.typing import NDArray


class SearchIndex:
    """
    Exact search by the mean cosine over the cameras that query and place share.

    A sum over absent cameras would count them as unlike, so places are indexed by which cameras
    they have: one faiss index each, in nearly every map a single one.
    """

    def __init__(self, descriptors: FloatArray, present: NDArray[np.bool_]) -> None:
        """
        Index the places.

        :param descriptors: [N, C, D], unit vectors, zeros for absent cameras.
        :param present: [N, C].
        """
        groups: dict[tuple[bool, ...], list[int]] = defaultdict(list)
        for place, cameras in enumerate(present.tolist()):
            groups[tuple(cameras)].append(place)
        self._groups = []
        for cameras, places in groups.items():
            index = faiss.IndexFlatIP(descriptors.shape[1] * descriptors.shape[2])
            index.add(np.ascontiguousarray(descriptors[places].reshape(len(places), -1)))
            self._groups.append((np.array(cameras), np.array(places, np.int64), index))

    def search(
        self, query: FloatArray, count: int, without: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """
        Return the places most like a query and their similarities, best first.

        :param query: [C, D], zeros for absent cameras.
        :param without: places that do not count.
        """
        faiss.omp_set_num_threads(1)  # faiss keeps this a thread; more threads only wait
        there = query.any(axis=1)
        found: list[tuple[NDArray[np.int64], NDArray[np.float32]]] = []
        for cameras, places, index in self._groups:
            shared = int((cameras & there).sum())
            if shared:
                chosen = None if without is None else _all_but(np.isin(places, without))
                wanted = min(count, len(places))
                scores, rows = index.search(query.reshape(1, -1), wanted, params=chosen)
                there_is = rows[0] >= 0  # faiss fills up with -1
                found.append((places[rows[0][there_is]], scores[0][there_is] / shared))
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        places = np.concatenate([group[0] for group in found])
        similarities = np.concatenate([group[1] for group in found])
        best = np.argsort(-similarities, kind='stable')[:count]
        return places[best], similarities[best]


def _all_but(excluded: NDArray[np.bool_]) -> faiss.SearchParameters:
    """Return what tells faiss to pass over some rows."""
    rows = faiss.IDSelectorBatch(np.flatnonzero(excluded))
    return faiss.SearchParameters(sel=faiss.IDSelectorNot(rows))  # type: ignore[call-arg]
