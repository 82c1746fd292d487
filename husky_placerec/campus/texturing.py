"""Looking textures up: the mip level that suits the pixel, bilinear within it."""

from __future__ import annotations

import math

from husky_placerec.campus.numeric import Colour, inlined
from husky_placerec.campus.rasterizer import Hits
from husky_placerec.campus.surfaces import SIZE
from husky_placerec.campus.textures import MIP_LEVELS
import numpy as np
from numpy.typing import NDArray

Pixels4 = tuple[int, int, int, int]
Shares4 = tuple[float, float, float, float]

_SHARE = np.arange(256) / 255  # of the mask's levels, which are linear


@inlined
def texel(
    hits: Hits, row: int, column: int, chain: NDArray, layer: int, linear: NDArray
) -> tuple[Colour, float]:
    """
    Return the linear colour and the mask, 0 to 1, at a pixel.

    :param chain: [layers, pixels], the textures with their smaller copies, four bytes a number.
    :param linear: what each grey level is in linear light.
    """
    step = _footprint(hits, row, column) * SIZE
    size, offset, level = SIZE, 0, 1
    while step > 1.5 and level < MIP_LEVELS:
        offset += size * size
        size //= 2
        step *= 0.5
        level += 1
    u, v = hits[row, column].u, hits[row, column].v
    x, y = (u - math.floor(u)) * size - 0.5, (v - math.floor(v)) * size - 0.5
    left, top = math.floor(x), math.floor(y)
    to_right, to_bottom = x - left, y - top
    last = size - 1  # sizes are powers of two, so that & wraps around
    right, bottom = (left + 1) & last, (top + 1) & last
    left, top = left & last, top & last
    above, below = offset + top * size, offset + bottom * size
    pixels = (
        chain[layer, above + left],
        chain[layer, above + right],
        chain[layer, below + left],
        chain[layer, below + right],
    )
    shares = (
        (1 - to_right) * (1 - to_bottom),
        to_right * (1 - to_bottom),
        (1 - to_right) * to_bottom,
        to_right * to_bottom,
    )
    red = _channel(pixels, shares, 0, linear)
    green = _channel(pixels, shares, 8, linear)
    blue = _channel(pixels, shares, 16, linear)
    return (red, green, blue), _channel(pixels, shares, 24, _SHARE)


@inlined
def _channel(pixels: Pixels4, shares: Shares4, shift: int, linear: NDArray) -> float:
    return (
        linear[(pixels[0] >> shift) & 255] * shares[0]
        + linear[(pixels[1] >> shift) & 255] * shares[1]
        + linear[(pixels[2] >> shift) & 255] * shares[2]
        + linear[(pixels[3] >> shift) & 255] * shares[3]
    )


@inlined
def _footprint(hits: Hits, row: int, column: int) -> float:
    """Return how far the texture moves from a pixel to the next of the same triangle."""
    height, width = hits.shape
    here, step = hits[row, column], 0.0
    if column + 1 < width and hits[row, column + 1].triangle == here.triangle:
        after = hits[row, column + 1]
        step = max(abs(after.u - here.u), abs(after.v - here.v))
    if row + 1 < height and hits[row + 1, column].triangle == here.triangle:
        below = hits[row + 1, column]
        down = max(abs(below.u - here.u), abs(below.v - here.v))
        step = 0.6 * max(step, down) + 0.4 * step  # grazing ground: rather sharp than grey
    return step
