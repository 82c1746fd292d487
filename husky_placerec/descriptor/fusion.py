"""
Fusion by concatenation of unit vectors.

A frame's descriptor is [C, D]: a unit vector per camera, and zeros for an absent camera. Divided
by the number of cameras that both have, the scalar product of two such descriptors is the mean of
the cameras' cosines. The same stored descriptors therefore serve a query of all cameras, a query
of one camera, and, with the rows of opposite cameras swapped, a robot that faces the other way.
"""

from __future__ import annotations

from collections.abc import Sequence

from husky_placerec.types import FloatArray
import numpy as np


def normalize(vectors: FloatArray) -> FloatArray:
    """L2-normalise the last axis; zero vectors stay zero."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(norms > 0, norms, 1), np.float32)


def fuse_by_sum(descriptor: FloatArray) -> FloatArray:
    """Return the unit vector [D] along the sum of the rows [C, D]; it keeps no camera apart."""
    return normalize(descriptor.sum(axis=0))


def turned_round(descriptor: FloatArray, opposites: Sequence[int]) -> FloatArray:
    """
    Swap opposite cameras' rows of [C, D] or [N, C, D]: what a robot sees that is turned round.

    :param opposites: for each camera the index of the camera that looks the other way.
    """
    return descriptor[..., list(opposites), :]
