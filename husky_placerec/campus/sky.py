"""The colour of the sky: a gradient to the zenith, with clouds, a sun and distant hills."""

from __future__ import annotations

import math

from husky_placerec.campus.light import Light
from husky_placerec.campus.numeric import (
    Colour,
    dot,
    inlined,
    mix,
    noise_at,
    plus,
    scaled,
    smoothstep,
)
from numpy.typing import NDArray

_HIGHEST_HILL = 0.07


@inlined
def sky_colour(ray: Colour, light: Light, noise: NDArray) -> Colour:
    """Return the colour in the direction of a unit vector that meets no triangle."""
    hills = 0.0  # sine of their elevation, at most _HIGHEST_HILL
    if ray[2] < _HIGHEST_HILL:
        bearing = math.atan2(ray[1], ray[0]) / (2 * math.pi)
        hills = 0.02 + 0.05 * noise_at(noise, bearing, 0.1)
    if ray[2] < hills:
        into = smoothstep(hills, 0.0, ray[2]) * 0.5
        return scaled(light.horizon, 0.8 * (1 - into) + 0.55 * into)
    up = max(ray[2], 0.0)
    colour = mix(light.horizon, light.zenith, min(up * 1.6, 1.0) ** 0.6)
    colour = mix(colour, scaled(light.horizon, 1.08), _cloud(ray, up, light.cloud, noise))
    glare = max(dot(ray, light.sun), 0.0) ** 60 * 0.5
    return plus(colour, scaled(light.sunlight, glare))


@inlined
def _cloud(ray: Colour, up: float, cover: float, noise: NDArray) -> float:
    # Clouds lie on a plane that bends down slightly towards the horizon.
    x, y = 1.3 * ray[0] / (up + 0.12), 1.3 * ray[1] / (up + 0.12)
    density = noise_at(noise, x * 1.2 / 32, y * 1.2 / 32 + 0.3)
    low, high = 0.62 - 0.35 * cover, 0.85 - 0.2 * cover
    return smoothstep(low, high, density) * min(1.0, up * 5)
