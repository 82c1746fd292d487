"""A straight avenue through a campus. It makes crossroads; the side roads make forks."""

from __future__ import annotations

from collections.abc import Sequence
import math

from husky_placerec.campus.road import Line, Road
import numpy as np
from numpy.typing import NDArray

_CANDIDATES = 120
_BEYOND_M = 70.0  # by which the avenue extends beyond the route at each end
# Crossings should have at least this angle, and this distance from each other and from forks.
_GOOD_ANGLE_DEG, _GOOD_DISTANCE_M = 60.0, 45.0
# Away from crossings, the avenue should be this close to a road for at most this length.
_BESIDE_M, _BESIDE_LENGTH_M = 30.0, 40.0


def draw_avenue(rng: np.random.Generator, route: Road, sides: Sequence[Road]) -> Road:
    """Return the best of random straight roads; it crosses the route twice, far from all forks."""
    centre = route.points.mean(axis=0)
    reach_m = float(np.linalg.norm(route.points - centre, axis=1).max()) + _BEYOND_M
    forks = np.array([road.points[end] for road in sides for end in (0, -1)])
    best, best_quality = None, -math.inf
    for _ in range(_CANDIDATES):
        bearing, aside_m = rng.uniform(0, 2 * math.pi), rng.uniform(-0.4, 0.4) * reach_m
        ahead = np.array([math.cos(bearing), math.sin(bearing)])
        middle = centre + aside_m * np.array([-ahead[1], ahead[0]])
        line = middle + np.linspace(-reach_m, reach_m, round(2 * reach_m))[:, None] * ahead
        quality = _quality(line, route, sides, forks)
        if quality > best_quality:
            best, best_quality = line, quality
    assert best is not None
    return Road(best)


def crossings(line: Line, road: Road) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the [K, 2] points where a straight line crosses a road, and [K] angles in degrees."""
    ahead = (line[-1] - line[0]) / np.linalg.norm(line[-1] - line[0])
    apart = road.points - line[0]
    left = ahead[0] * apart[:, 1] - ahead[1] * apart[:, 0]
    before = np.flatnonzero(np.sign(left[:-1]) != np.sign(left[1:]))
    steps = road.points[before + 1] - road.points[before]
    sine = np.abs(ahead[0] * steps[:, 1] - ahead[1] * steps[:, 0])
    sine /= np.linalg.norm(steps, axis=1)
    return road.points[before], np.degrees(np.arcsin(np.minimum(sine, 1)))


def _quality(line: Line, route: Road, sides: Sequence[Road], forks: Line) -> float:
    """Return a score up to 1 for steep crossings that are far from each other and from forks."""
    met = [crossings(line, road) for road in (route, *sides)]
    if len(met[0][0]) != 2:
        return -1.0
    places = np.concatenate([places for places, _ in met])
    angle = min(angle for _, angles in met for angle in angles)
    others = np.concatenate([places, forks])
    apart = np.linalg.norm(places[:, None] - others, axis=-1)
    apart[np.arange(len(places)), np.arange(len(places))] = np.inf
    off_forks = np.linalg.norm(forks[:, None] - line[::4], axis=-1).min()
    nearest = min(float(apart.min()), float(off_forks))
    beside = max(_beside_m(line, road) for road in (route, *sides))
    return min(
        1.0, angle / _GOOD_ANGLE_DEG, nearest / _GOOD_DISTANCE_M, _BESIDE_LENGTH_M / (beside + 1)
    )


def _beside_m(line: Line, road: Road) -> float:
    """Return the length of a line that is close to a road but not near a crossing, in metres."""
    close = road.distances_m(line[::2]) < _BESIDE_M
    crossing = np.zeros_like(close)
    for place in crossings(line, road)[0]:
        crossing |= np.linalg.norm(line[::2] - place, axis=1) < 1.3 * _BESIDE_M
    return 2.0 * float((close & ~crossing).sum())
