"""The places of a map as columns, and as the CSV file that holds them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
import csv
from dataclasses import dataclass
import hashlib
from itertools import islice
from pathlib import Path
from typing import TextIO

from husky_placerec.data.trajectory import QUATERNION_TOLERANCE
from husky_placerec.errors import InputError
from husky_placerec.types import Place, Pose
import numpy as np
from numpy.typing import NDArray

MOST_M = 1e8  # of a coordinate; a northing (UTM) has up to 1e7
COLUMNS = ('stamp_ns', 'x', 'y', 'z', 'qx', 'qy', 'qz', 'qw', 'track', 'cameras')
CAMERA_SEPARATOR = '+'
JUMP_M = 1000.0  # farther than two neighbours on a drive can be
CHUNK = 10_000  # rows at a time
MOST_LINE = 20_000  # letters of a row; a name of a drive has up to some hundreds
MOST_STAMP_NS = 2**63 - 1


@dataclass(frozen=True)
class Places:
    """
    Places in the order of their descriptors.

    :param stamps_ns: [N] int64.
    :param poses: [N, 7] x y z qx qy qz qw of `base_link` in the map frame.
    :param tracks: [N] names of the drives.
    :param present: [N, C] bool, which cameras saw the place.
    """

    stamps_ns: NDArray[np.int64]
    poses: NDArray[np.float64]
    tracks: tuple[str, ...]
    present: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.stamps_ns)

    def place(self, index: int, cameras: Sequence[str]) -> Place:
        """Return one place; `cameras` are the names of the columns of `present`."""
        there = tuple(name for name, seen in zip(cameras, self.present[index]) if seen)
        pose = Pose.from_array(self.poses[index])
        return Place(int(self.stamps_ns[index]), pose, self.tracks[index], there)

    def chosen(self, indices: NDArray[np.int64]) -> Places:
        """Return some of the places, in that order."""
        tracks = tuple(self.tracks[i] for i in indices)
        return Places(self.stamps_ns[indices], self.poses[indices], tracks, self.present[indices])

    def fingerprint(self) -> str:
        """Return a SHA-256 of which places these are: stamps, tracks and cameras, not poses."""
        digest = hashlib.sha256(np.ascontiguousarray(self.stamps_ns, np.int64).tobytes())
        digest.update(np.ascontiguousarray(self.present).tobytes())
        digest.update('\n'.join(self.tracks).encode())
        return digest.hexdigest()

    def duplicate(self) -> tuple[str, int] | None:
        """Return track and stamp of a place that is there twice, None where none is."""
        seen: dict[str, list[int]] = {}
        for place, track in enumerate(self.tracks):
            seen.setdefault(track, []).append(place)
        for track, indices in seen.items():
            stamps, counts = np.unique(self.stamps_ns[indices], return_counts=True)
            if (counts > 1).any():
                return track, int(stamps[counts > 1][0])
        return None

    def jumps(self) -> list[str]:
        """Return warnings about neighbours on a track that are over JUMP_M apart."""
        apart = np.linalg.norm(np.diff(self.poses[:, :3], axis=0), axis=1)
        return [
            f'track {self.tracks[i]}: {apart[i] / 1000:.1f} km from the place at '
            f'{self.stamps_ns[i]} to the next at {self.stamps_ns[i + 1]}'
            for i in np.flatnonzero(apart > JUMP_M)
            if self.tracks[i] == self.tracks[i + 1]
        ]

    def write_csv(self, path: Path, cameras: Sequence[str]) -> None:
        """Write the places as CSV."""
        names: dict[bytes, str] = {}
        with path.open('w', encoding='utf-8', newline='') as file:
            file.write(','.join(COLUMNS) + '\n')
            # All names are quoted, because csv does not quote a lone carriage return.
            writer = csv.writer(file, lineterminator='\n', quoting=csv.QUOTE_NONNUMERIC)
            columns = zip(self.stamps_ns.tolist(), self.poses.tolist(), self.tracks, self.present)
            for stamp, pose, track, present in columns:
                key = present.tobytes()
                if key not in names:
                    there = (name for name, seen in zip(cameras, present) if seen)
                    names[key] = CAMERA_SEPARATOR.join(there)
                # csv writes the repr of a float, which reads back as the same number
                writer.writerow([stamp, *pose, track, names[key]])

    @classmethod
    def read_csv(cls, path: Path, cameras: Sequence[str]) -> Places:
        """
        Read what `write_csv` wrote.

        :raises InputError: that names the file and the line.
        """
        try:
            with path.open(encoding='utf-8', newline='') as file:
                rows = csv.reader(_lines(file, path))
                header = next(rows, None)
                if header is None or tuple(header) != COLUMNS:
                    raise InputError(f'{path}: expected the columns {", ".join(COLUMNS)}')
                parser = _Parser(path, cameras)
                parts = []
                while chunk := list(islice(rows, CHUNK)):
                    parts.append(parser.parse(chunk))
        except (UnicodeDecodeError, csv.Error) as error:
            raise InputError(f'{path}: cannot be read as CSV ({error})') from error
        parts = parts or [parser.parse([])]
        return joined(parts)


def joined(parts: Sequence[Places]) -> Places:
    """Concatenate places."""
    return Places(
        np.concatenate([part.stamps_ns for part in parts]),
        np.concatenate([part.poses for part in parts]),
        tuple(track for part in parts for track in part.tracks),
        np.concatenate([part.present for part in parts]),
    )


class _Parser:
    """Parse rows of text into places, many at a time; an error names the line."""

    def __init__(self, path: Path, cameras: Sequence[str]) -> None:
        self._path = path
        self._cameras = cameras
        self._line = 2
        self._present: dict[str, list[bool]] = {}
        self._tracks: dict[str, str] = {}  # one string object per track

    def parse(self, rows: list[list[str]]) -> Places:
        try:
            places = self._parse(rows)
        except ValueError:
            for number, row in enumerate(rows, self._line):
                try:
                    self._parse([row])
                except ValueError as error:
                    raise InputError(f'{self._path}:{number}: not a place ({error})') from error
            raise
        self._line += len(rows)
        return places

    def _parse(self, rows: list[list[str]]) -> Places:
        if any(len(row) != len(COLUMNS) for row in rows):
            raise ValueError(f'expected {len(COLUMNS)} columns')
        stamps = np.array([_stamp(row[0]) for row in rows], np.int64)
        values = [float(text) for row in rows for text in row[1:8]]
        poses = np.array(values, np.float64).reshape(-1, 7)
        check_poses(poses)
        tracks = tuple(self._tracks.setdefault(row[8], row[8]) for row in rows)
        present = [self._seen_by(row[9]) for row in rows]
        return Places(
            stamps, poses, tracks, np.array(present, np.bool_).reshape(-1, len(self._cameras))
        )

    def _seen_by(self, text: str) -> list[bool]:
        if text not in self._present:
            names = text.split(CAMERA_SEPARATOR) if text else []
            unknown = sorted(set(names) - set(self._cameras))
            if unknown:
                raise ValueError(f'no camera {", ".join(unknown)}')
            self._present[text] = [name in names for name in self._cameras]
        return self._present[text]


def _lines(file: TextIO, path: Path) -> Iterator[str]:
    """Yield the lines of a file, none of which is so long that it exhausts the memory."""
    while line := file.readline(MOST_LINE + 1):
        if len(line) > MOST_LINE:
            raise InputError(f'{path}: a line has over {MOST_LINE} letters; expected a place')
        yield line


def _stamp(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MOST_STAMP_NS))):
        raise ValueError(f'stamp_ns is {text[:40]!r}')
    stamp_ns = int(text)
    if stamp_ns > MOST_STAMP_NS:
        raise ValueError(f'stamp_ns is {text}; expected at most {MOST_STAMP_NS}')
    return stamp_ns


def check_poses(poses: NDArray[np.float64]) -> None:
    """
    Check [N, 7] poses.

    :raises ValueError: for numbers that are not finite, positions off the Earth, or quaternions
        that are not unit.
    """
    if not np.isfinite(poses).all():
        raise ValueError('a pose is seven finite numbers')
    if np.abs(poses[:, :3]).max(initial=0) > MOST_M:
        raise ValueError(
            f'a position is {np.abs(poses[:, :3]).max():.3g} m; expected up to {MOST_M:.0e} m'
        )
    norms = np.linalg.norm(poses[:, 3:], axis=1)
    wrong = np.flatnonzero(abs(norms - 1) > QUATERNION_TOLERANCE)
    if len(wrong):
        raise ValueError(f'the quaternion has length {norms[wrong[0]]:.3f} instead of 1')
