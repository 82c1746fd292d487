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
