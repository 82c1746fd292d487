"""The reading of image files, and their index where stamps are their names."""

from __future__ import annotations

import os
from pathlib import Path
import stat

from husky_placerec.data.stamps import parse_stamp
from husky_placerec.errors import InputError

SUFFIXES = ('.png', '.jpg', '.jpeg', '.bmp', '.webp')
MICROSECOND_NS = 1000
MAX_BYTES = 1 << 29  # of an image file; a larger one is not read


def read_image(file: Path) -> bytes:
    """
    Return the bytes of an image file.

    :raises InputError: for anything but a readable file of at most MAX_BYTES.
    """
    try:
        # A FIFO, whose opening would wait for ever, is opened without waiting, and then refused.
        with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK), 'rb') as opened:
            about = os.fstat(opened.fileno())
            if not stat.S_ISREG(about.st_mode) or about.st_size > MAX_BYTES:
                raise InputError(
                    f'{file}: expected an image file of at most {MAX_BYTES >> 20} MB; found '
                    f'{about.st_size >> 20} MB, {stat.filemode(about.st_mode)}'
                )
            return opened.read()
    except OSError as error:
        raise InputError(f'{file}: cannot be read ({error})') from error


class ImageIndex:
    """
    The images of a folder by their stamps in microseconds.

    Tables and file names may have different units. No camera takes two images in a microsecond.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: dict[int, str] = {}
        if not folder.is_dir():
            return
        for entry in os.scandir(folder):
            stem, suffix = os.path.splitext(entry.name)
            if suffix.lower() in SUFFIXES:
                try:
                    self._names[parse_stamp(stem) // MICROSECOND_NS] = entry.name
                except (ValueError, ArithmeticError):
                    continue  # not a stamp, but a plot or a thumbnail

    def find(self, stamp_ns: int) -> Path | None:
        """Return the image of a stamp; None without one."""
        name = self._names.get(stamp_ns // MICROSECOND_NS)
        return self._folder / name if name is not None else None
