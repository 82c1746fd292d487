"""
The similarities of a query to places all over the map, as a scale for all its similarities.

Light, season and texture move all similarities of a query up or down, and stretch them. In
deviations of the cohort, a similarity of one world means what it means in another.

Source: T-norm, Auckenthaler et al., Score normalization for text-independent speaker verification
systems, Digital Signal Processing 2000.
"""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.types import FloatArray, Floats, Indices
import numpy as np

PLACES = 256  # of the map, at most, evenly spread along its tracks
MOST = 20.0  # deviations; more are certain anyway
LEAST = 1e-3  # of the deviation and of a usual similarity, where all places look alike
LEAST_PLACES = 8  # without which the similarities stay as they are


@dataclass(frozen=True)
class Cohort:
    """Mean and standard deviation of the similarities of a query to the cohort."""

    mean: float
    deviation: float

    def deviations(self, differences: Floats) -> Floats:
        """Return differences of similarities in deviations, bounded by MOST."""
        # For a few numbers `np.clip` takes several times as long as these two.
        return np.asarray(np.minimum(np.maximum(differences / self.deviation, -MOST), MOST))

    def share(self, similarity: Floats, usual: Floats) -> Floats:
        """Return similarities above the mean as shares of the usual ones, -1 to 2."""
        return np.asarray(
            np.clip((similarity - self.mean) / np.maximum(usual - self.mean, LEAST), -1.0, 2.0)
        )


class CohortPlaces:
    """The places of a map that make the cohort of every query."""

    def __init__(self, place_map: PlaceMap) -> None:
        count = len(place_map)
        self._map = place_map
        self._places = np.unique(np.linspace(0, count - 1, min(PLACES, count)).astype(np.int64))
        chosen = np.asarray(place_map.descriptors[self._places], np.float32)
        self._rows = chosen.reshape(-1, chosen.shape[-1])

    def of(self, query: FloatArray, without: Indices | None = None) -> Cohort:
        """
        Return the cohort of a query [C, D], in both directions where the map has them.

        :param without: places that do not count.
        """
        found = self._map.views.compare(query, self._places, self._rows)
        kept = slice(None) if without is None else ~np.isin(self._places, without)
        ways = [tuple(range(len(query)))]
        if self._map.opposites is not None:
            ways.append(self._map.opposites)
        values = np.concatenate([found.similarities(partners)[kept] for partners in ways])
        values = values[np.isfinite(values)].astype(np.float64)
        if len(values) < LEAST_PLACES:
            return Cohort(0.0, 1.0)
        return Cohort(float(values.mean()), max(float(values.std()), LEAST))
