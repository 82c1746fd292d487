"""The odometry of a track or a folder of images: a CSV beside the table of the frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from husky_placerec.data.frames import ODOMETRY
from husky_placerec.data.pose_file import read_csv
from husky_placerec.data.problems import Problems
from husky_placerec.data.trajectory import Trajectory
from husky_placerec.errors import InputError
from husky_placerec.files import write_atomic
from husky_placerec.types import Indices, SECOND_NS
import numpy as np

ODOMETRY_TABLE = 'odometry.csv'
COLUMNS = 'stamp,x,y,z,qx,qy,qz,qw'


def read_odometry_table(files: Sequence[Path], problems: Problems) -> Trajectory | None:
    """
    Read the odometry of one or several drives in a row; None without such a file.

    A file that cannot be used is noted in `problems`, with the reason.

    :raises InputError: for broken poses where none are allowed.
    """
    there = [file for file in files if file.is_file()]
    if not there:
        return None
    try:
        read = [read_csv(file, problems) for file in there]
    except InputError as error:
        if not problems.max_broken:
            raise
        problems.tell(f'odometry not used: {error}')
        return None
    stamps = np.concatenate([each.stamps_ns for each in read])
    order = np.argsort(stamps, kind='stable')
    poses = np.concatenate([each.poses for each in read])[order]
    return replace(read[0], stamps_ns=stamps[order], poses=poses, frame_id=ODOMETRY)


def write_odometry_table(odometry: Trajectory, folder: Path) -> None:
    """Write odometry beside the table of a track, in the form that `read_odometry_table` reads."""
    rows = [
        ','.join([str(stamp_ns), *map(repr, pose)])
        for stamp_ns, pose in zip(odometry.stamps_ns.tolist(), odometry.poses.tolist())
    ]
    write_atomic(folder / ODOMETRY_TABLE, '\n'.join([COLUMNS, *rows, '']).encode())


def odometry_sentence(odometry: Trajectory | None, stamps_ns: Indices, max_gap_s: float) -> str:
    """Return whether there is odometry, and how much of the frames it covers, in one line."""
    if odometry is None:
        return 'no odometry'
    covered = odometry.covers(stamps_ns, round(max_gap_s * SECOND_NS))
    share = covered.mean() if len(covered) else 0.0
    return (
        f'odometry of {odometry.source} covers {share:.0%} of the drive '
        f'({covered.sum()} of {len(covered)} frames)'
    )
