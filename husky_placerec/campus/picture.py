"""A rendered picture with its ground truth: the class of each pixel and the visible signs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from husky_placerec.types import Pixels
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]  # [H, W], classes of labels.py


@dataclass(frozen=True)
class VisibleSign:
    """
    A sign that is at least partly visible.

    :param box: x0 y0 x1 y1 of its visible pixels; x1 and y1 are exclusive.
    :param corners: x y of its corners upper left, upper right, lower right and lower left, as the
        text has them, in pixels, also outside of the picture; None if one is behind the camera.
    :param letter_px: height of its capital letters in pixels.
    :param whole: nothing of it is outside of the picture or behind something else.
    """

    text: str
    box: tuple[int, int, int, int]
    corners: tuple[tuple[float, float], ...] | None
    letter_px: float
    whole: bool


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
            box = (width - x1, height - y1, width - x0, height - y0)
            corners = sign.corners and tuple((width - x, height - y) for x, y in sign.corners)
            signs.append(replace(sign, box=box, corners=corners))
        image = np.ascontiguousarray(self.image[::-1, ::-1])
        return Picture(image, np.ascontiguousarray(self.mask[::-1, ::-1]), tuple(signs))
