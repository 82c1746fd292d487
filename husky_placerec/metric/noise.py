"""How exact poses and calibration are: the noise of matches about their epipolar planes."""

from __future__ import annotations

from husky_placerec.types import Floats
import numpy as np

RANGE_PX = 40.0  # errors above it are no matches
FAR_PX = 20.0  # from here on, errors are those of wrong matches
LEAST_MATCHES = 50
LEAST_PX, MOST_PX = 0.3, 20.0
QUARTILE = 0.3186  # of the absolute value of a standard normal variable
KEY_POINT_PX = 1.2  # what key points alone have, where poses and calibration are exact
GATE_SIGMAS, LEAST_GATE_PX = 1.7, 2.0


def epipolar_sigma(errors: Floats) -> float:
    """
    Return the standard deviation of right matches about their epipolar planes, in pixels.

    It is that of a normal distribution with the lower quartile of the errors, less wrong matches,
    which are spread evenly. The median would count repeated structures, which have heavy tails.

    :param errors: [M] distances from the planes, not negative.
    :return: at most MOST_PX; NaN for too few matches.
    """
    used = np.sort(errors[np.isfinite(errors) & (errors < RANGE_PX)])
    if len(used) < LEAST_MATCHES:
        return float('nan')
    wrong_per_px = (used > FAR_PX).sum() / (RANGE_PX - FAR_PX)
    right = np.arange(1, len(used) + 1) - wrong_per_px * used
    quarter = 0.25 * (len(used) - wrong_per_px * RANGE_PX)
    at = min(int((right < quarter).sum()), len(used) - 1)
    return float(np.clip(used[at] / QUARTILE, LEAST_PX, MOST_PX))


def gate_of(sigma: float) -> float:
    """Return the largest error of a match that counts, in pixels."""
    return max(LEAST_GATE_PX, GATE_SIGMAS * sigma)


def excess_of(sigma: float) -> float:
    """Return the part of a noise that key points alone do not explain, in pixels."""
    return float(np.sqrt(max(sigma**2 - KEY_POINT_PX**2, 0.0)))
