"""Reading of signs that the tests draw as a camera sees them: slanted, blurred, compressed."""

from __future__ import annotations

from collections.abc import Sequence
import sys

import cv2
from husky_placerec.errors import InputError
from husky_placerec.texts import ocr
from husky_placerec.texts.encoders import fold, load_encoder
from husky_placerec.texts.ocr import SignReader, upright
import numpy as np
import pytest
from support.signs import photograph, SIGNS

NEEDS = ('PIL',)


@pytest.fixture(scope='module')
def reader():
    try:
        return SignReader()
    except InputError as error:
        pytest.skip(str(error))


def test_russian_and_english_signs_are_read_in_perspective(reader):
    quads = [corners for _, _, corners in SIGNS.values()]
    found = reader.read(photograph(), quads, 'front')
    read = {seen.quad: seen for seen in found}
    for text, (_, _, corners) in SIGNS.items():
        seen = read[tuple((x / 640, y / 400) for x, y in corners)]
        assert fold(seen.text) == fold(text)
        assert seen.confidence > 0.6
        assert seen.camera == 'front'
    areas = [abs(cv2.contourArea(np.float32(seen.quad))) for seen in found]
    assert areas[0] > areas[-1]


def test_hardly_anything_is_read_of_blur(reader):
    quads = [corners for _, _, corners in SIGNS.values()]
    found = reader.read(photograph(blur=9), quads, 'front')
    encoder = load_encoder('ngrams')
    sure = [seen.text for seen in found if seen.confidence >= 0.7]
    assert not sure or (encoder.encode(sure) @ encoder.encode([*SIGNS]).T).max() < encoder.alike


def test_a_wall_and_broken_corners_give_nothing(reader):
    wall = photograph({})
    nan = float('nan')
    quads = [
        [(10, 10), (200, 10), (200, 60), (10, 60)],
        [(nan, 0), (9, 9), (9, 20), (0, 20)],
        [(0, 0), (100, 0), (100, 3), (0, 3)],  # too flat
        [(0, 0), (100, 50), (100, 0), (0, 50)],  # crosses itself
        [(1e9, 0), (2e9, 0), (2e9, 1e8), (1e9, 1e8)],
        [(0, 0), (1, 1)],
    ]
    assert [seen for seen in reader.read(wall, quads, 'back') if seen.confidence >= 0.7] == []
    assert reader.read(wall, [], 'back') == ()


def test_signs_for_which_there_is_no_time_are_left(reader):
    hasty = SignReader(budget_s=-1.0)
    assert hasty.read(photograph(), [SIGNS['PIZZA'][2]], 'front') == ()
    assert reader.read(photograph(), [SIGNS['PIZZA'][2]], 'front')


def test_what_tesseract_returns_is_tidied(reader, monkeypatch):
    """The real one cannot be made to return garbage at will."""

    class Garbage:
        def __init__(self, text: str) -> None:
            self.text = text

        def SetImageBytes(self, *args: Sequence[int]) -> None:
            """Take an image."""

        def SetSourceResolution(self, value: int) -> None:
            """Take a resolution."""

        def GetUTF8Text(self) -> str:
            return self.text

        def MeanTextConf(self) -> int:
            return 250

    other, quads = SignReader.__new__(SignReader), [SIGNS['PIZZA'][2]]
    vars(other).update(vars(reader))
    for text in ('', None, 'x' * 10_000, '\x00\x1b', '~~ |'):
        monkeypatch.setitem(vars(other), '_api', Garbage(text))
        assert other.read(photograph(), quads, 'front') == ()
    monkeypatch.setitem(vars(other), '_api', Garbage('Кафе\x00\n'))
    (seen,) = other.read(photograph(), quads, 'front')
    assert (seen.text, seen.confidence) == ('Кафе', 1.0)


def test_a_sign_is_seen_from_its_front_with_dark_letters():
    for text in ('АПТЕКА', 'LIBRARY 12'):
        crop = upright(photograph(), SIGNS[text][2])
        rows, columns = crop.shape
        assert columns > 2 * rows
        assert np.median(crop) > 150 > 60 > crop.min()


def test_missing_ocr_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, 'tesserocr', None)
    with pytest.raises(InputError, match=r'tesserocr is not installed.*husky_placerec\[texts\]'):
        SignReader()


def test_missing_languages_say_what_to_install(reader, monkeypatch, tmp_path):
    monkeypatch.setattr(ocr, 'LANGUAGES', ('rus', 'tlh'))
    monkeypatch.setenv('TESSDATA_PREFIX', str(tmp_path))
    with pytest.raises(InputError, match='apt install tesseract-ocr-rus tesseract-ocr-tlh'):
        SignReader()
