"""Textures of signs on houses, with Latin and Cyrillic text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from io import BytesIO

from husky_placerec.campus.surfaces import SIZE, Texture
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

SIGNS_PER_TEXTURE = 4  # stacked vertically

_LATIN = (
    'LIBRARY CAFE LAB DORM GYM BANK MARKET PHARMACY PHYSICS CHEMISTRY CANTEEN BOOKS MUSEUM CLINIC '
    'OFFICE HOTEL BAKERY POST STADIUM ARCHIVE THEATRE ENERGY OPTICS RADIO'
)
_CYRILLIC = (
    'БИБЛИОТЕКА КАФЕ ЛАБОРАТОРИЯ ОБЩЕЖИТИЕ СПОРТЗАЛ БАНК РЫНОК АПТЕКА ФИЗИКА ХИМИЯ СТОЛОВАЯ КНИГИ '
    'МУЗЕЙ ПОЛИКЛИНИКА ДЕКАНАТ ГОСТИНИЦА ПЕКАРНЯ ПОЧТА СТАДИОН АРХИВ ФИЛИАЛ ЭНЕРГИЯ ОПТИКА РАДИО'
)
LATIN, CYRILLIC = _LATIN.split(), _CYRILLIC.split()
# What is written on many houses of any town, and the chains that have several shops in it.
_COMMON = 'EXIT ВХОД PARKING ВЫХОД АРЕНДА OPEN'
_CHAINS = 'ПРОДУКТЫ COFFEE АПТЕКА ЦВЕТЫ PIZZA МАГНИТ БАНК SUSHI ОПТИКА PHARMACY'
COMMON, CHAINS = _COMMON.split(), _CHAINS.split()
COMMON_SHARE, CHAIN_SHARE = 0.25, 0.35
MOST_NUMBER = 24  # of a building; several buildings may have one number

_SIGN_COLOURS = [  # background, letters
    ((20, 60, 140), (255, 255, 255)),
    ((245, 245, 240), (30, 30, 30)),
    ((150, 25, 30), (255, 240, 200)),
    ((25, 90, 50), (255, 255, 255)),
    ((30, 30, 30), (255, 200, 60)),
    ((250, 200, 40), (20, 20, 20)),
]


@dataclass(frozen=True)
class Sign:
    """
    A sign on a house.

    :param faces: its one or two faces [4, 3] in the map frame, in metres: the corners upper left,
        upper right, lower right and lower left of the text.
    """

    text: str
    faces: tuple[NDArray[np.float64], ...]

    def face_towards(self, position: Sequence[float]) -> NDArray[np.float64] | None:
        """Return the face that can be seen from a position [3]; None from behind."""
        for face in self.faces:
            outwards = np.cross(face[1] - face[0], face[0] - face[3])
            if outwards @ (np.asarray(position) - face[0]) > 0:
                return face
        return None


def sign_texts(rng: np.random.Generator, count: int) -> list[str]:
    """
    Return the texts of the signs of a campus; they repeat as those of a town do.

    A quarter is common words, a third is shops of chains, of which the first have most. The others
    name what is inside; every second of these has the number of a building.
    """
    inside = rng.permutation([*LATIN, *CYRILLIC]).tolist()
    chains = rng.permutation(CHAINS)
    sizes = 1 / np.arange(1, len(chains) + 1)  # Zipf's law
    texts: list[str] = []
    for index in range(count):
        kind = rng.random()
        if kind < COMMON_SHARE:
            texts.append(str(rng.choice(COMMON)))
        elif kind < COMMON_SHARE + CHAIN_SHARE:
            texts.append(str(rng.choice(chains, p=sizes / sizes.sum())))
        elif rng.random() < 0.5:
            texts.append(inside[index % len(inside)])
        else:
            texts.append(f'{inside[index % len(inside)]} {rng.integers(1, MOST_NUMBER + 1)}')
    return texts


def sign_sheet(rng: np.random.Generator, texts: Sequence[str]) -> Texture:
    """Return one texture with the signs of SIGNS_PER_TEXTURE texts."""
    return np.concatenate([_sign(rng, text) for text in texts], axis=0)


@lru_cache(maxsize=256)
def letter_share(text: str) -> float:
    """Return the height of the capital letters of a sign, as a share of the height of the sign."""
    _, top, _, bottom = sign_font(_font_size(text)).getbbox('П')
    return float(bottom - top) / (SIZE // SIGNS_PER_TEXTURE)


def _font_size(text: str) -> int:
    """Return the size with which a text fills its sign, in pixels of the texture."""
    size = 88
    while sign_font(size).getlength(text) > SIZE - 42:
        size -= 4
    return size


def _sign(rng: np.random.Generator, text: str) -> Texture:
    width, height = SIZE, SIZE // SIGNS_PER_TEXTURE
    colours = int(rng.integers(len(_SIGN_COLOURS)))
    if text in CHAINS:  # all shops of a chain look alike
        colours = CHAINS.index(text) % len(_SIGN_COLOURS)
    background, letters = _SIGN_COLOURS[colours]
    image = Image.new('RGBA', (width, height), (*background, 255))
    draw = ImageDraw.Draw(image)
    size = _font_size(text)
    draw.rectangle((3, 3, width - 4, height - 4), outline=letters, width=4)
    draw.text((width / 2, height / 2), text, letters, sign_font(size), anchor='mm')
    return np.array(image)


@lru_cache
def sign_font(size: int) -> ImageFont.FreeTypeFont:
    """Return the packaged font, so that signs are the same on each machine; size in pixels."""
    data = (files('husky_placerec.campus') / 'fonts' / 'DejaVuSans-Bold.ttf').read_bytes()
    # The other layout engine of Pillow is not present in each of its builds.
    return ImageFont.truetype(BytesIO(data), size, layout_engine=ImageFont.Layout.BASIC)
