"""The terrain of a campus: gentle slopes, as the sum of a few long sine waves."""

from __future__ import annotations

from dataclasses import replace
import math

from husky_placerec.campus.mesh import Frame2D, Mesh
from husky_placerec.types import Pose
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

STEEPEST = 0.05  # upper limit of the slope, metres per metre
_WAVES = 4
_SHORTEST_M, _LONGEST_M = 280.0, 520.0


class Terrain:
    """Height and slope of the ground; the mean height is 0."""

    def __init__(self, seed: int) -> None:
        """Draw the waves of the campus with a seed."""
        rng = np.random.default_rng([seed, 13])
        length_m = rng.uniform(_SHORTEST_M, _LONGEST_M, _WAVES)
        bearing = rng.uniform(0, 2 * math.pi, _WAVES)
        number = 2 * math.pi / length_m
        self._x, self._y = number * np.cos(bearing), number * np.sin(bearing)
        self._phase = rng.uniform(0, 2 * math.pi, _WAVES)
        self._amplitude_m = STEEPEST / _WAVES / number

    def height(self, x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
        """Return the height in metres at points; x and y are arrays of any shape."""
        return np.asarray(np.sin(self._turns(x, y)) @ self._amplitude_m)

    def standing(self, base: Frame2D) -> Frame2D:
        """Return a place with the height of the ground."""
        return replace(base, z=float(self.height(base.x, base.y)))

    def slope(self, x: float, y: float) -> tuple[float, float]:
        """Return the slope along x and along y, metres per metre."""
        swing = np.cos(self._turns(x, y)) * self._amplitude_m
        return float(swing @ self._x), float(swing @ self._y)

    def tilt(self, x: float, y: float, yaw: float) -> Rotation:
        """Return the rotation of an object that stands on the ground with heading `yaw` (rad)."""
        along_x, along_y = self.slope(x, y)
        east, north = math.cos(yaw), math.sin(yaw)
        up = np.array([-along_x, -along_y, 1.0])
        up /= np.linalg.norm(up)
        ahead = np.array([east, north, east * along_x + north * along_y])
        ahead /= np.linalg.norm(ahead)
        return Rotation.from_matrix(np.column_stack([ahead, np.cross(up, ahead), up]))

    def pose(self, x: float, y: float, yaw: float) -> Pose:
        """Return the pose of a robot that stands on the ground with heading `yaw` (rad)."""
        quaternion = self.tilt(x, y, yaw).as_quat()
        return Pose.from_array([x, y, float(self.height(x, y)), *quaternion])

    def set_foot(self, mesh: Mesh) -> Mesh:
        """Store the ground height below each quad (two triangles) in `foot`; return the mesh."""
        middles = mesh['points'].reshape(-1, 6, 3).mean(axis=1, dtype=np.float64)
        mesh['foot'] = self.height(middles[:, 0], middles[:, 1]).repeat(2)
        return mesh

    def _turns(self, x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
        x, y = np.asarray(x)[..., None], np.asarray(y)[..., None]
        return np.asarray(x * self._x + y * self._y + self._phase)
