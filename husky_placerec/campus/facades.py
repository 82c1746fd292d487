"""Textures of walls with windows; the mask of a facade is 255 where there is glass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
from husky_placerec.campus.surfaces import SIZE, smooth_noise, Texture
import numpy as np
from numpy.typing import NDArray

WIDTH_M = 12.0  # width of wall per texture
STOREYS_M = 12.0  # height of wall per texture of upper storeys
GROUND_FLOOR_M = 4.0

USUAL_WALLS = [
    (172, 92, 70), (205, 190, 160), (226, 222, 210), (150, 150, 155),
    (196, 170, 120), (120, 70, 60), (170, 185, 190), (214, 200, 130),
    (140, 155, 130), (190, 140, 120), (110, 120, 135), (232, 226, 190),
]  # fmt: skip
_FRAMES = [(245, 245, 240), (60, 50, 45), (90, 100, 110), (200, 190, 170)]
_GLASS = [(70, 90, 110), (50, 60, 75), (90, 110, 120)]
_DOORS = [(90, 50, 30), (40, 70, 50), (60, 60, 70), (120, 30, 30)]
_CURTAIN = (205, 200, 190)

Walls = Sequence[tuple[int, int, int]]  # RGB
Painting = NDArray[np.float32]  # [SIZE, SIZE, 4], an unfinished texture


@dataclass(frozen=True)
class Facade:
    """A wall, and its numbers of windows across and up; each window is lit separately."""

    texture: Texture
    columns: int
    rows: int


@dataclass(frozen=True)
class _Style:
    wall: NDArray[np.float32]
    frame: NDArray[np.float32]
    glass: NDArray[np.float32]
    door: NDArray[np.float32]
    columns: int
    rows: int
    window: tuple[float, float]  # width and height as a share of the cell
    mullions: int
    sill: bool
    balconies: bool
    arched: bool


@dataclass(frozen=True)
class _Opening:
    """A window or a door, in pixels."""

    left: int
    right: int
    top: int
    bottom: int

    @property
    def height(self) -> int:
        return self.bottom - self.top


def any_walls(rng: np.random.Generator) -> Walls:
    """Return random RGB colours, as many as USUAL_WALLS has."""
    return [
        (int(red), int(green), int(blue))
        for red, green, blue in rng.integers(60, 240, (len(USUAL_WALLS), 3))
    ]


def upper_storeys(rng: np.random.Generator, walls: Walls) -> Facade:
    """Return a wall with three or four storeys."""
    number = int(rng.integers(100))
    style = _style(rng, walls, number, rows=int(rng.choice([3, 3, 4])))
    painting = _wall(rng, style, number % 4)
    cell_height = SIZE / style.rows
    for row in range(style.rows):
        for column in range(style.columns):
            opening = _window_opening(style, column, (row + 0.5) * cell_height, cell_height)
            _paint_window(painting, opening, style, rng)
            if style.balconies and column % 2:
                _paint_balcony(painting, opening, style, int(cell_height * 0.15))
            if style.arched:
                _round_top(painting, opening, style)
    return _finished(painting, style)


def ground_floor(rng: np.random.Generator, walls: Walls) -> Facade:
    """Return a wall of the ground floor, with shop windows and one door."""
    number = int(rng.integers(100))
    style = _style(rng, walls, number, rows=1)
    painting = _wall(rng, style, number % 4)
    sill = int(SIZE * 0.8)
    for column in range(style.columns):
        middle, cell = (column + 0.5) * SIZE / style.columns, SIZE / style.columns
        if column == style.columns // 2:
            half = int(cell * 0.25)
            _paint_door(
                painting,
                _Opening(int(middle) - half, int(middle) + half, int(SIZE * 0.2), SIZE),
                style,
                rng,
            )
        else:
            half = int(cell * 0.3)
            shop = _Opening(int(middle) - half, int(middle) + half, sill - int(SIZE * 0.55), sill)
            _paint_window(painting, shop, style, rng)
    return _finished(painting, style)


def _style(rng: np.random.Generator, walls: Walls, number: int, rows: int) -> _Style:
    window = (rng.uniform(0.4, 0.8), rng.uniform(0.45, 0.72))
    if number % 6 == 5:
        window = (0.95, 0.93)  # a curtain wall
    elif number % 5 == 2:
        window = (0.97, rng.uniform(0.45, 0.6))  # ribbons of glass
    return _Style(
        wall=_colour(walls[number % len(walls)]),
        frame=_colour(_FRAMES[int(rng.integers(len(_FRAMES)))]),
        glass=_colour(_GLASS[int(rng.integers(len(_GLASS)))]),
        door=_colour(_DOORS[number % len(_DOORS)]),
        columns=int(rng.choice([2, 3, 4, 4, 5])),
        rows=rows,
        window=window,
        mullions=int(rng.integers(0, 3)),
        sill=rng.random() < 0.6,
        balconies=rng.random() < 0.25,
        arched=number % 7 == 3,
    )


def _wall(rng: np.random.Generator, style: _Style, pattern: int) -> Painting:
    painting = np.zeros((SIZE, SIZE, 4), np.float32)
    rgb = painting[..., :3]
    rgb[...] = style.wall * (0.82 + 0.3 * smooth_noise(rng)[..., None])
    if pattern == 0:
        _lay_bricks(rng, rgb)
    elif pattern == 1:  # panels
        for start in range(0, SIZE, 170):
            rgb[start : start + 3] *= 0.6
        for start in range(0, SIZE, 128):
            rgb[:, start : start + 3] *= 0.6
    elif pattern == 2:  # pillars between the windows
        for edge in range(style.columns + 1):
            middle = int(edge * SIZE / style.columns)
            rgb[:, max(0, middle - 10) : middle + 10] *= 1.13
    else:  # boards
        for start in range(0, SIZE, 16):
            rgb[start : start + 2] *= 0.75
    return painting


def _lay_bricks(rng: np.random.Generator, rgb: NDArray[np.float32]) -> None:
    height, width = 8, 20  # pixels of one brick
    for course, top in enumerate(range(0, SIZE, height)):
        rgb[top] *= 0.68
        rgb[top : top + height, (course % 2) * width // 2 :: width] *= 0.72
    shades = 0.88 + 0.24 * rng.random((SIZE // height, SIZE // width + 1, 1))
    rgb *= shades.repeat(height, axis=0).repeat(width, axis=1)[:SIZE, :SIZE]


def _window_opening(style: _Style, column: int, middle: float, cell_height: float) -> _Opening:
    cell = SIZE / style.columns
    width, height = style.window
    left = int(column * cell + cell * (1 - width) / 2)
    top = int(middle - cell_height * height / 2)
    return _Opening(left, left + int(cell * width), top, int(middle + cell_height * height / 2))


def _paint_glass(
    painting: Painting, opening: _Opening, style: _Style, rng: np.random.Generator
) -> None:
    frame = np.s_[
        max(0, opening.top - 6) : opening.bottom + 6, max(0, opening.left - 5) : opening.right + 5
    ]
    painting[frame] = [*style.frame * 0.95, 0]
    shade = np.linspace(1.35, 0.75, opening.height)[:, None, None] * (0.9 + 0.2 * rng.random())
    inside = painting[opening.top : opening.bottom, opening.left : opening.right]
    inside[..., :3] = style.glass * shade
    inside[..., 3] = 255


def _paint_window(
    painting: Painting, opening: _Opening, style: _Style, rng: np.random.Generator
) -> None:
    _paint_glass(painting, opening, style, rng)
    inside = painting[opening.top : opening.bottom, opening.left : opening.right]
    if rng.random() < 0.3:
        blind = int(opening.height * rng.uniform(0.2, 0.7))
        inside[:blind, :, :3] = np.array(_CURTAIN) * rng.uniform(0.6, 1)
    for bar in range(1, style.mullions + 1):
        middle = (opening.right - opening.left) * bar // (style.mullions + 1)
        inside[:, middle - 2 : middle + 2] = [*style.frame, 0]
    if style.sill:
        sides = slice(max(0, opening.left - 10), opening.right + 10)
        painting[opening.bottom : opening.bottom + 10, sides, :3] = style.frame * 0.8


def _paint_door(
    painting: Painting, opening: _Opening, style: _Style, rng: np.random.Generator
) -> None:
    _paint_glass(painting, opening, style, rng)
    inside = painting[opening.top : opening.bottom, opening.left : opening.right]
    inside[opening.height // 3 :] = [*style.door, 0]  # the upper third remains glass
    middle = inside.shape[1] // 2
    inside[:, middle - 2 : middle + 2, :3] *= 0.4


def _paint_balcony(painting: Painting, opening: _Opening, style: _Style, height: int) -> None:
    rows = slice(opening.bottom - height, opening.bottom + 8)
    sides = slice(max(0, opening.left - 14), opening.right + 14)
    painting[rows, sides] = [*style.frame * 0.55, 0]


def _round_top(painting: Painting, opening: _Opening, style: _Style) -> None:
    """Paint the upper corners of a window as wall, so that its top is an arch."""
    radius = (opening.right - opening.left) // 2
    arch = np.zeros((SIZE, SIZE), np.uint8)
    centre = ((opening.left + opening.right) // 2, opening.top + radius // 2)
    cv2.ellipse(arch, centre, (radius, radius // 2), 0, 180, 360, 1, -1)
    top = np.s_[
        max(0, opening.top - 6) : opening.top + radius // 2,
        max(0, opening.left - 5) : opening.right + 5,
    ]
    painting[top][arch[top] == 0] = [*style.wall * 0.95, 0]


def _finished(painting: Painting, style: _Style) -> Facade:
    painting[-5:, :, :3] *= 0.75  # the edge of the floor slab
    return Facade(np.clip(painting, 0, 255).astype(np.uint8), style.columns, style.rows)


def _colour(rgb: tuple[int, int, int]) -> NDArray[np.float32]:
    return np.array(rgb, np.float32)
