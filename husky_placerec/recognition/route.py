"""The places of a map as a route: their neighbours, headings, spacing and mutual similarity."""

from __future__ import annotations

from functools import cached_property
import math

from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.cohort import CohortPlaces
from husky_placerec.types import FloatArray, Floats, Indices, Mask
import numpy as np

GAP_TIMES = 4.0  # of the usual spacing: neighbours further apart were not driven on end
SAMPLED = 400  # pairs of neighbours, to learn how fast the view changes


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
        self._similarity = np.full(len(places), np.nan)  # to the neighbours, where it is known

    @cached_property
    def cohort(self) -> CohortPlaces:
        """The places to which every query is compared, for a scale of its similarities."""
        return CohortPlaces(self._map)

    def __len__(self) -> int:
        return len(self.positions)

    def nearest(self, positions: Floats, count: int, within_m: float) -> tuple[Floats, Indices]:
        """Return [K, count] distances and places near positions [K, 2]; infinite for none."""
        apart, found = self._map.positions.query(positions, count, distance_upper_bound=within_m)
        shape = len(positions), count
        return apart.reshape(shape), found.astype(np.int64, copy=False).reshape(shape)

    def within(self, metres: float, places: Indices, others: Indices) -> Mask:
        """Return [K, L] which of L places lie within a distance of each of K places."""
        here, there = self.positions[places], self.positions[others]
        east = here[:, :1] - there[:, 0]
        north = here[:, 1:] - there[:, 1]
        return np.asarray(east * east + north * north <= metres * metres)

    def facing(self, places: Indices, reverse: Mask) -> Floats:
        """Return [K, 2] the direction in which each place is passed, as a unit vector."""
        yaws = self.yaws[places]
        ahead = np.stack([np.cos(yaws), np.sin(yaws)], axis=1)
        return np.asarray(ahead * (1.0 - 2.0 * reverse)[:, None])

    def neighbours(self, place: int) -> Indices:
        """Return the neighbours of a place on its track: none, one or two."""
        pair = np.array([self.before[place], self.after[place]])
        return np.asarray(pair[pair >= 0])

    def stretch(self, place: int, most: int) -> tuple[list[int], list[int]]:
        """Return up to `most` places of the track before a place, and after it, nearest first."""
        sides = []
        for links in (self.before, self.after):
            found: list[int] = []
            at = int(links[place])
            while at >= 0 and len(found) < most:
                found.append(at)
                at = int(links[at])
            sides.append(found)
        return sides[0], sides[1]

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
        before, after = self.stretch(place, self.steps(within_m))
        most = min(len(before), len(after))
        return np.array([*before[:most][::-1], place, *after[:most]], np.int64)

    def steps(self, metres: float) -> int:
        """Return how many places lie on so many metres of a track, at least one."""
        return max(round(metres / self.spacing_m), 1)

    def spacing_at(self, place: int) -> float:
        """Return the mean distance to the neighbours, m; the usual one without neighbours."""
        near = self.neighbours(place).tolist()
        if not near:
            return self.spacing_m
        here = self.positions[place].tolist()
        return sum(math.dist(here, self.positions[at].tolist()) for at in near) / len(near)

    def neighbour_similarity(self, places: Indices) -> Floats:
        """Return [K] the mean cosine of each place with its neighbours, as a good match has it."""
        known = self._similarity[places]
        new = places[np.isnan(known)]
        if len(new):
            self._similarity[new] = self._measure_similarity(new)
            known = self._similarity[places]
        return known

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
