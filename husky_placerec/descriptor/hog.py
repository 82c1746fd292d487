"""
Histograms of oriented gradients: a descriptor that needs no training and no download.

Far from a network's across seasons, it serves a first run, tests, and as a baseline.
Source: Dalal and Triggs, Histograms of Oriented Gradients for Human Detection, CVPR 2005.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from husky_placerec.descriptor.fusion import normalize
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.types import FloatArray, Pixels

WORK_SIZE = (160, 96)  # width, height, pixels
CELL = 16  # pixels
ORIENTATIONS = 9  # of 180 degrees: light and dark may change sides between day and night
CLIP = 0.2  # a block's largest component, so that no single edge rules it


class HogExtractor:
    """HOG on a grid of cells over the whole image, each block of 2x2 cells normalised."""

    def __init__(self, spec: DescriptorSpec) -> None:
        columns, rows = WORK_SIZE[0] // CELL, WORK_SIZE[1] // CELL
        self.spec = DescriptorSpec(
            cameras=spec.cameras,
            extractor='hog',
            pooling=f'{columns}x{rows} cells of {CELL} px, {ORIENTATIONS} orientations',
            input_width=WORK_SIZE[0],
            input_height=WORK_SIZE[1],
            size=(columns - 1) * (rows - 1) * 4 * ORIENTATIONS,
        )

    def describe(self, images: Sequence[Pixels]) -> FloatArray:
        """Describe [96, 160, 3] RGB images as [B, D] L2-normalised vectors."""
        return normalize(np.stack([_hog(image) for image in images]))


def _hog(image: Pixels) -> FloatArray:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    dx, dy = (
        np.asarray(cv2.Sobel(grey, cv2.CV_32F, *axis), np.float32) for axis in ((1, 0), (0, 1))
    )
    cells = _cell_histograms(dx, dy)
    blocks = np.concatenate(
        [cells[:-1, :-1], cells[:-1, 1:], cells[1:, :-1], cells[1:, 1:]], axis=-1
    )
    return normalize(normalize(blocks).clip(max=CLIP)).ravel()


def _cell_histograms(dx: FloatArray, dy: FloatArray) -> FloatArray:
    """Sum the gradients' magnitudes a cell and orientation: [rows, columns, ORIENTATIONS]."""
    magnitude, angle = cv2.cartToPolar(dx, dy)
    position = angle % np.pi / np.pi * ORIENTATIONS
    lower = np.floor(position)
    weight = position - lower
    planes = np.zeros((ORIENTATIONS, *dx.shape), np.float32)
    for orientation in range(ORIENTATIONS):  # each gradient is shared by the two nearest bins
        planes[orientation] = magnitude * (
            (lower % ORIENTATIONS == orientation) * (1 - weight)
            + ((lower + 1) % ORIENTATIONS == orientation) * weight
        )
    height, width = dx.shape
    cells = planes.reshape(ORIENTATIONS, height // CELL, CELL, width // CELL, CELL).sum((2, 4))
    return cells.transpose(1, 2, 0)
