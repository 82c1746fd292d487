"""The places of a map as columns, and as the CSV file that holds them."""

from __future__ import annotations

from collections.abc import Sequence
import csv
from dataclasses import dataclass
import io
from pathlib import Path

from husky_placerec.data.trajectory import QUATERNION_TOLERANCE
from husky_placerec.errors import InputError
from husky_placerec.types import Place, Pose
import numpy as np
from numpy.typing import NDArray

COLUMNS = ('stamp_ns', 'x', 'y', 'z', 'qx', 'qy', 'qz', 'qw', 'track', 'cameras')
CAMERA_SEPARATOR = '+'


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
        there = tuple(name for name, seen in zip(cameras, self.present[index]) if seen)
        pose = Pose.from_array(self.poses[index])
        return Place(int(self.stamps_ns[index]), pose, self.tracks[index], there)

    def to_csv(self, cameras: Sequence[str]) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator='\n')
        writer.writerow(COLUMNS)
        for i in range(len(self)):
            names = self.place(i, cameras).cameras
            # repr of a float is the shortest text that reads back as the same number
            numbers = [repr(float(value)) for value in self.poses[i]]
            track = self.tracks[i]
            writer.writerow([self.stamps_ns[i], *numbers, track, CAMERA_SEPARATOR.join(names)])
        return text.getvalue().encode()

    @classmethod
    def from_csv(cls, path: Path, cameras: Sequence[str]) -> Places:
        """
        Read what `to_csv` wrote.

        :raises InputError: that names the file and the line.
        """
        with path.open(encoding='utf-8', newline='') as file:
            rows = list(csv.reader(file))
        if not rows or tuple(rows[0]) != COLUMNS:
            raise InputError(f'{path}: expected the columns {", ".join(COLUMNS)}')
        stamps, poses, tracks, present = [], [], [], []
        for number, row in enumerate(rows[1:], 2):
            try:
                stamp, *pose, track, names = row
                stamps.append(int(stamp))
                poses.append([float(value) for value in pose])
                there = names.split(CAMERA_SEPARATOR) if names else []
                unknown = set(there) - set(cameras)
                _check_pose(poses[-1])
            except ValueError as error:
                raise InputError(f'{path}:{number}: not a place ({error})') from error
            if unknown:
                raise InputError(f'{path}:{number}: no camera {", ".join(sorted(unknown))}')
            tracks.append(track)
            present.append([name in there for name in cameras])
        return cls(
            np.array(stamps, np.int64),
            np.array(poses, np.float64).reshape(-1, 7),
            tuple(tracks),
            np.array(present, np.bool_).reshape(-1, len(cameras)),
        )


def _check_pose(pose: list[float]) -> None:
    if len(pose) != 7 or not np.isfinite(pose).all():
        raise ValueError('a pose is seven finite numbers')
    norm = float(np.linalg.norm(pose[3:]))
    if abs(norm - 1) > QUATERNION_TOLERANCE:
        raise ValueError(f'the quaternion has length {norm:.3f} instead of 1')
