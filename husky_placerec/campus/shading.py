"""The light of each pixel: from a surface through fog, or from the sky."""

from __future__ import annotations

import math

from husky_placerec.campus.camera import Camera
from husky_placerec.campus.light import Light
from husky_placerec.campus.lighting import irradiance, mirrored
from husky_placerec.campus.mesh import Mesh
from husky_placerec.campus.numeric import Colour, compiled, dot, inlined, mix, plus, scaled, times
from husky_placerec.campus.paint import emission, paint
from husky_placerec.campus.rasterizer import Hits
from husky_placerec.campus.shadow import Shadow
from husky_placerec.campus.sky import sky_colour
from husky_placerec.campus.surface_point import surface_point_at, SurfacePoint
from husky_placerec.campus.texturing import texel
import numpy as np
from numpy.typing import NDArray

_WET_FROM = 0.8  # z of the normal above which a surface gets wet


@compiled
def shade(
    mesh: Mesh,
    hits: Hits,
    camera: Camera,
    light: Light,
    shadow: Shadow,
    lamps: NDArray,
    mips: NDArray,
    noise: NDArray,
    rows: int,
    image: NDArray[np.float32],
) -> None:
    """
    Fill an image with linear light.

    :param lamps: [lamps, 3], positions of the nearest lit street lamps.
    :param mips: the mip chain of the textures.
    :param noise: periodic noise for clouds, lawns and snow.
    :param rows: number of rows to shade; the rows below are unchanged, because the bumper hides
        them.
    :param image: [H, W, 3].
    """
    for row in range(rows):
        for column in range(camera.width):
            ray = _ray(camera, row, column)
            length = math.sqrt(dot(ray, ray))
            hit = hits[row, column]
            if hit.triangle < 0:
                colour = sky_colour(scaled(ray, 1 / length), light, noise)
            else:
                depth = 1 / hit.inverse_depth
                point = plus(camera.position, scaled(ray, depth))
                surface = surface_point_at(mesh, hit, point, scaled(ray, -1 / length))
                texture, mask = texel(hits, row, column, mips, surface.layer)
                colour = _surface(surface, texture, mask, light, shadow, lamps, noise)
                clear = math.exp(-light.fog_per_m * depth * length)
                colour = mix(light.horizon, colour, clear)
            for channel in range(3):
                image[row, column, channel] = colour[channel]


@inlined
def _ray(camera: Camera, row: int, column: int) -> Colour:
    """Return the vector from the camera through a pixel to the plane one metre ahead."""
    aside = (column + 0.5 - camera.width / 2) / camera.focal_px
    below = (row + 0.5 - camera.height / 2) / camera.focal_px
    sideways = plus(scaled(camera.right, aside), scaled(camera.down, below))
    return plus(camera.ahead, sideways)


@inlined
def _surface(
    surface: SurfacePoint,
    texture: Colour,
    mask: float,
    light: Light,
    shadow: Shadow,
    lamps: NDArray,
    noise: NDArray,
) -> Colour:
    """Return the light that leaves a surface towards the camera."""
    albedo = paint(surface, times(texture, surface.tint), mask, light, noise)
    is_wet = light.wet > 0 and surface.normal[2] > _WET_FROM
    if is_wet:
        albedo = scaled(albedo, 1 - 0.45 * light.wet)
    colour = times(albedo, irradiance(surface, light, shadow, lamps))
    colour = plus(colour, emission(surface, albedo, mask, light))
    if is_wet:
        colour = mix(colour, light.horizon, mirrored(surface, light, noise))
    return colour
