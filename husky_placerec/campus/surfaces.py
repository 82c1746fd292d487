"""Painted surfaces: periodic noise, ground, road and signs."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Texture = NDArray[np.uint8]  # [SIZE, SIZE, 4], RGB and a mask

SIZE = 512  # pixels along a texture's side
SIGNS_PER_TEXTURE = 4  # one below the other

WORDS = [
    'LIBRARY',
    'CAFE',
    'LAB',
    'DORM',
    'GYM',
    'BANK',
    'MARKET',
    'PHARMACY',
    'PHYSICS',
    'CHEMISTRY',
    'CANTEEN',
    'BOOKS',
    'MUSEUM',
    'CLINIC',
    'OFFICE',
    'HOTEL',
    'BAKERY',
    'POST',
    'STADIUM',
    'ARCHIVE',
    'THEATRE',
    'ENERGY',
    'OPTICS',
    'RADIO',
]

_SIGN_COLOURS = [  # background, letters
    ((20, 60, 140), (255, 255, 255)),
    ((245, 245, 240), (30, 30, 30)),
    ((150, 25, 30), (255, 240, 200)),
    ((25, 90, 50), (255, 255, 255)),
    ((30, 30, 30), (255, 200, 60)),
    ((250, 200, 40), (20, 20, 20)),
]


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


def sign_texts(rng: np.random.Generator, count: int) -> list[str]:
    """Return what the signs of a campus say; every second one with a number."""
    words = [WORDS[index] for index in rng.permutation(len(WORDS))]
    numbers = rng.integers(1, 60, count)
    return [
        f'{words[index % len(words)]} {numbers[index]}' if index % 2 else words[index % len(words)]
        for index in range(count)
    ]


def sign_sheet(rng: np.random.Generator, texts: Sequence[str]) -> Texture:
    """Return one texture with the signs for SIGNS_PER_TEXTURE texts."""
    return np.concatenate([_sign(rng, text) for text in texts], axis=0)


def _sign(rng: np.random.Generator, text: str) -> Texture:
    width, height = SIZE, SIZE // SIGNS_PER_TEXTURE
    background, letters = _SIGN_COLOURS[int(rng.integers(len(_SIGN_COLOURS)))]
    image = Image.new('RGBA', (width, height), (*background, 255))
    draw = ImageDraw.Draw(image)
    size = 92
    # The font that comes with Pillow: a sign must read the same on every machine.
    while draw.textlength(text, ImageFont.load_default(size)) > width - 42:
        size -= 4
    draw.rectangle((3, 3, width - 4, height - 4), outline=letters, width=4)
    font = ImageFont.load_default(size)
    draw.text((width / 2, height / 2), text, letters, font, anchor='mm', stroke_width=2)
    return np.array(image)


def _opaque(colours: NDArray[np.floating]) -> Texture:
    rgba = np.full((SIZE, SIZE, 4), 255, np.uint8)
    rgba[..., :3] = np.clip(colours, 0, 255)
    return rgba
