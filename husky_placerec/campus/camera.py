"""A pinhole camera that looks along the ground, and what it keeps of the scene."""

from __future__ import annotations

import math
from typing import NamedTuple

from husky_placerec.campus.soup import Soup
from husky_placerec.campus.world import Scene, TILE_M
import numpy as np
from numpy.typing import NDArray

TILE_RADIUS_M = 24.0  # how far a triangle reaches from the middle of its tile


class Camera(NamedTuple):
    """Where a camera is and looks; level, so that up in the picture is up in the world."""

    width: int
    height: int
    focal_px: float
    x: float
    y: float
    z: float
    ahead_x: float
    ahead_y: float

    @classmethod
    def at(
        cls, x: float, y: float, yaw: float, size: tuple[int, int], fov_deg: float, height_m: float
    ) -> Camera:
        """Return a camera with square pixels and its axis in the middle of the picture."""
        width, height = size
        focal_px = width / 2 / math.tan(math.radians(fov_deg / 2))
        return cls(width, height, focal_px, x, y, height_m, math.cos(yaw), math.sin(yaw))

    @property
    def matrix(self) -> NDArray[np.float32]:
        """Return [3, 4] that takes the world to the camera: x right, y down, z ahead."""
        right = (self.ahead_y, -self.ahead_x, 0.0)
        axes = [right, (0.0, 0.0, -1.0), (self.ahead_x, self.ahead_y, 0.0)]
        return affine(axes, self.position).astype(np.float32)

    @property
    def position(self) -> NDArray[np.float64]:
        return np.array([self.x, self.y, self.z])


def affine(
    axes: NDArray | list[tuple[float, float, float]], origin: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return [3, 4] that measures points along three axes from an origin."""
    turn = np.array(axes)
    return np.column_stack([turn, -turn @ origin])


def in_view(scene: Scene, moving: Soup, camera: Camera, far_m: float) -> Soup:
    """Return the tiles that may show in the picture, and all that moves."""
    ahead, aside, distance = _places(scene, camera, 0.0)
    # Wider than the picture by one tile on each side; TILE_M keeps what is at the camera's feet.
    half_width = TILE_M + 2 + (ahead + TILE_RADIUS_M).clip(0) * 1.15
    seen = (distance < far_m + TILE_RADIUS_M) & (ahead > -TILE_M) & (aside < half_width)
    return _gather(scene, moving, seen)


def may_shade(scene: Scene, moving: Soup, camera: Camera, ahead_m: float, reach_m: float) -> Soup:
    """Return the tiles within reach of a point ahead of the camera, and all that moves."""
    _, _, distance = _places(scene, camera, ahead_m)
    return _gather(scene, moving, distance < reach_m + TILE_RADIUS_M)


def _places(scene: Scene, camera: Camera, ahead_m: float) -> tuple[NDArray, NDArray, NDArray]:
    apart_x, apart_y = (scene.centres - (camera.x, camera.y)).T
    ahead = apart_x * camera.ahead_x + apart_y * camera.ahead_y - ahead_m
    aside = np.abs(apart_x * camera.ahead_y - apart_y * camera.ahead_x)
    return ahead, aside, np.hypot(ahead, aside)


def _gather(scene: Scene, moving: Soup, chosen: NDArray[np.bool_]) -> Soup:
    tiles = [
        scene.soup[scene.starts[tile] : scene.starts[tile + 1]] for tile in np.flatnonzero(chosen)
    ]
    return np.concatenate([*tiles, moving])
