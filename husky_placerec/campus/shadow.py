"""What the sun sees around the robot; what it does not see lies in the shadow."""

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

_WEAK_SUN = 0.2  # below, no shadow is to be seen
_MAP_PX = 1536
_REACH_M = 96.0  # half the map's side
_CELL_M = 24.0  # all poses in a cube of this size share a map, so that it reaches 84 m at least

Plane = tuple[float, float, float, float]  # x y z 1 -> a number
SunAxes = tuple[Plane, Plane, Plane]  # from the world to column, row and depth (metres)
Map = NDArray[np.float32]


class Shadow(NamedTuple):
    """
    A map of how far the sun sees, P pixels wide; P is 0 where it throws no shadow.

    The block of a map is BLOCK_PX pixels wide; a pixel more on each side counts in, so that what
    is true of the block holds for all that is filtered in it.
    """

    axes: SunAxes
    depths: Map  # [P, P], metres
    nearest: Map  # [P / BLOCK_PX, P / BLOCK_PX], not more than the least depth of a block
    farthest: Map  # likewise, not less than the greatest


class ShadowMaker:
    """Draws the shadows of one campus: of what never moves only once for all poses near by."""

    def __init__(self, holes: NDArray[np.uint8]) -> None:
        """
        Take what is shared.

        :param holes: [layers, H, W], the masks of the textures.
        """
        self._holes = holes
        self._key: tuple[object, ...] = ()
        self._still = _none()

    def shadow(self, pose: Pose, light: Light, scene: Scene, moving: Mesh) -> Shadow:
        """Return the shadow that all cameras of a robot at a pose see."""
        if light.sun[2] <= SUN_UP or max(light.sunlight) <= _WEAK_SUN:
            return _none()
        # The middle follows from the place alone: the order of rendering does not matter.
        cell = np.floor(np.array([pose.x, pose.y, pose.z]) / _CELL_M)
        key = (light.season, light.sun, *cell.tolist())
        if key != self._key:
            self._key, self._still = key, self._drawn(light, scene, (cell + 0.5) * _CELL_M)
        still = self._still
        shadow = still._replace(depths=still.depths.copy(), nearest=still.nearest.copy())
        self._draw(shadow, moving)
        return shadow

    def _drawn(self, light: Light, scene: Scene, middle: NDArray[np.float64]) -> Shadow:
        """Return the shadow of what never moves."""
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
