"""The grey image itself, at 32x24 pixels: the baseline that any descriptor has to beat."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
from husky_placerec.descriptor.fusion import normalize
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.types import FloatArray, Pixels
import numpy as np

SIZE = (32, 24)  # width, height, pixels


class PixelExtractor:
    """
    Describes an image by its grey values minus their mean.

    :raises InputError: for an input size other than 32x24.
    """

    def __init__(self, spec: DescriptorSpec) -> None:
        spec.require_size(*SIZE)
        self.spec = DescriptorSpec(
            cameras=spec.cameras,
            extractor='pixels',
            input_width=SIZE[0],
            input_height=SIZE[1],
            size=SIZE[0] * SIZE[1],
        )

    def describe(self, images: Sequence[Pixels]) -> FloatArray:
        """Describe [24, 32, 3] RGB images as [B, D] L2-normalised vectors."""
        grey = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).ravel() for image in images]
        values = np.stack(grey).astype(np.float32)
        return normalize(values - values.mean(axis=1, keepdims=True))
