"""Texture lookup: bilinear, in the mip level that suits the pixel."""

from __future__ import annotations

import math

from husky_placerec.campus.numeric import Colour, inlined
from husky_placerec.campus.rasterizer import Hits
from husky_placerec.campus.surfaces import SIZE
from husky_placerec.campus.textures import MIP_LEVELS
import numpy as np
from numpy.typing import NDArray

_SHARPEST = 1.5  # greatest step in texels between neighbouring pixels
_STEPS = 4  # table entries per pixel value
_LINEAR = ((np.arange(256 * _STEPS) / (255 * _STEPS)) ** 2.2).astype(np.float32)


@inlined
def texel(hits: Hits, row: int, column: int, chain: NDArray, layer: int) -> tuple[Colour, float]:
    """
    Return the linear colour and the mask, 0 to 1, at a pixel.

    :param chain: [layers, pixels], the result of `Textures.mip_chain`.
    """
    step = _footprint(hits, row, column) * SIZE
    size, offset, level = SIZE, 0, 1
    while step > _SHARPEST and level < MIP_LEVELS:
        offset += size * size
        size //= 2
        step *= 0.5
        level += 1
    u, v = float(hits[row, column].u), float(hits[row, column].v)
    x, y = (u - math.floor(u)) * size - 0.5, (v - math.floor(v)) * size - 0.5
    left, top = math.floor(x), math.floor(y)
    to_right, to_bottom = int(256 * (x - left)), int(256 * (y - top))
    last = size - 1  # sizes are powers of two, so that `&` wraps around
    right, bottom = (left + 1) & last, (top + 1) & last
    left, top = left & last, top & last
    above, below = offset + top * size, offset + bottom * size
    # The four weights are integers with the sum 256, so that a weighted sum of bytes fits 16 bits.
    to_corner = to_right * to_bottom >> 8
    lanes = (
        _lanes(chain[layer, above + left]) * (256 - to_right - to_bottom + to_corner)
        + _lanes(chain[layer, above + right]) * (to_right - to_corner)
        + _lanes(chain[layer, below + left]) * (to_bottom - to_corner)
        + _lanes(chain[layer, below + right]) * to_corner
    )
    colour = (_linear(lanes), _linear(lanes >> 16), _linear(lanes >> 32))
    return colour, (lanes >> 48 & 0xFFFF) / (255 * 256)


@inlined
def _lanes(pixel: int) -> int:
    """Return four bytes as four lanes of 16 bits, so that one product scales all of them."""
    halves = (pixel | pixel << 16) & 0x0000FFFF0000FFFF
    return (halves | halves << 8) & 0x00FF00FF00FF00FF


@inlined
def _linear(lanes: int) -> float:
    """Return the linear light of the lowest lane, which is 256 times a pixel value."""
    return float(_LINEAR[(lanes & 0xFFFF) // (256 // _STEPS)])


@inlined
def _footprint(hits: Hits, row: int, column: int) -> float:
    """Return the step in u or v from a pixel to the next pixel of the same triangle."""
    height, width = hits.shape
    here, step = hits[row, column], 0.0
    if column + 1 < width and hits[row, column + 1].triangle == here.triangle:
        after = hits[row, column + 1]
        step = max(abs(after.u - here.u), abs(after.v - here.v))
    if row + 1 < height and hits[row + 1, column].triangle == here.triangle:
        below = hits[row + 1, column]
        down = max(abs(below.u - here.u), abs(below.v - here.v))
        step = 0.6 * max(step, down) + 0.4 * step  # sharper on ground seen at a grazing angle
    return step
