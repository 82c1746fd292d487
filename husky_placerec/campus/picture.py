"""What a camera gives: a photograph, the class of each of its pixels, the signs in it."""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.types import Pixels
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]  # [H, W] of the numbers in labels.py


@dataclass(frozen=True)
class VisibleSign:
    """A sign that shows, at least in part."""

    text: str
    box: tuple[int, int, int, int]  # x0 y0 x1 y1 in pixels; the last two are just outside


@dataclass(frozen=True)
class Picture:
    """One picture with what is true of it."""

    image: Pixels
    mask: Mask
    signs: tuple[VisibleSign, ...]
