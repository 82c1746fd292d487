"""The pixels of a camera that always show the robot itself: polygons or a picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
import re

import cv2
from husky_placerec.errors import InputError
import numpy as np
from numpy.typing import NDArray

POLYGON = re.compile(r'[\d.\s,;eE+-]+')
MOST_BYTES = 64 << 20  # of a picture
FORM = (
    'x,y of three corners or more in shares of width and height (0 to 1), separated by blanks, '
    'polygons by semicolons; or a picture that is not black where the robot is'
)


@dataclass(frozen=True)
class EgoMask:
    """
    Where the robot itself is in the images of a camera.

    :param polygons: corners [N, 2] as shares of width and height, of each polygon.
    :param picture: a file's bytes, not black where the robot is; empty: the polygons tell.
    """

    polygons: tuple[tuple[tuple[float, float], ...], ...] = ()
    picture: bytes = b''

    @classmethod
    def parse(cls, text: str, source: str) -> EgoMask | None:
        """
        Read the parameter of a camera; None for an empty one.

        :param source: name of the parameter.
        :raises InputError: for a text that is neither polygons nor a readable picture.
        """
        if not text.strip():
            return None
        if POLYGON.fullmatch(text):
            return cls(tuple(_corners(each, source) for each in text.split(';') if each.strip()))
        data = _read(Path(text), source)
        if _grey(data) is None:
            raise InputError(f'{source}: {text} does not decode as a picture; expected {FORM}')
        return cls(picture=data)

    def hidden(self, size: tuple[int, int]) -> NDArray[np.bool_]:
        """Return [H, W], whether a pixel shows the robot, for images of a height and width."""
        return _hidden(self, size)


@lru_cache(maxsize=16)  # all images of a camera have the same size
def _hidden(mask: EgoMask, size: tuple[int, int]) -> NDArray[np.bool_]:
    height, width = size
    if mask.picture:
        grey = _grey(mask.picture)
        assert grey is not None
        whole = cv2.resize(grey, (width, height), interpolation=cv2.INTER_NEAREST)
        return np.asarray(whole > 0)
    drawn = np.zeros(size, np.uint8)
    for polygon in mask.polygons:
        corners = np.round(np.array(polygon) * [width, height] - 0.5).astype(np.int32)
        cv2.fillPoly(drawn, [corners], 255)
    return np.asarray(drawn > 0)


def _corners(text: str, source: str) -> tuple[tuple[float, float], ...]:
    try:
        corners = [tuple(float(n) for n in corner.split(',')) for corner in text.split()]
    except ValueError:
        corners = []
    good = len(corners) >= 3 and all(
        len(corner) == 2 and all(0 <= number <= 1 for number in corner) for corner in corners
    )
    if not good:
        raise InputError(f'{source} is {text!r}; expected {FORM}')
    return tuple((corner[0], corner[1]) for corner in corners)


def _read(file: Path, source: str) -> bytes:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise InputError(f'{source}: {file} is larger than {MOST_BYTES >> 20} MB')
        return file.read_bytes()
    except OSError as error:
        raise InputError(f'{source}: {file} cannot be read ({error}); expected {FORM}') from error


def _grey(data: bytes) -> NDArray[np.uint8] | None:
    """Return [H, W] grey values of a picture; None if it does not decode."""
    try:
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    except cv2.error:
        return None
    return None if found is None else np.asarray(found, np.uint8)
