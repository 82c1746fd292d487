"""The roads of a campus: the mapped route, two side roads and an avenue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from husky_placerec.campus.avenue import draw_avenue
from husky_placerec.campus.road import Line, Road, Station
from husky_placerec.campus.route import Route, USUAL_LENGTH_M
import numpy as np

MAPPED_M = 10.0  # distance from the route within which a point counts as mapped
DETOUR_SHARE, _MOST_DETOUR_SHARE = 1 / 3, 0.42
_CANDIDATES = 60  # number of random side roads, of which the best is built
_HANDLE_M = 55.0  # length over which a side road keeps the direction of the route
_MERGING_M = 50.0  # length at each end of a side road where it may be close to the route
_GOOD_RADIUS_M, _GOOD_CLEARANCE_M = 22.0, 38.0


@dataclass(frozen=True)
class SideRoad:
    """An unmapped road that leaves the route and returns to it further on."""

    road: Road
    leaves_m: float  # arc length of the route
    returns_m: float  # likewise; exceeds the length of the route where the road spans its start


@dataclass(frozen=True)
class Tour:
    """A closed path that follows a side road first and then the route back to its start."""

    road: Road
    side_m: float  # length of the side road
    unmapped_m: float
    unmapped_from_m: float  # arc length where the unmapped part begins

    def unmapped_share(self, length_m: float) -> float:
        """Return the unmapped share of a drive of this length that is centred on the side road."""
        return self.unmapped_m / min(max(length_m, self.unmapped_m), self.road.length_m)

    def start_m(self, length_m: float) -> float:
        """
        Return the arc length where a drive of some length begins: about a third is unmapped.

        The drive is centred on the side road. A drive that is too short for this ends on it.
        """
        if self.unmapped_share(length_m) <= _MOST_DETOUR_SHARE:
            return (self.side_m - length_m) / 2
        return self.unmapped_from_m - (1 - DETOUR_SHARE) * length_m


class Network:
    """All roads of one campus."""

    def __init__(self, seed: int, route_m: float = USUAL_LENGTH_M) -> None:
        """
        Draw the roads of the campus with this seed.

        :param route_m: minimum length of the mapped route.
        """
        rng = np.random.default_rng([seed, 12])
        self.route = Route(seed, route_m)
        chord = self._best(rng, _chord, [])
        self.sides = (chord, self._best(rng, _loop, [chord]))
        side_roads = [side.road for side in self.sides]
        self.avenue = draw_avenue(rng, self.route, side_roads)  # no drive follows it
        self.roads: tuple[Road, ...] = (self.route, *side_roads, self.avenue)
        self.extent_m = float(max(np.abs(road.points).max() for road in self.roads))

    @cached_property
    def tours(self) -> tuple[Tour, ...]:
        """One tour per side road."""
        return tuple(self._tour(side) for side in self.sides)

    def tour_for(self, length_m: float) -> Tour:
        """Return the tour for a drive of this length: the one nearest to a third unmapped."""
        return min(self.tours, key=lambda tour: abs(tour.unmapped_share(length_m) - DETOUR_SHARE))

    @property
    def detour_length_m(self) -> float:
        """The length of the longest drive on a tour of which a third is unmapped."""
        return max(min(t.unmapped_m / DETOUR_SHARE, t.road.length_m) for t in self.tours)

    def distance_m(self, points: Line | tuple[float, float], without: Road | None = None) -> float:
        """Return the least distance of points [N, 2] from the centre of a road but `without`."""
        return min(road.distance_m(points) for road in self.roads if road is not without)

    def any_road(self, rng: np.random.Generator) -> Road:
        """Return a random road; its probability is proportional to its length."""
        lengths = np.array([road.length_m for road in self.roads])
        return self.roads[int(rng.choice(len(lengths), p=lengths / lengths.sum()))]

    def is_mapped(self, x: float, y: float) -> bool:
        """Tell whether a point is within MAPPED_M of the mapped route."""
        return self.route.distance_m((x, y)) <= MAPPED_M

    def _best(
        self,
        rng: np.random.Generator,
        draw: Callable[[np.random.Generator, Route], SideRoad],
        built: Sequence[SideRoad],
    ) -> SideRoad:
        candidates = [draw(rng, self.route) for _ in range(_CANDIDATES)]
        return max(candidates, key=lambda side: self._quality(side, built))

    def _quality(self, side: SideRoad, built: Sequence[SideRoad]) -> float:
        """Return a score up to 1 for wide bends and for distance from the other roads."""
        arcs = np.linspace(0, side.road.length_m, len(side.road.points))
        inner = side.road.points[(arcs > _MERGING_M) & (arcs < side.road.length_m - _MERGING_M)]
        clearance = self.route.distance_m(inner[::4])
        for other in built:  # over the full length, because its junctions must be elsewhere, too
            clearance = min(clearance, other.road.distance_m(side.road.points[::4]))
        bends = side.road.least_radius_m() / _GOOD_RADIUS_M
        return min(1.0, bends, clearance / _GOOD_CLEARANCE_M)

    def _tour(self, side: SideRoad) -> Tour:
        back = np.arange(side.returns_m + 1, side.leaves_m + self.route.length_m - 0.5)
        stations = [self.route.at(arc) for arc in back]
        line = np.concatenate([side.road.points, [(at.x, at.y) for at in stations]])
        spacing_m = side.road.length_m / (len(side.road.points) - 1)
        unmapped = np.flatnonzero(self.route.distances_m(side.road.points) > MAPPED_M)
        return Tour(
            Road(line, closed=True),
            side.road.length_m,
            float(spacing_m * len(unmapped)),
            float(spacing_m * unmapped[0]),
        )


def _chord(rng: np.random.Generator, route: Route) -> SideRoad:
    """Draw a random road across the inside of the route."""
    leaves = rng.uniform(0, route.length_m)
    returns = leaves + rng.uniform(0.38, 0.62) * route.length_m
    line = _curve(route.at(leaves), route.at(returns))
    return SideRoad(Road(line), leaves, returns)


def _loop(rng: np.random.Generator, route: Route) -> SideRoad:
    """Draw a random road around some houses outside the route."""
    leaves, span = rng.uniform(0, route.length_m), rng.uniform(120, 175)
    outside = route.at(leaves + span / 2).beside(-rng.uniform(42, 60))
    middle = Station(outside.x, outside.y, outside.yaw)
    first, second = (
        _curve(route.at(leaves), middle),
        _curve(middle, route.at(leaves + span)),
    )
    return SideRoad(Road(np.concatenate([first, second[1:]])), leaves, leaves + span)


def _curve(start: Station, end: Station) -> Line:
    """Return a cubic Bezier curve between two stations with their directions at its ends."""
    ends = np.array([[start.x, start.y], [end.x, end.y]])
    headings = np.array([[np.cos(at.yaw), np.sin(at.yaw)] for at in (start, end)])
    handle = min(_HANDLE_M, 0.45 * float(np.linalg.norm(ends[1] - ends[0])))
    control = [ends[0], ends[0] + handle * headings[0], ends[1] - handle * headings[1], ends[1]]
    t = np.linspace(0, 1, 400)[:, None]
    weights = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3]
    return np.asarray(sum(w * point for w, point in zip(weights, control, strict=True)))
