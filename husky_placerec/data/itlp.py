"""
The reader of ITLP-Campus tracks, in the public edition and in that of the hackathon.

https://github.com/OPR-Project/ITLP-Campus. The public edition has one folder per track:
`track.csv` (timestamp, front_cam_ts, back_cam_ts, lidar_ts, tx ty tz qx qy qz qw),
`front_cam/<stamp>.png`, `back_cam/`, `masks/<camera>/`, `text_labels/`. The hackathon's has
train.csv, val.csv and test.csv with a column `track` (and sometimes `floor`), beside one folder
per track with the images.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from husky_placerec.config import Config
from husky_placerec.data.annotations import Annotations, TextLabel
from husky_placerec.data.image_index import ImageIndex
from husky_placerec.data.masks import EncodedMask, table_of
from husky_placerec.data.odometry_table import ODOMETRY_TABLE
from husky_placerec.data.pose_table import pose_reader
from husky_placerec.data.stored import StoredFrame, StoredImage, StoredSource
from husky_placerec.data.tables import read_header, read_table, Row, Table
from husky_placerec.errors import InputError
import numpy as np
from numpy.typing import NDArray

TRACK_TABLE = 'track.csv'
SPLITS = ('train.csv', 'val.csv', 'test.csv')
STAMP_COLUMN = 'timestamp'
SUFFIX = '_ts'
CAMERA_SUFFIX = '_cam'  # a camera `front` has the column front_cam_ts and the folder front_cam


def is_track(path: Path) -> bool:
    """Return whether a path is a track, a folder of tracks, or one of their tables."""
    return bool(_tables(path) or _tables_above(path))


def _tables(path: Path) -> list[Path]:
    """Return the tables in a folder that list frames; a file is its own table."""
    if path.is_file():
        return [path] if path.name == TRACK_TABLE or _is_split(path) else []
    if (path / TRACK_TABLE).is_file():
        return [path / TRACK_TABLE]
    return [path / name for name in SPLITS if _is_split(path / name)]


def _is_split(file: Path) -> bool:
    return file.suffix == '.csv' and file.is_file() and 'track' in read_header(file)


def _tables_above(path: Path) -> list[Path]:
    """Return the tables of the parent folder that have this folder as a track."""
    if not path.is_dir():
        return []
    splits = [path.resolve().parent / name for name in SPLITS]
    name = path.resolve().name
    return [
        file
        for file in splits
        if _is_split(file) and any(row.text('track') == name for row in read_table(file).rows)
    ]


class Track(StoredSource):
    """
    A track, or several tracks of the hackathon's edition in a row.

    The stamp of a frame is the `timestamp` of its row, at which its pose is exact. Its images have
    their own stamps. Missing and broken files are noted in `problems`.

    :raises InputError: on entering, for tables that cannot be read or have no camera.
    """

    @cached_property
    def tables(self) -> list[Path]:
        """The tables that list the frames."""
        return _tables(self.path) or _tables_above(self.path)

    @property
    def root(self) -> Path:
        """The folder that paths in messages are relative to."""
        return self.tables[0].parent

    @property
    def odometry_tables(self) -> list[Path]:
        """The tables of the odometry; a track of the hackathon has its own."""
        tracks = {row.text('track') for file in self.tables for row in read_table(file).rows}
        wanted = sorted(tracks if _tables(self.path) else {self.path.resolve().name})
        return [self.root / track / ODOMETRY_TABLE for track in wanted]

    def _read(self) -> list[StoredFrame]:
        if not self.tables:
            raise InputError(
                f'{self.path}: expected {TRACK_TABLE}, or {", ".join(SPLITS)} with a column track'
            )
        self.table_name = '+'.join(file.name for file in self.tables)
        self._indices: dict[Path, ImageIndex] = {}
        self._beside: dict[Path, Annotations] = {}
        self._only = (
            '' if _tables(self.path) else self.path.resolve().name
        )  # the one track of several to read
        return [frame for file in self.tables for frame in self._read_table(read_table(file))]

    def mask(self, camera: str, stamp_ns: int) -> NDArray[np.uint8] | None:
        """
        Return the mask of an image, [H, W] classes of Mapillary Vistas, 0 to 64.

        :param stamp_ns: of the image. The result is None, and noted, if it has no mask.
        """
        notes = self._annotations(camera, stamp_ns)
        return notes.mask(camera + CAMERA_SUFFIX, stamp_ns) if notes is not None else None

    def _masks(self, config: Config, stamps_ns: Mapping[str, int]) -> dict[str, EncodedMask]:
        found = {}
        for camera, stamp_ns in stamps_ns.items() if config.masks else ():
            notes = self._annotations(camera, stamp_ns)
            file = notes.mask_file(camera + CAMERA_SUFFIX, stamp_ns) if notes else None
            if file is not None:
                found[camera] = EncodedMask(StoredImage(file), table_of(config), str(file))
        return found

    def texts(self, camera: str, stamp_ns: int) -> list[TextLabel]:
        """Return the texts of an image, in the order of the table."""
        notes = self._annotations(camera, stamp_ns)
        return notes.texts(camera + CAMERA_SUFFIX, stamp_ns) if notes is not None else []

    def _annotations(self, camera: str, stamp_ns: int) -> Annotations | None:
        """Return the annotations of the track folder of an image."""
        for folder, index in self._indices.items():
            if folder.name == camera + CAMERA_SUFFIX and index.find(stamp_ns) is not None:
                place = self.root / folder.parent
                if place not in self._beside:
                    self._beside[place] = Annotations(place, self.problems)
                return self._beside[place]
        return None

    def _read_table(self, table: Table) -> list[StoredFrame]:
        columns = {_camera_name(name): name for name in table.columns if _is_camera(name)}
        if not columns:
            raise InputError(
                f'{table.path}: found the columns {", ".join(table.columns)}; '
                'expected timestamp, and a column a camera such as front_cam_ts'
            )
        self.cameras = tuple(dict.fromkeys([*self.cameras, *columns]))
        poses = pose_reader(table.columns)
        frames = []
        for row in table.rows:
            if self._only and row.text('track') != self._only:
                continue
            stamps = {name: self._stamp(row, column) for name, column in columns.items()}
            frame_ns = self._stamp(row, STAMP_COLUMN)
            known = [stamp_ns for stamp_ns in (frame_ns, *stamps.values()) if stamp_ns is not None]
            try:
                pose = poses(row) if poses is not None else []
            except InputError as error:
                self._broken_row(error, table)
                pose = []
            if not pose and poses is not None:
                self.problems.note('row without a pose', row.where)
            if known:
                frames.append(StoredFrame(known[0], self._images(row, columns, stamps), pose))
        return frames

    def _stamp(self, row: Row, column: str) -> int | None:
        """Return a stamp; an unreadable one is noted, and its image is left out."""
        try:
            return row.stamp_ns(column)
        except InputError as error:
            self.problems.note('stamp that cannot be read', str(error))
            return None

    def _images(
        self, row: Row, columns: Mapping[str, str], stamps: Mapping[str, int | None]
    ) -> dict[str, tuple[int, Path]]:
        images = {}
        for name, stamp_ns in stamps.items():
            folder = Path(row.text('track'), row.text('floor'), columns[name].removesuffix(SUFFIX))
            if stamp_ns is None:
                self.problems.note(f'row without a stamp of the {name} image', row.where)
            elif file := self._find(folder, stamp_ns):
                self._check_inside(file, self.root, row.where)
                images[name] = stamp_ns, file
            else:
                shown = folder / f'{row.text(columns[name])}.png'
                self.problems.note(f'missing {name} image', shown.as_posix())
        return images

    def _find(self, folder: Path, stamp_ns: int) -> Path | None:
        if folder not in self._indices:
            self._indices[folder] = ImageIndex(self.root / folder)
        return self._indices[folder].find(stamp_ns)


def _is_camera(column: str) -> bool:
    return column.endswith(CAMERA_SUFFIX + SUFFIX)


def _camera_name(column: str) -> str:
    return column.removesuffix(CAMERA_SUFFIX + SUFFIX)
