"""All textures of one campus, as the layers of one array."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
from husky_placerec.campus import facades, signs, sprites, surfaces
from husky_placerec.campus.signs import SIGNS_PER_TEXTURE
from husky_placerec.campus.surfaces import SIZE, Texture
import numpy as np
from numpy.typing import NDArray

FACADES, GROUND_FLOORS, PEOPLE = 12, 4, 8
LEAFY_TREES, CONIFERS = 3, 2
MIP_LEVELS = 7


class Textures:
    """
    The layers of textures, and the first layer of each kind.

    `leaf` and `bare` have the same number of layers, so that winter can replace one by the other.
    """

    def __init__(self, seed: int, style: int = 0, sign_sheets: int = 15) -> None:
        """
        Paint all textures of the campus with a seed.

        :param style: another style repaints all textures; 0 has walls of the usual colours, any
            other number has walls of any hue.
        :param sign_sheets: number of textures of signs.
        """
        rng = np.random.default_rng([seed, 2, style] if style else [seed, 2])
        walls = facades.any_walls(rng) if style else facades.USUAL_WALLS
        self._images: list[Texture] = []
        self._first: dict[str, int] = {}
        self.windows: dict[int, tuple[int, int]] = {}  # columns and rows of windows, by layer
        self._add_facades('facade', [facades.upper_storeys(rng, walls) for _ in range(FACADES)])
        self._add_facades(
            'ground_floor', [facades.ground_floor(rng, walls) for _ in range(GROUND_FLOORS)]
        )
        self._add('road', [surfaces.road(rng)])
        self._add('pavement', [surfaces.pavement(rng)])
        self._add('grass', [surfaces.speckled(rng, (92, 112, 58), 0.7, (4, 16, 64, 256))])
        self._add('roof', [surfaces.speckled(rng, (110, 105, 100), 0.5, (4, 32, 128))])
        self._add('white', [surfaces.white()])
        self._add('leaf', [sprites.leafy_tree(rng) for _ in range(LEAFY_TREES)])
        self._add('bare', [sprites.bare_tree(rng) for _ in range(LEAFY_TREES)])
        self._add('conifer', [sprites.conifer(rng) for _ in range(CONIFERS)])
        self._add('person', [sprites.person(rng) for _ in range(PEOPLE)])
        self._add('fence', [sprites.fence()])
        self._add('scaffold', [sprites.scaffold()])
        self.sign_texts = signs.sign_texts(
            rng, sign_sheets * SIGNS_PER_TEXTURE
        )  # by the number of the sign
        self._add('sign', _sign_sheets(rng, self.sign_texts))
        self.layers = np.stack(self._images)
        del self._images

    def layer(self, kind: str, number: int = 0) -> int:
        """Return the index of a layer by its kind and its number within the kind."""
        return self._first[kind] + number

    def mip_chain(self) -> NDArray[np.uint32]:
        """
        Return [layers, pixels], each layer at full, half, quarter ... size, concatenated.

        A pixel is one number: red is its lowest byte, then come green, blue and the mask.
        """
        levels = [self.layers]
        for _ in range(1, MIP_LEVELS):
            halves = [
                cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
                for image in levels[-1]
            ]
            levels.append(np.stack(halves))
        flat = [level.reshape(len(level), -1, 4) for level in levels]
        return np.concatenate(flat, axis=1).view('<u4')[..., 0]

    def _add(self, kind: str, images: Sequence[Texture]) -> None:
        self._first[kind] = len(self._images)
        self._images += images

    def _add_facades(self, kind: str, walls: Sequence[facades.Facade]) -> None:
        self._add(kind, [wall.texture for wall in walls])
        for number, wall in enumerate(walls):
            self.windows[self.layer(kind, number)] = (wall.columns, wall.rows)


def sign_place(textures: Textures, number: int) -> tuple[int, tuple[float, float, float, float]]:
    """Return the layer of a sign and its rectangle (u0, v0, u1, v1) in the layer."""
    top = (number % SIGNS_PER_TEXTURE) / SIGNS_PER_TEXTURE
    inset = 2 / SIZE  # excludes the colours of the neighbouring signs
    layer = textures.layer('sign', number // SIGNS_PER_TEXTURE)
    return layer, (0.0, top + inset, 1.0, top + 1 / SIGNS_PER_TEXTURE - inset)


def _sign_sheets(rng: np.random.Generator, texts: Sequence[str]) -> list[Texture]:
    return [
        signs.sign_sheet(rng, texts[start : start + SIGNS_PER_TEXTURE])
        for start in range(0, len(texts), SIGNS_PER_TEXTURE)
    ]
