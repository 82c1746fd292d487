"""
A folder of images with a CSV that lists them.

The CSV (any name; separated by comma, semicolon or tab) has a header and a line a frame:

- `stamp` (or `timestamp`): 19 digits are ns, 16 digits us, else seconds;
- a column a camera, named as the camera, with paths relative to the CSV: `front`, `back`; where a
  camera has stamps of its own they are in `front_stamp`, `back_stamp`;
- if poses are known: x, y, z (or tx, ty, tz) in metres with qx, qy, qz, qw or `yaw` in radians.
"""

from __future__ import annotations

from functools import cached_property
import os
from pathlib import Path

from husky_placerec.data.image_index import SUFFIXES
from husky_placerec.data.pose_file import stamp_column
from husky_placerec.data.pose_table import pose_reader
from husky_placerec.data.stored import StoredFrame, StoredSource
from husky_placerec.data.tables import read_table, Row, Table
from husky_placerec.errors import InputError

OWN_STAMP = '_stamp'
EXPECTED = 'a CSV with a column "stamp" and a column of image paths a camera'


def has_images(path: Path) -> bool:
    """Return whether a path is a CSV that lists images, or a folder with one."""
    return bool(_listings(path))


def _listings(path: Path) -> list[Table]:
    files = [path] if path.is_file() else sorted(filter(Path.is_file, path.glob('*.csv')))
    tables = [read_table(file) for file in files]
    return [table for table in tables if stamp_column(table) and _path_columns(table)]


def _path_columns(table: Table) -> list[str]:
    """Return the columns whose first value is a file name of an image."""
    first = {name: _first(table, name) for name in table.columns if name}
    return [name for name, text in first.items() if Path(text).suffix.lower() in SUFFIXES]


def _first(table: Table, column: str) -> str:
    return next(filter(None, (row.text(column) for row in table.rows)), '')


class ImageFolder(StoredSource):
    """
    A folder of images with a CSV, or that CSV.

    :raises InputError: on entering, for no such CSV, several, or a line without a stamp.
    """

    @cached_property
    def tables(self) -> list[Path]:
        """The CSV files that list the frames."""
        return [table.path for table in _listings(self.path)]

    def _read(self) -> list[StoredFrame]:
        tables = _listings(self.path)
        if len(tables) != 1:
            found = ', '.join(table.path.name for table in tables) or 'none'
            raise InputError(f'{self.path}: expected {EXPECTED}; found {found}')
        (table,) = tables
        self.table_name = table.path.name
        self.cameras = tuple(_path_columns(table))
        poses = pose_reader(table.columns)
        stamp = stamp_column(table) or ''
        frames = []
        for row in table.rows:
            try:
                stamp_ns = row.stamp_ns(stamp)
                if stamp_ns is None:
                    raise InputError(f'{table.path}:{row.number}: no {stamp}')
                pose = poses(row) if poses is not None else []
                frames.append(StoredFrame(stamp_ns, self._images(row, stamp_ns), pose))
            except InputError as error:
                self._broken_row(error, table)
                continue
            if not pose and poses is not None:
                self.problems.note('row without a pose', row.where)
        return frames

    def _images(self, row: Row, frame_ns: int) -> dict[str, tuple[int, Path]]:
        images = {}
        for name in self.cameras:
            text = row.text(name)
            file = row.path.parent / text
            own_ns = row.stamp_ns(name + OWN_STAMP)
            if text:
                self._check_inside(file, row.path.parent, row.where)
            if text and os.path.isfile(file):
                images[name] = (frame_ns if own_ns is None else own_ns), file
            else:
                self.problems.note(f'missing {name} image', text or row.where)
        return images
