"""The mapped road of a campus: a closed smooth curve of about 800 m."""

from __future__ import annotations

import math

from husky_placerec.campus.road import Road
import numpy as np

_LEAST_LENGTH_M = 720.0


class Route(Road):
    """A circle bent by a few harmonics, anticlockwise."""

    def __init__(self, seed: int, radius_m: float = 115.0) -> None:
        """Draw the route of the campus with this seed."""
        rng = np.random.default_rng([seed, 1])
        angle = np.linspace(0, 2 * math.pi, 4000, endpoint=False)
        bend = np.ones_like(angle)
        for harmonic in (2, 3, 4, 5):
            strength, phase = rng.uniform(0.05, 0.16), rng.uniform(0, 2 * math.pi)
            bend += strength * 2 / harmonic * np.cos(harmonic * angle + phase)
        curve = np.column_stack([np.cos(angle), np.sin(angle)]) * (radius_m * bend)[:, None]
        super().__init__(curve, closed=True)
        if self.length_m < _LEAST_LENGTH_M:
            super().__init__(curve * (_LEAST_LENGTH_M / self.length_m), closed=True)
