"""Painted surfaces: periodic noise, ground and road."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Texture = NDArray[np.uint8]  # [SIZE, SIZE, 4], RGB and a mask

SIZE = 512  # pixels along a texture's side


def smooth_noise(
    rng: np.random.Generator,
    octaves: Sequence[int] = (4, 8, 16, 32, 64),
    falloff: float = 0.6,
) -> NDArray[np.float32]:
    """
    Return [SIZE, SIZE] noise from 0 to 1 that repeats without a seam.

    :param octaves: cells along a side, from coarse to fine; each must divide SIZE.
    :param falloff: weight of an octave in the one before.
    """
    total = np.zeros((SIZE, SIZE), np.float32)
    weight = 1.0
    margin = 2  # cells; what cubic interpolation reaches for beyond the edge
    for cells in octaves:
        grid = np.pad(rng.random((cells, cells), np.float32), margin, mode='wrap')
        cell_px = SIZE // cells
        side = (cells + 2 * margin) * cell_px
        fine = cv2.resize(grid, (side, side), interpolation=cv2.INTER_CUBIC)
        inner = slice(margin * cell_px, margin * cell_px + SIZE)
        total += weight * fine[inner, inner]
        weight *= falloff
    return (total - total.min()) / (total.max() - total.min())


def speckled(
    rng: np.random.Generator, colour: Sequence[int], contrast: float, octaves: Sequence[int]
) -> Texture:
    """Return a surface of one colour with noise in it."""
    grain = smooth_noise(rng, octaves)[..., None]
    return _opaque(np.array(colour) * (1 - contrast / 2 + contrast * grain))


def white() -> Texture:
    """Return plain white, for whatever has its colour from a tint."""
    return np.full((SIZE, SIZE, 4), 255, np.uint8)


def road(rng: np.random.Generator) -> Texture:
    """Return asphalt with a dashed line along its middle."""
    texture = speckled(rng, (92, 92, 95), 0.45, (8, 64, 256))
    texture[:300, 246:266, :3] = 225
    return texture


def pavement(rng: np.random.Generator) -> Texture:
    """Return square slabs with joints."""
    texture = speckled(rng, (160, 155, 148), 0.3, (8, 64, 256))
    texture[::64, :, :3] = 105
    texture[1::64, :, :3] = 105
    texture[:, ::64, :3] = 105
    return texture


def _opaque(colours: NDArray[np.floating]) -> Texture:
    rgba = np.full((SIZE, SIZE, 4), 255, np.uint8)
    rgba[..., :3] = np.clip(colours, 0, 255)
    return rgba
