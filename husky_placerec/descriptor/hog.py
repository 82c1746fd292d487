"""
Histograms of oriented gradients (HOG): a descriptor that needs no training and no download.

It is weaker than a trained network, and serves a first run, tests, and as a baseline. Local
contrast normalisation comes first: without it dusk and night look unlike day.

Sources: Dalal and Triggs, Histograms of Oriented Gradients for Human Detection, CVPR 2005; for the
contrast normalisation Jarrett et al., What is the Best Multi-Stage Architecture for Object
Recognition?, ICCV 2009.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
from husky_placerec.descriptor.fusion import normalize
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.types import FloatArray, Pixels
import numpy as np

SIZE = (320, 192)  # width, height, pixels
CELL = 32  # pixels
# Only the upper two thirds: the road and the robot's bumper below them are the same everywhere.
ROWS = SIZE[1] // CELL * 2 // 3
COLUMNS = SIZE[0] // CELL
ORIENTATIONS = 18  # bins over 360 degrees
CONTRAST_WINDOW = 17  # pixels
LEAST_CONTRAST = 4.0  # grey levels; a lower contrast is noise, which is not to be amplified


class HogExtractor:
    """
    Describes an image by a histogram of edge directions in each cell of a grid.

    :raises InputError: for an input size other than 320x192.
    """

    def __init__(self, spec: DescriptorSpec) -> None:
        spec.require_size(*SIZE)
        self.spec = DescriptorSpec(
            cameras=spec.cameras,
            extractor='hog',
            pooling=f'{COLUMNS}x{ROWS} upper cells, {ORIENTATIONS} orientations',
            input_width=SIZE[0],
            input_height=SIZE[1],
            size=COLUMNS * ROWS * ORIENTATIONS,
        )

    def describe(self, images: Sequence[Pixels]) -> FloatArray:
        """Describe [192, 320, 3] RGB images as [B, D] L2-normalised vectors."""
        return normalize(np.stack([_hog(image) for image in images]))


def _hog(image: Pixels) -> FloatArray:
    grey = _normalize_contrast(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32))
    # The square root keeps a single strong edge from dominating its cell. Without the means over
    # directions and over cells, only what differs between them remains.
    cells = normalize(np.sqrt(_cell_histograms(grey[: ROWS * CELL])))
    cells -= cells.mean(axis=-1, keepdims=True)
    cells -= cells.mean(axis=(0, 1))
    return cells.ravel()


def _normalize_contrast(grey: FloatArray) -> FloatArray:
    window = (CONTRAST_WINDOW, CONTRAST_WINDOW)
    mean = cv2.blur(grey, window)
    deviation = np.sqrt(np.maximum(cv2.blur(grey * grey, window) - mean * mean, 0))
    return np.asarray((grey - mean) / (deviation + LEAST_CONTRAST), np.float32)


def _cell_histograms(grey: FloatArray) -> FloatArray:
    """Sum gradient magnitudes by cell and direction: [ROWS, COLUMNS, ORIENTATIONS]."""
    dx, dy = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    magnitude, angle = cv2.cartToPolar(dx, dy)
    position = angle / (2 * np.pi) * ORIENTATIONS
    lower = position.astype(np.int32)
    weight = position - lower  # each gradient is split between the two nearest bins
    y, x = np.indices(grey.shape)
    cell = (y // CELL * COLUMNS + x // CELL) * ORIENTATIONS
    count = ROWS * COLUMNS * ORIENTATIONS
    histogram = np.zeros(count)
    for bins, share in ((lower, 1 - weight), (lower + 1, weight)):
        index = (cell + bins % ORIENTATIONS).ravel()
        histogram += np.bincount(index, (magnitude * share).ravel(), count)
    return histogram.astype(np.float32).reshape(ROWS, COLUMNS, ORIENTATIONS)
