"""The weights of a pooling on the grid of a feature map, the same for every runtime."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
from husky_placerec.types import FloatArray
import numpy as np


def on_grid(masks: Sequence[FloatArray], grid: tuple[int, int]) -> FloatArray:
    """
    Average weights of pixels over the positions of a feature map.

    :param masks: [H, W] each, at least 0.
    :param grid: rows and columns of the feature map.
    :return: [B, rows, columns].
    """
    rows, columns = grid
    size = columns, rows
    return np.stack(
        [
            np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA), np.float32)
            for mask in masks
        ]
    )
