"""
Whether two ways to compute a descriptor agree: another runtime, another precision.

The error is the length of the difference of two descriptors of an image, over the median distance
between descriptors of different images. A raw cosine does not tell: those of some networks are all
near 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
from husky_placerec.types import FloatArray, Pixels
import numpy as np

MOST_PROBES = 8  # of a map
MOST_ERROR = 0.02  # of descriptors that may be compared with each other
LEAST_APART = 0.02  # between different images, where those of a map are all alike


@dataclass(frozen=True, eq=False)
class Probes:
    """
    Images with the descriptors that made a map, to compare another runtime with.

    :param images: [K, H, W, 3] uint8 of the input size, of different places.
    :param descriptors: [K, D] float16, as the network gives them.
    """

    images: Pixels
    descriptors: FloatArray

    def error(self, found: FloatArray) -> float:
        """Return the median error of descriptors [K, D] of the same images."""
        return float(np.median(errors(found, self.descriptors)))


def errors(found: FloatArray, expected: FloatArray) -> FloatArray:
    """
    Return [K] the error of descriptors, in median distances between different images.

    :param found: [K, D] unit vectors.
    :param expected: [K, D] unit vectors of the same images, K of at least 2.
    """
    found, expected = np.asarray(found, np.float32), np.asarray(expected, np.float32)
    apart = np.linalg.norm(expected[:, None] - expected[None], axis=2)
    usual = float(np.median(apart[np.triu_indices(len(expected), 1)]))
    return np.asarray(
        np.linalg.norm(found - expected, axis=1) / max(usual, LEAST_APART), np.float32
    )


def blots(size: tuple[int, int], count: int) -> list[Pixels]:
    """
    Return random images with structure of all sizes, where there are no real ones.

    :param size: width and height.
    """
    rng = np.random.default_rng(0)
    coarse: Sequence[Pixels] = [
        rng.integers(0, 256, (3 + n, 4 + n, 3), np.uint8) for n in range(count)
    ]
    return [
        np.asarray(cv2.resize(each, size, interpolation=cv2.INTER_CUBIC), np.uint8)
        for each in coarse
    ]
