"""The road of a campus: a closed smooth curve of about 800 m."""

from __future__ import annotations

from dataclasses import dataclass
import math

from husky_placerec.campus.soup import Frame2D
import numpy as np
from numpy.typing import NDArray

ROAD_HALF_WIDTH_M = 4.0
PAVEMENT_EDGE_M = 6.8  # from the middle of the road


@dataclass(frozen=True)
class Station:
    """A point on the middle of the road, with the direction of travel there."""

    x: float
    y: float
    yaw: float

    def beside(self, left_m: float) -> Frame2D:
        """Return the place so far to the left (negative: right), facing along the road."""
        return Frame2D(self.x, self.y, self.yaw).moved(0.0, left_m)


class Route:
    """A circle bent by a few harmonics, sampled every metre."""

    def __init__(self, seed: int, radius_m: float = 115.0) -> None:
        """Draw the road of the campus with this seed."""
        rng = np.random.default_rng([seed, 1])
        angle = np.linspace(0, 2 * math.pi, 4000, endpoint=False)
        bend = np.ones_like(angle)
        for harmonic in (2, 3, 4, 5):
            strength, phase = rng.uniform(0.05, 0.16), rng.uniform(0, 2 * math.pi)
            bend += strength * 2 / harmonic * np.cos(harmonic * angle + phase)
        curve = np.column_stack([np.cos(angle), np.sin(angle)]) * (radius_m * bend)[:, None]
        closed = np.concatenate([curve, curve[:1]])
        arc = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
        self.length_m = float(arc[-1])
        self.samples = int(self.length_m)
        where = np.linspace(0, self.length_m, self.samples, endpoint=False)
        self._points = np.column_stack([np.interp(where, arc, closed[:, k]) for k in (0, 1)])
        along = np.roll(self._points, -1, axis=0) - np.roll(self._points, 1, axis=0)
        self._tangents = along / np.linalg.norm(along, axis=1, keepdims=True)

    def at(self, arc_m: float) -> Station:
        """Return the station at an arc length, which goes round and round."""
        sample = (arc_m % self.length_m) / self.length_m * self.samples
        before = int(sample) % self.samples
        after, share = (before + 1) % self.samples, sample - int(sample)
        x, y = self._points[before] * (1 - share) + self._points[after] * share
        dx, dy = self._tangents[before] * (1 - share) + self._tangents[after] * share
        return Station(float(x), float(y), math.atan2(dy, dx))

    def distance_m(self, points: NDArray[np.float64] | tuple[float, float]) -> float:
        """Return how near the nearest of the points [N, 2] comes to the middle of the road."""
        apart = np.reshape(points, (-1, 1, 2)) - self._points
        return float(np.sqrt((apart**2).sum(axis=-1).min()))
