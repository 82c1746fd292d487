"""Roads: smooth centre lines on the ground, open or closed, parametrised by arc length."""

from __future__ import annotations

from dataclasses import dataclass
import math

from husky_placerec.campus.mesh import Frame2D
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

ROAD_HALF_WIDTH_M = 4.0
PAVEMENT_EDGE_M = 6.8  # from the centre line of the road

Line = NDArray[np.float64]  # [N, 2], metres


@dataclass(frozen=True)
class Station:
    """A point on the centre line of a road, with the direction of the road (radians)."""

    x: float
    y: float
    yaw: float

    def beside(self, left_m: float) -> Frame2D:
        """Return the place at a distance to the left (negative: right), in road direction."""
        return Frame2D(self.x, self.y, self.yaw).moved(0.0, left_m)


class Road:
    """A centre line, resampled at about one point per metre."""

    def __init__(self, line: Line, *, closed: bool = False) -> None:
        """
        Resample a line.

        :param line: [N, 2] close points; a closed line does not repeat its first point.
        """
        self.closed = closed
        whole = np.concatenate([line, line[:1]]) if closed else line
        arc = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(whole, axis=0), axis=1))])
        self.length_m = float(arc[-1])
        self._pieces = int(self.length_m)
        where = np.linspace(0, self.length_m, self._pieces + 1)
        self.points = np.column_stack([np.interp(where, arc, whole[:, k]) for k in (0, 1)])
        along = np.gradient(self.points, axis=0)
        if closed:  # the last point is the first one
            along[0] = along[-1] = self.points[1] - self.points[-2]
        self._tangents = along / np.linalg.norm(along, axis=1, keepdims=True)
        self._tree = cKDTree(self.points)

    def at(self, arc_m: float) -> Station:
        """Return the station at an arc length, which wraps around or is clipped to the ends."""
        arc = arc_m % self.length_m if self.closed else min(max(arc_m, 0.0), self.length_m)
        sample = arc / self.length_m * self._pieces
        before = min(int(sample), self._pieces - 1)
        share = sample - before
        x, y = self.points[before] * (1 - share) + self.points[before + 1] * share
        dx, dy = self._tangents[before] * (1 - share) + self._tangents[before + 1] * share
        return Station(float(x), float(y), math.atan2(dy, dx))

    def distances_m(self, points: Line | tuple[float, float]) -> NDArray[np.float64]:
        """Return [N] distances of points [N, 2] from the centre line."""
        return np.asarray(self._tree.query(np.reshape(points, (-1, 2)))[0])

    def distance_m(self, points: Line | tuple[float, float]) -> float:
        """Return the least distance of points [N, 2] from the centre line."""
        return float(self.distances_m(points).min())

    def least_radius_m(self) -> float:
        """Return the radius of the tightest bend of an open road, in metres."""
        turns = np.diff(np.unwrap(np.arctan2(self._tangents[:, 1], self._tangents[:, 0])))
        return float(self.length_m / self._pieces / (np.abs(turns).max() + 1e-9))
