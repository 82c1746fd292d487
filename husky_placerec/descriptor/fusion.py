"""
Fusion by concatenation of unit vectors.

A frame's descriptor is [C, D], a unit vector a camera, zeros for a camera that gave no image. The
scalar product of two such descriptors over the number of cameras that both have is the mean of
their cosines. So the same stored descriptors answer for both cameras, for one, and, with the
cameras exchanged, for a robot that faces the other way.
"""

from __future__ import annotations

from collections.abc import Sequence

from husky_placerec.types import FloatArray
import numpy as np


def normalize(vectors: FloatArray) -> FloatArray:
    """L2-normalise the last axis; zero vectors stay zero."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(norms > 0, norms, 1), np.float32)


def added(descriptor: FloatArray) -> FloatArray:
    """Return the unit vector [D] along the sum of [C, D]; cameras are no longer told apart."""
    return normalize(descriptor.sum(axis=0))


def turned_round(descriptor: FloatArray, opposites: Sequence[int]) -> FloatArray:
    """
    Return [C, D] or [N, C, D] descriptors as a robot that faces the other way would have them.

    :param opposites: for each camera the index of the one that looks the other way.
    """
    return descriptor[..., list(opposites), :]
