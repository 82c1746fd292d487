"""The albedo and the emission of a surface by season and condition."""

from __future__ import annotations

import math

from husky_placerec.campus.conditions import AUTUMN, SUMMER, WINTER
from husky_placerec.campus.light import Light
from husky_placerec.campus.materials import (
    CONIFER,
    CUTOUT,
    EMITTER,
    FACADE,
    GRASS,
    LEAF,
    ROAD,
    SIGN,
)
from husky_placerec.campus.numeric import (
    Colour,
    dot,
    hash01,
    inlined,
    mix,
    noise_at,
    plus,
    scaled,
    smoothstep,
    times,
)
from husky_placerec.campus.surface_point import SurfacePoint
from numpy.typing import NDArray

_PERIOD_M = 32.0  # of the noise on the ground at scale 1


@inlined
def paint(
    surface: SurfacePoint, albedo: Colour, mask: float, light: Light, noise: NDArray
) -> Colour:
    """
    Return the albedo of a surface in the present season.

    :param mask: mask of the texture, 0 to 1; 1 where a facade has glass.
    """
    if surface.material == LEAF:
        albedo = _leaves(albedo, surface.thing, light.season)
    elif surface.material == GRASS:
        albedo = _lawn(albedo, surface.point, light.season, noise)
    elif surface.material == ROAD:
        albedo = scaled(albedo, 0.75 + 0.5 * noise_on_ground(noise, surface.point, 0.25))
    elif surface.material == FACADE:
        grazing = 1 - max(dot(surface.normal, surface.towards), 0.0)
        reflection = (0.25 + 0.5 * grazing**2) * mask * 0.7
        albedo = mix(albedo, scaled(light.horizon, 0.9), reflection)
    if light.season == WINTER and surface.material != CUTOUT:
        albedo = _snowed(surface, albedo, noise)
    return albedo


@inlined
def emission(surface: SurfacePoint, albedo: Colour, mask: float, light: Light) -> Colour:
    """Return the emitted light of windows, lamps and signs."""
    if surface.material == FACADE:
        return _lit_window(surface, mask, light.lit_windows)
    if surface.material == EMITTER and light.lit_windows > 0.1:
        return scaled(surface.tint, min(light.lamps * 2, 1.6))
    if surface.material == SIGN:
        return scaled(albedo, min(light.lamps, 1.0) * 0.55)
    return 0.0, 0.0, 0.0


@inlined
def noise_on_ground(noise: NDArray, point: Colour, scale: float) -> float:
    """Return noise at a point of the ground; a larger scale gives finer noise."""
    return noise_at(noise, point[0] * scale / _PERIOD_M, point[1] * scale / _PERIOD_M)


@inlined
def _snowed(surface: SurfacePoint, albedo: Colour, noise: NDArray) -> Colour:
    cover = smoothstep(0.35, 0.75, surface.normal[2])
    if surface.material == LEAF:
        cover = 0.12
    elif surface.material == CONIFER:
        clumps = noise_at(noise, surface.u * 40 / 128, surface.v * 40 / 128)
        cover = 0.35 if clumps > 0.5 else 0.0
    elif surface.material == ROAD:  # less snow in the wheel tracks
        patches = noise_on_ground(noise, surface.point, 0.4) + 0.1 * math.sin(
            surface.u * 4 * math.pi
        )
        cover *= 0.25 + 0.5 * smoothstep(0.35, 0.65, patches)
    if cover == 0:
        return albedo
    shade = 0.8 + 0.25 * noise_on_ground(noise, surface.point, 0.5)
    return mix(albedo, scaled((0.80, 0.83, 0.88), shade), 0.95 * cover)


@inlined
def _lit_window(surface: SurfacePoint, mask: float, share: float) -> Colour:
    column, row = math.floor(surface.u * surface.columns), math.floor(surface.v * surface.rows)
    house = surface.thing * 13.1 + surface.layer * 5.3
    if hash01(column * 3.7 + house, row * 3.7 + house) >= share:
        return 0.0, 0.0, 0.0
    strength = mask * 0.85 * (0.35 + 0.6 * hash01(row + 3, column + 3))
    if hash01(column + surface.thing, row) < 0.7:
        return scaled((1.0, 0.72, 0.36), strength)
    return scaled((0.85, 0.92, 1.0), strength)


@inlined
def _leaves(albedo: Colour, thing: int, season: int) -> Colour:
    if season == SUMMER:
        return times(albedo, (0.85, 1.1, 0.8))
    if season == AUTUMN:  # each tree has its own colour from yellow to red
        return times(albedo, mix((2.6, 1.35, 0.35), (2.4, 0.75, 0.3), thing * 0.37 % 1.0))
    return albedo


@inlined
def _lawn(albedo: Colour, point: Colour, season: int, noise: NDArray) -> Colour:
    wide = noise_on_ground(noise, point, 0.06)
    fine = noise_at(noise, point[0] * 0.35 / _PERIOD_M + 0.5, point[1] * 0.35 / _PERIOD_M)
    shade = 0.7 + 0.6 * fine
    albedo = times(albedo, (0.75 + 0.5 * wide, 0.95 + 0.2 * wide, 0.7 + 0.2 * wide))
    albedo = scaled(albedo, shade)
    if season == AUTUMN:
        fallen = scaled((0.22, 0.13, 0.05), 0.6 + fine)
        albedo = mix(albedo, fallen, 0.7 * smoothstep(0.35, 0.7, fine))
    if wide > 0.6:  # bare earth
        albedo = plus(scaled(albedo, 0.3), scaled((0.112, 0.091, 0.07), shade))
    return albedo
