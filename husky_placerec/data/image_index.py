"""Image files that are named by their stamps, found by a stamp in any unit."""

from __future__ import annotations

import os
from pathlib import Path

from husky_placerec.data.stamps import parse_stamp

SUFFIXES = ('.png', '.jpg', '.jpeg', '.bmp', '.webp')
MICROSECOND_NS = 1000


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
