"""Textures of cut-outs: trees, people, a fence, a scaffold. Their mask is 0 where transparent."""

from __future__ import annotations

import math

import cv2
from husky_placerec.campus.surfaces import SIZE, Texture
import numpy as np
from numpy.typing import NDArray

_BARK = (78, 62, 48, 255)
_LEAVES, _CLUMPS, _TWIGS = 7000, 16, 9000


def bare_tree(rng: np.random.Generator) -> Texture:
    """Return a tree without leaves."""
    texture = _clear((70, 55, 40))
    _branch(texture, rng, (SIZE / 2, SIZE), math.pi / 2, 120, 16, 7)
    return texture


def leafy_tree(rng: np.random.Generator) -> Texture:
    """Return a tree with clumps of leaves, which are lighter at the top."""
    # Mip levels average transparent pixels too, so these have the colour of leaves.
    texture = _clear((60, 80, 40))
    _branch(texture, rng, (SIZE / 2, SIZE), math.pi / 2, 120, 16, 7)
    clump = rng.integers(_CLUMPS, size=_LEAVES)
    out = rng.uniform(45, 95, _CLUMPS)[clump] * np.sqrt(rng.random(_LEAVES))
    angle = rng.uniform(0, 2 * math.pi, _LEAVES)
    x = rng.normal(SIZE / 2, 75, _CLUMPS)[clump] + out * np.cos(angle)
    y = rng.normal(190, 60, _CLUMPS)[clump] + out * np.sin(angle)
    inside = (x > 6) & (x < SIZE - 6) & (y > 6) & (y < 440)
    middles = np.column_stack([x, y])[inside].astype(int).tolist()
    axes = rng.integers((3, 2), (7, 5), (_LEAVES, 2))[inside].tolist()
    tilts = rng.integers(180, size=_LEAVES)[inside].tolist()
    light = (0.6 + 0.5 * (1 - y / 440)) * rng.uniform(0.75, 1.2, _LEAVES)
    colours = _lit((95, 125, 60), light[inside])
    for middle, axis, tilt, colour in zip(middles, axes, tilts, colours, strict=True):
        cv2.ellipse(texture, middle, axis, tilt, 0, 360, colour, -1)
    return texture


def conifer(rng: np.random.Generator) -> Texture:
    """Return a fir."""
    texture = _clear((60, 80, 40))
    height = rng.uniform(0.02, 0.97, _TWIGS)
    half_width = 0.42 * height**0.9 * (0.75 + 0.25 * np.cos(height * 50))
    aside = rng.uniform(-1, 1, _TWIGS) * half_width
    starts = np.column_stack([(0.5 + aside) * SIZE, height * SIZE])
    outwards = np.copysign(rng.uniform(4, 14, _TWIGS), aside)
    reach = np.column_stack([outwards, rng.uniform(3, 12, _TWIGS)])
    ends = (starts + reach).astype(int).tolist()
    colours = _lit((38, 70, 42), rng.uniform(0.5, 1.1, _TWIGS))
    for start, end, colour in zip(starts.astype(int).tolist(), ends, colours, strict=True):
        cv2.line(texture, start, end, colour, 2)
    return texture


def person(rng: np.random.Generator) -> Texture:
    """Return a walking person, sometimes with a bag."""
    texture = np.zeros((SIZE, SIZE, 4), np.uint8)
    coat, trousers, bag = ((*(int(c) for c in rng.integers(20, 200, 3)), 255) for _ in range(3))
    skin = (int(200 * rng.uniform(0.5, 1.1)), int(160 * rng.uniform(0.5, 1.1)), 130, 255)
    for side in (-1, 1):
        foot, hand = int(rng.uniform(15, 75)), int(rng.uniform(70, 110))
        cv2.line(texture, (256 + side * 18, 300), (256 + side * foot, 495), trousers, 44)
        cv2.line(texture, (256 + side * 62, 150), (256 + side * hand, 290), coat, 30)
    cv2.rectangle(texture, (190, 125), (322, 310), coat, -1)
    cv2.circle(texture, (256, 70), 46, skin, -1)
    cv2.ellipse(texture, (256, 52), (48, 36), 0, 180, 360, (40, 30, 20, 255), -1)
    if rng.random() < 0.5:
        cv2.rectangle(texture, (300, 140), (350, 250), bag, -1)
    return texture


def fence() -> Texture:
    """Return a fence with vertical bars and two rails."""
    texture = _clear((60, 65, 60))
    for offset in range(12):
        texture[:, offset::64, 3] = 255
    texture[60:90, :, 3] = 255
    texture[430:460, :, 3] = 255
    return texture


def scaffold() -> Texture:
    """Return 6 m x 6 m of scaffolding: poles, planks, and a net over every second field."""
    texture = _clear((120, 120, 115))
    texture[:, :, 3] = 0
    half = SIZE // 2
    for top in (0, half):  # two levels of 3 m
        for left in (0, half):
            field = texture[top : top + half, left : left + half]
            if (top == 0) == (left == 0):
                # The net, with transparent gaps.
                field[:, np.arange(half) % 16 < 11] = (96, 122, 104, 255)
        texture[top + half - 16 : top + half] = (140, 112, 76, 255)
        texture[top + half // 2 : top + half // 2 + 6] = (150, 150, 150, 255)
    for left in range(0, SIZE, half // 2):
        texture[:, left : left + 8] = (150, 150, 150, 255)
    return texture


def _branch(
    texture: Texture,
    rng: np.random.Generator,
    start: tuple[float, float],
    angle: float,
    length: float,
    width: float,
    levels: int,
) -> None:
    x, y = start
    end = (x + length * math.cos(angle), y - length * math.sin(angle))
    cv2.line(texture, (int(x), int(y)), (int(end[0]), int(end[1])), _BARK, max(1, int(width)))
    if levels == 0:
        return
    for _ in range(3 if levels > 3 else 2):
        turned = angle + rng.uniform(-0.65, 0.65)
        _branch(
            texture, rng, end, turned, length * rng.uniform(0.68, 0.86), width * 0.62, levels - 1
        )


def _clear(colour: tuple[int, int, int]) -> Texture:
    texture = np.zeros((SIZE, SIZE, 4), np.uint8)
    texture[..., :3] = colour
    return texture


def _lit(
    colour: tuple[int, int, int], light: NDArray[np.float64]
) -> list[tuple[int, int, int, int]]:
    """Return the colour times each of the lights, as opaque RGBA."""
    shades = (light[:, None] * np.array(colour)).astype(int).tolist()
    return [(red, green, blue, 255) for red, green, blue in shades]
