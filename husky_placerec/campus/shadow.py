"""Shadow maps around the robot: a point that the sun does not see is in the shadow."""

from __future__ import annotations

from typing import NamedTuple

import cv2
from husky_placerec.campus.camera import affine, near
from husky_placerec.campus.light import Light, SUN_UP
from husky_placerec.campus.mesh import Mesh
from husky_placerec.campus.numeric import Colour
from husky_placerec.campus.scene import Scene
from husky_placerec.campus.sun_depths import BLOCK_PX, draw_depths, OCCLUDED
from husky_placerec.types import Pose
import numpy as np
from numpy.typing import NDArray

_WEAK_SUN = 0.2  # with less sunlight, shadows are invisible
_MAP_PX = 1536
_REACH_M = 96.0  # half the side of the map
_CELL_M = 24.0  # all poses in a cube of this size share a map; it reaches at least 84 m

Plane = tuple[float, float, float, float]  # coefficients of x, y, z and 1
SunAxes = tuple[Plane, Plane, Plane]  # from the map frame to column, row and depth (metres)
Map = NDArray[np.float32]


class Shadow(NamedTuple):
    """
    A shadow map: P x P depths of the first surface along the sunlight; P is 0 without shadows.

    `nearest` and `farthest` bound the depths of each block of BLOCK_PX x BLOCK_PX pixels plus a
    margin of one pixel, so that they hold for the 3x3 filter at each pixel of the block.
    """

    axes: SunAxes
    depths: Map  # [P, P], metres
    nearest: Map  # [P / BLOCK_PX, P / BLOCK_PX], at most the least depth of a block
    farthest: Map  # likewise, at least the greatest depth of a block


class ShadowMaker:
    """Draws shadow maps of one campus; nearby poses share the map of the static triangles."""

    def __init__(self, holes: NDArray[np.uint8]) -> None:
        """
        Store the masks.

        :param holes: [layers, H, W], the masks of the textures.
        """
        self._holes = holes
        self._key: tuple[object, ...] = ()
        self._still = _none()

    def shadow(self, pose: Pose, light: Light, scene: Scene, moving: Mesh) -> Shadow:
        """Return the shadow map for all cameras of a robot at a pose."""
        if light.sun[2] <= SUN_UP or max(light.sunlight) <= _WEAK_SUN:
            return _none()
        # The centre depends only on the pose, so that the order of rendering does not matter.
        cell = np.floor(np.array([pose.x, pose.y, pose.z]) / _CELL_M)
        key = (light.season, light.sun, *cell.tolist())
        if key != self._key:
            self._key, self._still = key, self._drawn(light, scene, (cell + 0.5) * _CELL_M)
        still = self._still
        shadow = still._replace(depths=still.depths.copy(), nearest=still.nearest.copy())
        self._draw(shadow, moving)
        return shadow

    def _drawn(self, light: Light, scene: Scene, middle: NDArray[np.float64]) -> Shadow:
        """Return the shadow map of the static triangles."""
        depths = np.full((_MAP_PX, _MAP_PX), OCCLUDED, np.float32)
        nearest = np.full((_MAP_PX // BLOCK_PX, _MAP_PX // BLOCK_PX), OCCLUDED, np.float32)
        shadow = Shadow(_sun_axes(light.sun, middle), depths, nearest, nearest)
        self._draw(shadow, near(scene, middle, _REACH_M))
        around = np.ones((BLOCK_PX + 2, BLOCK_PX + 2), np.uint8)
        farthest = cv2.dilate(depths, around, anchor=(1, 1))[::BLOCK_PX, ::BLOCK_PX]
        return shadow._replace(farthest=np.ascontiguousarray(farthest))

    def _draw(self, shadow: Shadow, mesh: Mesh) -> None:
        matrix = np.array(shadow.axes, np.float32)
        draw_depths(mesh, matrix, self._holes, shadow.depths, shadow.nearest)


def _sun_axes(sun: Colour, middle: NDArray[np.float64]) -> SunAxes:
    onwards = -np.array(sun)
    across = np.cross(onwards, (0.0, 0.0, 1.0))
    across /= np.linalg.norm(across) + 1e-9
    per_m = _MAP_PX / 2 / _REACH_M
    axes = np.array([across * per_m, np.cross(across, onwards) * per_m, onwards])
    matrix = affine(axes, middle)
    matrix[:2, 3] += _MAP_PX / 2
    column, row, depth = (tuple(plane) for plane in matrix.tolist())
    return column, row, depth


def _none() -> Shadow:
    nothing = np.empty((0, 0), np.float32)
    plane = (0.0, 0.0, 0.0, 0.0)
    return Shadow((plane, plane, plane), nothing, nothing, nothing)
