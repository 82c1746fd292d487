"""The places of a map as a route: their neighbours, headings, spacing and mutual similarity."""

from __future__ import annotations

from functools import cached_property

from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.cohort import CohortPlaces
from husky_placerec.types import FloatArray, Floats, Indices
import numpy as np

GAP_TIMES = 4.0  # of the usual spacing: neighbours further apart were not driven on end
SAMPLED = 400  # pairs of neighbours, to learn how fast the view changes
CACHED = 20_000  # places whose similarity to their neighbours is kept


class Route:
    """
    The topology of a map, from its poses and tracks.

    `before` and `after` [N] are the neighbours of each place on its track, -1 where there is
    none. `positions` [N, 2] are in metres, `yaws` [N] in radians. `spacing_m` is the median
    distance between neighbours.
    """

    def __init__(self, place_map: PlaceMap) -> None:
        self._map = place_map
        places = place_map.places
        self.positions = np.ascontiguousarray(places.poses[:, :2])
        qx, qy, qz, qw = places.poses[:, 3:].T
        self.yaws = np.arctan2(2 * (qw * qz + qx * qy), 1 - 2 * (qy**2 + qz**2))
        numbers: dict[str, int] = {}
        tracks = np.array([numbers.setdefault(t, len(numbers)) for t in places.tracks])
        order = np.lexsort((places.stamps_ns, tracks))
        first, second = order[:-1], order[1:]
        together = tracks[first] == tracks[second]
        apart = np.linalg.norm(self.positions[first] - self.positions[second], axis=1)
        moved = apart[together & (apart > 0)]
        self.spacing_m = float(np.median(moved)) if len(moved) else 1.0
        linked = together & (apart <= GAP_TIMES * self.spacing_m)
        self.before = np.full(len(places), -1, np.int64)
        self.after = np.full(len(places), -1, np.int64)
        self.before[second[linked]] = first[linked]
        self.after[first[linked]] = second[linked]
        self._similarity_cache: dict[int, float] = {}

    @cached_property
    def cohort(self) -> CohortPlaces:
        """The places to which every query is compared, for a scale of its similarities."""
        return CohortPlaces(self._map)

    def __len__(self) -> int:
        return len(self.positions)

    def nearest(self, positions: Floats, count: int, within_m: float) -> tuple[Floats, Indices]:
        """Return [K, count] distances and places near positions [K, 2]; infinite for none."""
        apart, found = self._map.positions.query(
            positions, range(1, count + 1), distance_upper_bound=within_m
        )
        return apart, found.astype(np.int64)

    def neighbours(self, place: int) -> Indices:
        """Return the neighbours of a place on its track: none, one or two."""
        pair = np.array([self.before[place], self.after[place]])
        return np.asarray(pair[pair >= 0])

    def near_neighbours(self, place: int, within_m: float) -> Indices:
        """Return the neighbours of a place on its track that are not further than a distance."""
        found = self.neighbours(place)
        apart = np.linalg.norm(self.positions[found] - self.positions[place], axis=1)
        return np.asarray(found[apart <= within_m])

    def window(self, place: int, within_m: float) -> Indices:
        """
        Return a place and those of its track up to some metres before and after it.

        The window has as many places before as after: it ends on both sides where the track ends
        on one.
        """
        found = [place]
        for _ in range(max(round(within_m / self.spacing_m), 1)):
            before, after = int(self.before[found[0]]), int(self.after[found[-1]])
            if before < 0 or after < 0:
                break
            found = [before, *found, after]
        return np.array(found, np.int64)

    def spacing_at(self, place: int) -> float:
        """Return the mean distance to the neighbours, m; the usual one without neighbours."""
        near = self.neighbours(place)
        if not len(near):
            return self.spacing_m
        return float(np.linalg.norm(self.positions[near] - self.positions[place], axis=1).mean())

    def neighbour_similarity(self, places: Indices) -> Floats:
        """Return [K] the mean cosine of each place with its neighbours, as a good match has it."""
        if len(self._similarity_cache) > CACHED:
            self._similarity_cache.clear()
        wanted = places.tolist()
        new = sorted(set(wanted) - self._similarity_cache.keys())
        if new:
            measured = self._measure_similarity(np.array(new, np.int64))
            self._similarity_cache.update(zip(new, measured.tolist()))
        return np.array([self._similarity_cache[place] for place in wanted], np.float64)

    def metres_between(self, one: FloatArray, other: FloatArray) -> float:
        """
        Return the most that the robot can have moved between two views, by their difference.

        `metres = spacing_m * (1 - cosine) / (1 - usual cosine of neighbours)`.

        :param one: [C, D], and `other` likewise. The result is infinite where no camera saw both,
            or where neighbours in the map look no more alike than strangers.
        """
        shared = one.any(axis=1) & other.any(axis=1)
        usual = self.usual_similarity
        if not shared.any() or usual >= 1:
            return np.inf
        cosine = float(np.einsum('cd,cd->c', one[shared], other[shared]).mean())
        return self.spacing_m * max(1 - cosine, 0.0) / (1 - usual)

    @cached_property
    def usual_similarity(self) -> float:
        """The median cosine of neighbours, by the raw descriptors."""
        linked = np.flatnonzero(self.after >= 0)
        chosen = linked[:: max(1, len(linked) // SAMPLED)]
        if not len(chosen):
            return 0.0
        one = np.asarray(self._map.descriptors[chosen], np.float32)
        other = np.asarray(self._map.descriptors[self.after[chosen]], np.float32)
        cosines = np.einsum('ncd,ncd->nc', one, other)
        shared = one.any(axis=2) & other.any(axis=2)
        return float(np.median(cosines[shared])) if shared.any() else 0.0

    @cached_property
    def similarity_loss_per_m(self) -> float:
        """The cosine that a view loses with each metre."""
        return max(1 - self.usual_similarity, 1e-3) / self.spacing_m

    def _measure_similarity(self, places: Indices) -> Floats:
        total, count = np.zeros(len(places)), np.zeros(len(places))
        for side in (self.before[places], self.after[places]):
            there = np.flatnonzero(side >= 0)
            cosines = self._map.views.alike(places[there], side[there])
            total[there] += np.where(np.isfinite(cosines), cosines, 0.0).sum(axis=1)
            count[there] += np.isfinite(cosines).sum(axis=1)
        return np.where(count, total / np.maximum(count, 1), self.usual_similarity)
