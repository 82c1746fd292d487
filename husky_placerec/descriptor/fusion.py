"""Fusion by concatenation of unit vectors: the fused cosine is the mean of the cameras'."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from husky_placerec.types import FloatArray


def normalize(vectors: FloatArray) -> FloatArray:
    """L2-normalise the last axis; zero vectors stay zero."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.where(norms > 0, norms, 1)).astype(np.float32)


def swap(descriptor: FloatArray, order: Sequence[int]) -> FloatArray:
    """
    Give each camera the descriptor of its opposite, as if the robot faced the other way.

    :param descriptor: [C, D].
    :param order: for each camera, the index of its opposite.
    """
    return descriptor[list(order)]
