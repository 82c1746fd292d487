"""The nine conditions: season, light and weather."""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.campus.numeric import Colour
from husky_placerec.errors import InputError

SUMMER, AUTUMN, WINTER = range(3)


@dataclass(frozen=True)
class Condition:
    """Season, light and weather. Light is linear RGB; a white wall in light of 1 is white."""

    season: int
    sun: tuple[float, float, float]  # direction to the sun (x y z); zeros when it is down
    sunlight: Colour
    ambient: Colour
    zenith: Colour  # of the sky
    horizon: Colour  # of the sky and of the fog
    fog_per_m: float  # extinction per metre
    lamps: float  # strength of the street lamps
    lit_windows: float  # share of the windows
    exposure: float
    cloud: float  # share of the sky that is covered
    wet: float  # wetness of the ground, 0 to 1
    noise: float  # standard deviation in grey levels
    falling: float  # strength of rain or (in winter) snow, 0 to 1


CONDITIONS = {
    'summer_day': Condition(
        SUMMER, (0.45, 0.35, 0.75), (1.25, 1.18, 1.0), (0.50, 0.55, 0.65),
        zenith=(0.25, 0.48, 0.85), horizon=(0.72, 0.82, 0.92), fog_per_m=0.0018,
        lamps=0, lit_windows=0, exposure=1.0, cloud=0.45, wet=0, noise=2, falling=0,
    ),
    'autumn_overcast': Condition(
        AUTUMN, (0.1, 0.2, 0.9), (0.25, 0.25, 0.25), (0.72, 0.73, 0.75),
        zenith=(0.62, 0.65, 0.70), horizon=(0.78, 0.79, 0.80), fog_per_m=0.004,
        lamps=0, lit_windows=0.08, exposure=0.95, cloud=0.9, wet=0.2, noise=3, falling=0,
    ),
    'autumn_rain': Condition(
        AUTUMN, (0.1, 0.2, 0.9), (0.05, 0.05, 0.05), (0.55, 0.57, 0.62),
        zenith=(0.45, 0.48, 0.52), horizon=(0.58, 0.60, 0.63), fog_per_m=0.010,
        lamps=0, lit_windows=0.2, exposure=0.9, cloud=0.9, wet=0.8, noise=4, falling=1,
    ),
    'fog': Condition(
        SUMMER, (0.1, 0.2, 0.9), (0.1, 0.1, 0.1), (0.68, 0.69, 0.7),
        zenith=(0.72, 0.73, 0.74), horizon=(0.75, 0.75, 0.76), fog_per_m=0.028,
        lamps=0, lit_windows=0.05, exposure=1.0, cloud=0.1, wet=0.1, noise=3, falling=0,
    ),
    'winter_day': Condition(
        WINTER, (0.6, -0.3, 0.30), (1.1, 1.0, 0.85), (0.50, 0.56, 0.68),
        zenith=(0.40, 0.58, 0.85), horizon=(0.82, 0.86, 0.90), fog_per_m=0.003,
        lamps=0, lit_windows=0.03, exposure=0.92, cloud=0.3, wet=0, noise=2, falling=0,
    ),
    'winter_dusk': Condition(
        WINTER, (-0.7, 0.5, 0.10), (0.55, 0.30, 0.18), (0.27, 0.29, 0.42),
        zenith=(0.18, 0.22, 0.42), horizon=(0.72, 0.48, 0.42), fog_per_m=0.005,
        lamps=0.7, lit_windows=0.35, exposure=1.0, cloud=0.5, wet=0, noise=6, falling=0.5,
    ),
    'summer_dusk': Condition(
        SUMMER, (-0.7, 0.5, 0.12), (0.75, 0.38, 0.18), (0.26, 0.27, 0.38),
        zenith=(0.20, 0.25, 0.48), horizon=(0.85, 0.52, 0.35), fog_per_m=0.003,
        lamps=0.5, lit_windows=0.25, exposure=1.0, cloud=0.5, wet=0, noise=5, falling=0,
    ),
    'night': Condition(
        SUMMER, (0, 0, 0), (0, 0, 0), (0.040, 0.045, 0.075),
        zenith=(0.015, 0.018, 0.04), horizon=(0.07, 0.065, 0.08), fog_per_m=0.004,
        lamps=1.6, lit_windows=0.30, exposure=1.5, cloud=0.2, wet=0.1, noise=11, falling=0,
    ),
    'winter_night': Condition(
        WINTER, (0, 0, 0), (0, 0, 0), (0.05, 0.055, 0.08),
        zenith=(0.03, 0.03, 0.05), horizon=(0.12, 0.10, 0.10), fog_per_m=0.007,
        lamps=1.3, lit_windows=0.4, exposure=1.4, cloud=0.2, wet=0, noise=11, falling=0.6,
    ),
}  # fmt: skip


def condition_named(name: str) -> Condition:
    """
    Return the entry of CONDITIONS with a name.

    :raises InputError: for an unknown name.
    """
    if name not in CONDITIONS:
        raise InputError(f'condition {name!r} is unknown; expected one of {", ".join(CONDITIONS)}')
    return CONDITIONS[name]
