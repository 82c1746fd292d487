"""The light of one picture: condition, sun, shadows and the nearest lamps."""

from __future__ import annotations

import math
from typing import NamedTuple

from husky_placerec.campus.camera import affine, Camera, may_shade
from husky_placerec.campus.conditions import Condition
from husky_placerec.campus.numeric import Colour
from husky_placerec.campus.rasterizer import sun_depths
from husky_placerec.campus.scene import Scene
from husky_placerec.campus.soup import Soup
import numpy as np
from numpy.typing import NDArray

SUN_UP = 0.04  # height (sine) above which the sun lights the ground
_WEAK_SUN = 0.2  # below, no shadow is to be seen
_MAP_PX = 1024
_REACH_M, _AHEAD_M = 60.0, 40.0  # half the shadow map's side; its middle ahead of the camera
_LAMPS, _LAMPS_AHEAD_M = 8, 15.0


Plane = tuple[float, float, float, float]  # x y z 1 -> a number
SunView = tuple[Plane, Plane, Plane]  # from the world to column, row and depth (metres)


class Light(NamedTuple):
    """What a condition gives, in plain numbers for compiled code."""

    season: int
    sun: Colour  # unit vector towards it
    sunlight: Colour
    ambient: Colour
    zenith: Colour
    horizon: Colour
    fog_per_m: float
    lamps: float
    lit_windows: float
    cloud: float
    wet: float
    sun_view: SunView  # of the shadow map


def light_of(condition: Condition, camera: Camera) -> Light:
    """Return the light of a condition, as one camera needs it."""
    length = math.hypot(*condition.sun) or 1.0
    x, y, z = (part / length for part in condition.sun)
    return Light(
        season=condition.season,
        sun=(x, y, z),
        sunlight=_floats(condition.sunlight),
        ambient=_floats(condition.ambient),
        zenith=_floats(condition.zenith),
        horizon=_floats(condition.horizon),
        fog_per_m=float(condition.fog_per_m),
        lamps=float(condition.lamps),
        lit_windows=float(condition.lit_windows),
        cloud=float(condition.cloud),
        wet=float(condition.wet),
        sun_view=_sun_view((x, y, z), camera),
    )


def shadow_of(
    light: Light, scene: Scene, moving: Soup, holes: NDArray[np.uint8], camera: Camera
) -> NDArray[np.float32]:
    """Return how far the sun sees ahead of a camera; one pixel when it throws no shadows."""
    if light.sun[2] <= SUN_UP or max(light.sunlight) <= _WEAK_SUN:
        return np.zeros((1, 1), np.float32)
    soup = may_shade(scene, moving, camera, _AHEAD_M, _REACH_M)
    return sun_depths(soup, np.array(light.sun_view, np.float32), holes, _MAP_PX)


def lamps_near(light: Light, scene: Scene, camera: Camera) -> NDArray[np.float64]:
    """Return [lamps, 3]: those that are lit and nearest to a point a little ahead."""
    if light.lamps == 0:
        return scene.lamps[:0]
    x, y, _ = camera.ground_ahead(_LAMPS_AHEAD_M)
    distance = np.hypot(scene.lamps[:, 0] - x, scene.lamps[:, 1] - y)
    return scene.lamps[np.argsort(distance, kind='stable')[:_LAMPS]]


def _sun_view(sun: Colour, camera: Camera) -> SunView:
    onwards = -np.array(sun)
    across = np.cross(onwards, (0.0, 0.0, 1.0))
    across /= np.linalg.norm(across) + 1e-9
    per_m = _MAP_PX / 2 / _REACH_M
    middle = camera.ground_ahead(_AHEAD_M)
    axes = np.array([across * per_m, np.cross(across, onwards) * per_m, onwards])
    matrix = affine(axes, middle)
    matrix[:2, 3] += _MAP_PX / 2
    column, row, depth = (tuple(plane) for plane in matrix.tolist())
    return column, row, depth


def _floats(colour: Colour) -> Colour:
    """Return the same numbers as floats: an integer among them would need another compilation."""
    red, green, blue = colour
    return float(red), float(green), float(blue)
