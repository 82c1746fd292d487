"""The cosines of one query with places, each of which is compared once."""

from __future__ import annotations

from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.ranking import cosines_of
from husky_placerec.placemap.views import Comparison
from husky_placerec.types import FloatArray, Indices, Mask
import numpy as np


class PlaceCosines:
    """
    Compares a query with places, and keeps the results.

    Evidence, pose and candidates of a frame ask for the same places again, in both directions.
    Most of a comparison is the conversion of descriptors from float16.

    :param query: [C, D], zeros for absent cameras.
    """

    def __init__(self, place_map: PlaceMap, query: FloatArray) -> None:
        self._map, self._query = place_map, query
        self._row: dict[int, int] = {}  # of each place that was compared
        self._found = place_map.views.compare(query, np.zeros(0, np.int64))

    def of(self, places: Indices, reverse: Mask) -> FloatArray:
        """
        Return [K, C] the cosine of each camera of the query with K places; NaN for none.

        :param reverse: [K] whether each place is passed in reverse.
        """
        asked, row = places.tolist(), self._row
        if new := [place for place in dict.fromkeys(asked) if place not in row]:
            row.update(zip(new, range(len(row), len(row) + len(new))))
            self._add(np.array(new, np.int64))
        rows = np.array([row[place] for place in asked], np.int64)
        return cosines_of(self._found.at(rows), self._map.opposites, reverse)

    def _add(self, places: Indices) -> None:
        old, new = self._found, self._map.views.compare(self._query, places)
        self._found = Comparison(
            np.concatenate([old.places, new.places]),
            np.concatenate([old.cosines, new.cosines], axis=1),
            np.concatenate([old.present, new.present]),
            new.there,
        )
