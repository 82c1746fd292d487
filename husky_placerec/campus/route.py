"""The mapped route of a campus: a closed smooth curve."""

from __future__ import annotations

import math

from husky_placerec.campus.road import Road
import numpy as np

USUAL_LENGTH_M = 720.0
_RADIUS_M, _HIGHEST_HARMONIC = 115.0, 5  # for the usual length


class Route(Road):
    """A circle that a few harmonics deform; its direction is anticlockwise."""

    def __init__(self, seed: int, least_length_m: float = USUAL_LENGTH_M) -> None:
        """
        Draw the route of the campus with this seed.

        :param least_length_m: minimum length; the route may be a fifth longer.
        """
        radius_m = _RADIUS_M * least_length_m / USUAL_LENGTH_M
        rng = np.random.default_rng([seed, 1])
        angle = np.linspace(0, 2 * math.pi, 4000, endpoint=False)
        bend = np.ones_like(angle)
        highest = round(_HIGHEST_HARMONIC * math.sqrt(least_length_m / USUAL_LENGTH_M))
        for harmonic in range(2, highest + 1):
            strength, phase = rng.uniform(0.05, 0.16), rng.uniform(0, 2 * math.pi)
            bend += strength * 2 / harmonic * np.cos(harmonic * angle + phase)
        curve = np.column_stack([np.cos(angle), np.sin(angle)]) * (radius_m * bend)[:, None]
        super().__init__(curve, closed=True)
        if self.length_m < least_length_m:
            super().__init__(curve * (least_length_m / self.length_m), closed=True)
