"""The light on a surface from sky, sun and lamps, and the reflection of wet ground."""

from __future__ import annotations

import math

from husky_placerec.campus.light import Light, SUN_UP
from husky_placerec.campus.materials import CONIFER, CUTOUT, is_cut_out, LEAF, ROAD
from husky_placerec.campus.numeric import Colour, dot, inlined, plus, scaled, smoothstep
from husky_placerec.campus.paint import noise_on_ground
from husky_placerec.campus.shadow import Plane, Shadow
from husky_placerec.campus.sun_depths import BLOCK_PX
from husky_placerec.campus.surface_point import SurfacePoint
from numpy.typing import NDArray

_LAMP_REACH_M = 40.0
_LAMP_COLOUR = (1.0, 0.7, 0.38)
_OFF_SURFACE_M, _BIAS_M = 0.12, 0.35  # prevent a surface from shading itself


@inlined
def irradiance(surface: SurfacePoint, light: Light, shadow: Shadow, lamps: NDArray) -> Colour:
    """Return the irradiance of a surface, linear RGB."""
    if surface.material == LEAF or surface.material == CONIFER:
        open_sky = 0.7 + 0.4 * (1 - surface.v)  # darker low in the crown
    else:
        # darker near the ground
        open_sky = 0.75 + 0.25 * min(max(surface.above_m / 2.5, 0.0), 1.0)
    total = scaled(light.ambient, (0.75 + 0.25 * surface.normal[2]) * open_sky)
    if light.sun[2] > SUN_UP:
        total = plus(total, scaled(light.sunlight, _direct(surface, light, shadow)))
    return plus(total, scaled(_LAMP_COLOUR, light.lamps * _from_lamps(surface, lamps)))


@inlined
def mirrored(surface: SurfacePoint, light: Light, noise: NDArray) -> float:
    """Return the share of the sky light that wet ground reflects; a road has puddles."""
    fresnel = 0.05 + 0.6 * (1 - max(surface.towards[2], 0.0)) ** 4
    puddle = 0.3
    if surface.material == ROAD:
        puddle = smoothstep(0.45, 0.6, noise_on_ground(noise, surface.point, 0.3))
    return fresnel * light.wet * (0.35 + 0.65 * puddle)


@inlined
def _direct(surface: SurfacePoint, light: Light, shadow: Shadow) -> float:
    """Return the share of the sunlight that arrives, 0 to 1."""
    if surface.material == CUTOUT:
        facing = 0.7
    elif is_cut_out(surface.material):
        facing = 0.65
    else:
        facing = max(dot(surface.normal, light.sun), 0.0)
    if facing > 0 and shadow.depths.shape[0] > 0:
        point = plus(surface.point, scaled(surface.normal, _OFF_SURFACE_M))
        facing *= _sunlit(point, shadow)
    return facing


@inlined
def _sunlit(point: Colour, shadow: Shadow) -> float:
    """Return the share of 3x3 pixels of the shadow map that do not shade the point."""
    to_column, to_row, to_depth = shadow.axes
    column = math.floor(_along(to_column, point))
    row = math.floor(_along(to_row, point))
    depth = _along(to_depth, point) - _BIAS_M
    size = shadow.depths.shape[0]
    if not (0 < column < size - 1 and 0 < row < size - 1):
        return 1.0
    block_row, block_column = row // BLOCK_PX, column // BLOCK_PX
    if depth <= shadow.nearest[block_row, block_column]:  # all 9 pixels are lit, as most are
        return 1.0
    if depth > shadow.farthest[block_row, block_column]:
        return 0.0
    free = 0
    for near_row in range(row - 1, row + 2):
        for near_column in range(column - 1, column + 2):
            if shadow.depths[near_row, near_column] >= depth:
                free += 1
    return free / 9


@inlined
def _along(plane: Plane, point: Colour) -> float:
    return plane[0] * point[0] + plane[1] * point[1] + plane[2] * point[2] + plane[3]


@inlined
def _from_lamps(surface: SurfacePoint, lamps: NDArray) -> float:
    total = 0.0
    for lamp in range(lamps.shape[0]):
        to_lamp = (
            lamps[lamp, 0] - surface.point[0],
            lamps[lamp, 1] - surface.point[1],
            lamps[lamp, 2] - surface.point[2],
        )
        squared = dot(to_lamp, to_lamp)
        if squared > _LAMP_REACH_M**2:
            continue
        per_m = 1 / math.sqrt(squared)
        facing = 0.5 if is_cut_out(surface.material) else dot(surface.normal, to_lamp) * per_m
        if facing <= 0:
            continue
        downwards = smoothstep(-0.15, 0.5, to_lamp[2] * per_m)  # 0 above the lamp shade
        total += facing * downwards * 14 / (6 + squared)
    return total
