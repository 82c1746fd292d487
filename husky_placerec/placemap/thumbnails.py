"""Small pictures of the places, to show a place without its drive."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
import struct
from typing import Protocol
import zipfile

import cv2
from husky_placerec.errors import InputError
from husky_placerec.spool import Spool
from husky_placerec.types import Frame, Pixels
import numpy as np

WIDTH = 160
QUALITY = 80  # of the JPEGs, 0 to 100
MOST_BYTES = 4 * 2**20  # of a JPEG
# What zipfile raises for a file that is no archive, or whose directory is wrong.
BROKEN = (
    *(OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError),
    *(struct.error, OverflowError),
)


class Thumbnails(Protocol):
    """The JPEGs of places and cameras."""

    def jpeg(self, place: int, camera: str) -> bytes | None:
        """Return the picture of a camera at a place; None where there is none."""


class SpooledThumbnails:
    """
    Pictures of a map that is being built; many of them are kept in a file.

    :param cameras: the names of all cameras that may have one.
    """

    def __init__(self, cameras: Sequence[str]) -> None:
        self._cameras = tuple(cameras)
        self._spans = array('q')  # first byte and number of bytes, by place and camera
        self._jpegs = Spool()

    def add(self, jpegs: Mapping[str, bytes]) -> None:
        """
        Add the pictures of the next place.

        :raises InputError: where there is no room for them.
        """
        for camera in self._cameras:
            jpeg = jpegs.get(camera, b'')
            self._spans.extend((self._jpegs.append(jpeg), len(jpeg)))

    def jpeg(self, place: int, camera: str) -> bytes | None:
        """Return the picture of a camera at a place; None without one."""
        if camera not in self._cameras:
            return None
        at = 2 * (place * len(self._cameras) + self._cameras.index(camera))
        return self._jpegs.read(*self._spans[at : at + 2]) or None


class ThumbnailFile:
    """
    Pictures in a ZIP archive, read one by one. A picture that is damaged meanwhile counts as none.

    :raises InputError: for a file that is no archive.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._archive = zipfile.ZipFile(path)
            self._path = path
        except BROKEN as error:
            raise InputError(f'{path}: cannot be read as a ZIP archive ({error})') from error

    def jpeg(self, place: int, camera: str) -> bytes | None:
        """Return the picture of a camera at a place; None without one, or if it is broken."""
        try:
            about = self._archive.getinfo(_member(place, camera))
        except KeyError:
            return None
        # A compressed member of some kilobytes can have gigabytes.
        if about.compress_type != zipfile.ZIP_STORED or about.file_size > MOST_BYTES:
            raise InputError(
                f'{self._path}: {about.filename} has {about.file_size} bytes, compressed by '
                f'method {about.compress_type}; expected up to {MOST_BYTES}, not compressed'
            )
        try:
            return self._archive.read(about)
        except BROKEN as error:
            raise InputError(f'{self._path}: {about.filename} cannot be read ({error})') from error


def chosen(
    parts: Sequence[tuple[Thumbnails | None, Sequence[int]]], cameras: Sequence[str]
) -> SpooledThumbnails | None:
    """Return the pictures of some places of several maps, in order; None if no map has any."""
    if all(thumbnails is None for thumbnails, _ in parts):
        return None
    found = SpooledThumbnails(cameras)
    for thumbnails, places in parts:
        for place in places:
            jpegs = {} if thumbnails is None else _of_place(thumbnails, place, cameras)
            found.add(jpegs)
    return found


def make_thumbnails(frame: Frame[Pixels], width: int) -> dict[str, bytes]:
    """Return a JPEG of each image of a frame, at most `width` pixels wide."""
    return {camera: _small_jpeg(image, width) for camera, image in frame.images.items()}


def write_thumbnails(
    path: Path, thumbnails: Thumbnails, places: int, cameras: Sequence[str]
) -> None:
    """Write the pictures as a ZIP archive; equal pictures make equal bytes."""
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_STORED) as archive:
        for place in range(places):
            for camera, jpeg in _of_place(thumbnails, place, cameras).items():
                archive.writestr(zipfile.ZipInfo(_member(place, camera)), jpeg)


def _member(place: int, camera: str) -> str:
    return f'{place:07d}_{camera}.jpg'


def _of_place(thumbnails: Thumbnails, place: int, cameras: Sequence[str]) -> dict[str, bytes]:
    jpegs = {camera: thumbnails.jpeg(place, camera) for camera in cameras}
    return {camera: jpeg for camera, jpeg in jpegs.items() if jpeg is not None}


def _small_jpeg(image: Pixels, width: int) -> bytes:
    scale = min(1.0, width / image.shape[1])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    small = cv2.resize(np.ascontiguousarray(image[..., ::-1]), size, interpolation=cv2.INTER_AREA)
    quality = [int(cv2.IMWRITE_JPEG_QUALITY), QUALITY]
    return bytes(cv2.imencode('.jpg', small, quality)[1].tobytes())
