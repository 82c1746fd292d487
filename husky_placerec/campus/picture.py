"""A rendered picture with its ground truth: the class of each pixel and the visible signs."""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.types import Pixels
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]  # [H, W], classes of labels.py


@dataclass(frozen=True)
class VisibleSign:
    """A sign that is at least partly visible."""

    text: str
    box: tuple[int, int, int, int]  # x0 y0 x1 y1 in pixels; x1 and y1 are exclusive


@dataclass(frozen=True)
class Picture:
    """One picture, its mask and its visible signs."""

    image: Pixels
    mask: Mask
    signs: tuple[VisibleSign, ...]

    def turned_upside_down(self) -> Picture:
        """Return the picture of a camera that is mounted upside down."""
        height, width = self.mask.shape
        signs = []
        for sign in self.signs:
            x0, y0, x1, y1 = sign.box
            signs.append(
                VisibleSign(sign.text, (width - x1, height - y1, width - x0, height - y0))
            )
        image = np.ascontiguousarray(self.image[::-1, ::-1])
        return Picture(image, np.ascontiguousarray(self.mask[::-1, ::-1]), tuple(signs))
