"""The light of one picture: that of the condition, and the nearest street lamps."""

from __future__ import annotations

from functools import lru_cache
import math
from typing import NamedTuple

from husky_placerec.campus.camera import Camera
from husky_placerec.campus.conditions import Condition
from husky_placerec.campus.numeric import Colour
from husky_placerec.campus.scene import Scene
import numpy as np
from numpy.typing import NDArray

SUN_UP = 0.04  # sine of the elevation above which the sun lights the ground
_LAMPS, _LAMPS_AHEAD_M = 8, 15.0


class Light(NamedTuple):
    """The light and weather of a condition, in plain numbers for compiled code."""

    season: int
    sun: Colour  # unit vector to the sun; zeros when it is down
    sunlight: Colour
    ambient: Colour
    zenith: Colour
    horizon: Colour
    fog_per_m: float
    lamps: float
    lit_windows: float
    cloud: float
    wet: float


@lru_cache
def light_of(condition: Condition) -> Light:
    """Return the light of a condition."""
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
    )


def lamps_near(light: Light, scene: Scene, camera: Camera) -> NDArray[np.float64]:
    """Return [lamps, 3], the lit lamps nearest to a point _LAMPS_AHEAD_M ahead of the camera."""
    if light.lamps == 0:
        return scene.lamps[:0]
    x, y, _ = camera.ground_ahead(_LAMPS_AHEAD_M)
    distance = np.hypot(scene.lamps[:, 0] - x, scene.lamps[:, 1] - y)
    return scene.lamps[np.argsort(distance, kind='stable')[:_LAMPS]]


def _floats(colour: Colour) -> Colour:
    """Return the numbers as floats, because an integer would cause another compilation."""
    red, green, blue = colour
    return float(red), float(green), float(blue)
