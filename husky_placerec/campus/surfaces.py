"""Textures of surfaces: periodic noise, ground, road and pavement."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Texture = NDArray[np.uint8]  # [SIZE, SIZE, 4], RGB and mask

SIZE = 512  # side of a texture in pixels


def smooth_noise(
    rng: np.random.Generator,
    octaves: Sequence[int] = (4, 8, 16, 32, 64),
    falloff: float = 0.6,
) -> NDArray[np.float32]:
    """
    Return [SIZE, SIZE] periodic noise from 0 to 1.

    :param octaves: numbers of cells per side, from coarse to fine; each must divide SIZE.
    :param falloff: weight of an octave relative to the previous one.
    """
    total = np.zeros((SIZE, SIZE), np.float32)
    weight = 1.0
    margin = 2  # cells beyond the edge that cubic interpolation needs
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
    """Return a surface of one RGB colour with noise of some contrast."""
    grain = smooth_noise(rng, octaves)[..., None]
    return _opaque(np.array(colour) * (1 - contrast / 2 + contrast * grain))


def white() -> Texture:
    """Return a white texture for surfaces that get their colour from a tint."""
    return np.full((SIZE, SIZE, 4), 255, np.uint8)


def road(rng: np.random.Generator) -> Texture:
    """Return asphalt with a dashed centre line."""
    texture = speckled(rng, (92, 92, 95), 0.45, (8, 64, 256))
    texture[:300, 246:266, :3] = 225
    return texture


def pavement(rng: np.random.Generator) -> Texture:
    """Return a pavement of square slabs with joints."""
    texture = speckled(rng, (160, 155, 148), 0.3, (8, 64, 256))
    texture[::64, :, :3] = 105
    texture[1::64, :, :3] = 105
    texture[:, ::64, :3] = 105
    return texture


def _opaque(colours: NDArray[np.floating]) -> Texture:
    rgba = np.full((SIZE, SIZE, 4), 255, np.uint8)
    rgba[..., :3] = np.clip(colours, 0, 255)
    return rgba
