"""
Reading of signs by tesseract: each sign is warped upright before it is read.

On the whole image, or on upright boxes of slanted signs, tesseract reads next to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
import os
from pathlib import Path
import threading
import time
from typing import Any

import cv2
from husky_placerec.errors import InputError
from husky_placerec.texts.seen import SeenText, shares, tidy
from husky_placerec.types import Floats, Pixels
import numpy as np

LANGUAGES = 'rus', 'eng'
CROP_PX = 64  # height of an upright sign
LEAST_PX, WIDEST, TALLEST = 8.0, 20.0, 3.0  # of a sign: height, and width by height either way
INSET = 0.07  # of the height of a sign: its frame, which is read as a letter otherwise
MARGIN_PX = 12  # of the colour of the sign, around it
MOST_SIGNS = 30  # of an image, the largest first

Quad = Sequence[Sequence[float]] | Floats


class SignReader:
    """
    Reads the texts of signs whose corners are known.

    One thread at a time reads; others wait.

    :param budget_s: time for the signs of one image; those for which there is none are left.
    :raises InputError: where tesserocr or its data for a language is missing.
    """

    def __init__(self, budget_s: float = float('inf')) -> None:
        self._budget_s = budget_s
        self._api = _tesseract()
        self._lock = threading.Lock()

    def read(self, image: Pixels, quads: Sequence[Quad], camera: str) -> tuple[SeenText, ...]:
        """
        Return the texts of signs, the largest sign first; signs without a text are left out.

        :param image: [H, W, 3] RGB.
        :param quads: x y of the corners upper left, upper right, lower right and lower left of
            each sign, in pixels; they may lie outside of the image.
        """
        height, width = image.shape[:2]
        found = []
        with self._lock:
            began = time.monotonic()
            for quad in _largest_first(quads):
                if time.monotonic() - began > self._budget_s:
                    break
                text, confidence = self._line(upright(image, quad))
                if text:
                    found.append(SeenText(text, camera, confidence, shares(quad, width, height)))
        return tuple(found)

    def _line(self, crop: Pixels) -> tuple[str, float]:
        """Return the line of text of an upright crop, and the mean confidence of its words."""
        rows, columns = crop.shape
        self._api.SetImageBytes(crop.tobytes(), columns, rows, 1, columns)
        self._api.SetSourceResolution(150)  # else tesseract guesses it, and says so
        text = tidy(self._api.GetUTF8Text() or '')
        return text, min(max(self._api.MeanTextConf() / 100, 0.0), 1.0)


def upright(image: Pixels, quad: Quad) -> Pixels:
    """
    Return a sign seen from its front, [H, W] grey, dark letters on a light ground.

    :param quad: as in `SignReader.read`.
    """
    corners = np.asarray(quad, np.float64)
    (width, height), shown = _size(corners), CROP_PX
    inset = INSET * height
    across = max(CROP_PX // 2, min(round(CROP_PX * width / height), round(CROP_PX * WIDEST)))
    scale = shown / height
    target = np.array([[0, 0], [across, 0], [across, shown], [0, shown]], np.float32) - np.float32(
        inset * scale
    )
    inner = (across - round(2 * inset * scale), shown - round(2 * inset * scale))
    warp = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    crop = cv2.warpPerspective(
        grey, warp, inner, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    low, high = np.percentile(crop, (2, 98))
    crop = np.clip((crop - low) * 255.0 / max(high - low, 1.0), 0, 255).astype(np.uint8)
    if np.median(crop) < 128:  # light letters cover less than their ground
        crop = 255 - crop
    ground = int(np.median(crop))
    return np.asarray(
        cv2.copyMakeBorder(crop, *(MARGIN_PX,) * 4, cv2.BORDER_CONSTANT, value=ground), np.uint8
    )


def _largest_first(quads: Sequence[Quad]) -> Iterator[Quad]:
    """Yield the signs that can be read, up to MOST_SIGNS."""
    sized = []
    for quad in quads:
        corners = np.asarray(quad, np.float64)
        if corners.shape != (4, 2) or not np.isfinite(corners).all():
            continue
        width, height = _size(corners)
        convex = cv2.isContourConvex(corners.astype(np.float32).reshape(-1, 1, 2))
        if convex and height >= LEAST_PX and height / TALLEST <= width <= height * WIDEST:
            sized.append((width * height, quad))
    for _, quad in sorted(sized, key=lambda pair: -pair[0])[:MOST_SIGNS]:
        yield quad


def _size(corners: Floats) -> tuple[float, float]:
    """Return the mean width and height of a sign in pixels."""
    edges = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    return float(edges[0] + edges[2]) / 2, float(edges[1] + edges[3]) / 2


def _tesseract() -> Any:
    try:
        from tesserocr import PSM, PyTessBaseAPI
    except ImportError as error:
        raise InputError(
            f"texts ocr: tesserocr is not installed ({error}); pip install 'husky_placerec[texts]'"
        ) from error
    data = _data_folder()
    return PyTessBaseAPI(path=f'{data}/', lang='+'.join(LANGUAGES), psm=PSM.SINGLE_LINE)


def _data_folder() -> Path:
    """
    Return the folder with the data of the languages.

    :raises InputError: that says what to install.
    """
    # The wheel of PyPI looks nowhere; these are the places of the distributions.
    places = [Path(os.environ.get('TESSDATA_PREFIX') or '/usr/share/tessdata')]
    places += sorted(Path('/usr/share/tesseract-ocr').glob('*/tessdata'))
    for place in (each for folder in places for each in (folder, folder / 'tessdata')):
        if all((place / f'{language}.traineddata').is_file() for language in LANGUAGES):
            return place
    packages = ' '.join(f'tesseract-ocr-{language}' for language in LANGUAGES)
    raise InputError(
        f'texts ocr: no data of the languages {", ".join(LANGUAGES)} in '
        f'{", ".join(map(str, places))}; apt install {packages}, or name their folder in '
        'TESSDATA_PREFIX'
    )
