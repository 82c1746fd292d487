"""Statistics of angles [M], each of which counts by the length of its chord."""

from __future__ import annotations

from husky_placerec.data.soundness.chords import Chords
from husky_placerec.types import Floats, Mask
import numpy as np


def _resultant(chords: Chords, angles: Floats) -> complex:
    """Return the mean of unit vectors at angles [M], each by the length of its chord."""
    return complex(np.average(np.exp(1j * angles), weights=chords.length_m))


def mean_angle(chords: Chords, angles: Floats) -> float:
    """Return the direction of the mean vector, radians."""
    return float(np.angle(_resultant(chords, angles)))


def concentration(chords: Chords, angles: Floats) -> float:
    """Return the length of the mean vector: 1 for equal angles, 0 for all directions."""
    return abs(_resultant(chords, angles))


def spread(chords: Chords, angles: Floats) -> float:
    """Return the circular standard deviation, radians."""
    return float(np.sqrt(-2 * np.log(np.clip(concentration(chords, angles), 1e-9, 1.0))))


def share_of(chords: Chords, which: Mask) -> float:
    """Return the share of the way on some of the chords."""
    return float(np.average(which, weights=chords.length_m))


def wrapped(angles: Floats) -> Floats:
    """Return angles from -pi to pi."""
    return np.asarray(np.angle(np.exp(1j * angles)))
