"""A text is tidied before it counts: an OCR and a file of a stranger may give anything."""

from __future__ import annotations

from husky_placerec.texts.seen import SeenText, shares, tidy
import numpy as np
import pytest


@pytest.mark.parametrize(
    'given, expected',
    [
        ('АПТЕКА\n\n', 'АПТЕКА'),
        ('  Pizza \t Кафе\n№ 3 ', 'Pizza Кафе No 3'),
        ('кафе\u0301', 'кафе\u0301'),
        ('a\x1b[31mb\u202ec', 'a [31mb c'),
        ('|', ''),
        ('«—»!', ''),
        ('', ''),
        ('x', ''),
        ('A' * 64, 'A' * 64),
        ('A' * 65, ''),
        ('мусор ' * 1667, ''),
        ('\u200b' * 10_000, ''),
    ],
)
def test_a_text_is_tidied(given, expected):
    assert tidy(given) == expected


def test_a_box_is_told_in_shares_of_the_image():
    quad = shares([(10, 20), (110, 10), (110, 30), (10, 40)], 200, 100)
    seen = SeenText('ВХОД', 'front', 0.9, quad)
    assert quad == ((0.05, 0.2), (0.55, 0.1), (0.55, 0.3), (0.05, 0.4))
    assert seen.middle == pytest.approx((0.3, 0.25))
    assert seen.height == pytest.approx(0.2)


def test_words_without_a_box_have_no_place():
    seen = SeenText('ВХОД', 'front', 0.9)
    assert np.isnan([*seen.middle, seen.height]).all()
