"""The places of a map as a route: which come after each other, which way they face, how alike."""

from __future__ import annotations

from functools import cached_property

from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.types import FloatArray
import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]

GAP_TIMES = 4.0  # the usual spacing: neighbours further apart were not driven on end
SAMPLED = 400  # pairs of neighbours, to learn how fast the view changes
SHOWN_MOST = 20_000  # places whose likeness to their neighbours is kept at hand


class Route:
    """
    The topology of a map, from its poses and tracks.

    `before` and `after` [N] are the neighbours of each place on its track, -1 where there is
    none; `yaws` [N] the headings in radians; `spacing_m` the usual distance between neighbours.
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
        self._usual: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self.positions)

    def nearest(
        self, positions: NDArray[np.float64], count: int, within_m: float
    ) -> tuple[NDArray[np.float64], Places]:
        """Return [K, count] distances and places near positions [K, 2]; infinite for none."""
        apart, found = self._map.positions.query(
            positions, range(1, count + 1), distance_upper_bound=within_m
        )
        return apart, found.astype(np.int64)

    def around(self, place: int) -> Places:
        """Return the neighbours of a place on its track, none to two."""
        pair = np.array([self.before[place], self.after[place]])
        return np.asarray(pair[pair >= 0])

    def window(self, place: int, within_m: float) -> Places:
        """
        Return a place and those of its track up to some metres before and after it.

        As many before as after: where the track ends sooner, so does the window.
        """
        found = [place]
        for _ in range(max(round(within_m / self.spacing_m), 1)):
            before, after = int(self.before[found[0]]), int(self.after[found[-1]])
            if before < 0 or after < 0:
                break
            found = [before, *found, after]
        return np.array(found, np.int64)

    def spacing_at(self, place: int) -> float:
        """Return the distance to the neighbours, in m; the usual one where there is none."""
        near = self.around(place)
        if not len(near):
            return self.spacing_m
        return float(np.linalg.norm(self.positions[near] - self.positions[place], axis=1).mean())

    def usual(self, places: Places) -> NDArray[np.float64]:
        """Return [K] how alike each place is to its neighbours: what a good match there is."""
        if len(self._usual) > SHOWN_MOST:
            self._usual.clear()
        wanted = places.tolist()
        new = np.array(sorted({place for place in wanted if place not in self._usual}), np.int64)
        if len(new):
            self._usual.update(zip(new.tolist(), self._alike(new).tolist()))
        return np.array([self._usual[place] for place in wanted], np.float64)

    def metres_between(self, one: FloatArray, other: FloatArray) -> float:
        """
        Return how far the robot moved between two views at most, by how much they differ.

        :param one: [C, D], and `other` likewise. Infinite where no camera saw both, or where the
            places of the map look no more alike than strangers.
        """
        shared = one.any(axis=1) & other.any(axis=1)
        alike = self.neighbours_alike
        if not shared.any() or alike >= 1:
            return np.inf
        cosine = float(np.einsum('cd,cd->c', one[shared], other[shared]).mean())
        return self.spacing_m * max(1 - cosine, 0.0) / (1 - alike)

    @cached_property
    def neighbours_alike(self) -> float:
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
    def fall_per_m(self) -> float:
        """By how much a view gets less alike with each metre."""
        return max(1 - self.neighbours_alike, 1e-3) / self.spacing_m

    def _alike(self, places: Places) -> NDArray[np.float64]:
        """Return [K] the mean cosine of places with their neighbours."""
        total, count = np.zeros(len(places)), np.zeros(len(places))
        for side in (self.before[places], self.after[places]):
            there = np.flatnonzero(side >= 0)
            cosines = self._map.views.alike(places[there], side[there])
            total[there] += np.where(np.isfinite(cosines), cosines, 0.0).sum(axis=1)
            count[there] += np.isfinite(cosines).sum(axis=1)
        return np.where(count, total / np.maximum(count, 1), self.neighbours_alike)
