"""Textures of signs on houses, with Latin and Cyrillic text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from io import BytesIO
from itertools import cycle

from husky_placerec.campus.surfaces import SIZE, Texture
import numpy as np
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

_SIGN_COLOURS = [  # background, letters
    ((20, 60, 140), (255, 255, 255)),
    ((245, 245, 240), (30, 30, 30)),
    ((150, 25, 30), (255, 240, 200)),
    ((25, 90, 50), (255, 255, 255)),
    ((30, 30, 30), (255, 200, 60)),
    ((250, 200, 40), (20, 20, 20)),
]


def sign_texts(rng: np.random.Generator, count: int) -> list[str]:
    """Return the texts of the signs of a campus; at least every second one has a number."""
    words = rng.permutation([*LATIN, *CYRILLIC]).tolist()
    numbers = rng.permutation(count) + 1  # all numbers differ, so that no two signs are the same
    return [
        words[index] if index < len(words) and index % 2 == 0 else f'{word} {number}'
        for index, (word, number) in enumerate(zip(cycle(words), numbers))
    ]


def sign_sheet(rng: np.random.Generator, texts: Sequence[str]) -> Texture:
    """Return one texture with the signs of SIGNS_PER_TEXTURE texts."""
    return np.concatenate([_sign(rng, text) for text in texts], axis=0)


def _sign(rng: np.random.Generator, text: str) -> Texture:
    width, height = SIZE, SIZE // SIGNS_PER_TEXTURE
    background, letters = _SIGN_COLOURS[int(rng.integers(len(_SIGN_COLOURS)))]
    image = Image.new('RGBA', (width, height), (*background, 255))
    draw = ImageDraw.Draw(image)
    size = 88
    while draw.textlength(text, sign_font(size)) > width - 42:
        size -= 4
    draw.rectangle((3, 3, width - 4, height - 4), outline=letters, width=4)
    draw.text((width / 2, height / 2), text, letters, sign_font(size), anchor='mm')
    return np.array(image)


@lru_cache
def sign_font(size: int) -> ImageFont.FreeTypeFont:
    """Return the packaged font, so that signs are the same on each machine; size in pixels."""
    data = (files('husky_placerec.campus') / 'fonts' / 'DejaVuSans-Bold.ttf').read_bytes()
    # The other layout engine of Pillow is not present in each of its builds.
    return ImageFont.truetype(BytesIO(data), size, layout_engine=ImageFont.Layout.BASIC)
