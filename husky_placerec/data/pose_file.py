"""Trajectories in files: TUM, or a CSV with a header."""

from __future__ import annotations

from pathlib import Path

from husky_placerec.data.pose_table import EXPECTED, pose_reader, refuse_latitudes, trajectory_of
from husky_placerec.data.problems import Problems
from husky_placerec.data.stamps import parse_stamp
from husky_placerec.data.tables import read_table, Table
from husky_placerec.data.trajectory import Trajectory
from husky_placerec.errors import InputError

STAMP_COLUMNS = ('stamp', 'timestamp', 'stamp_ns', 'time')


def read_trajectory(path: Path, problems: Problems | None = None) -> Trajectory:
    """
    Read poses from a file: a `.csv` with a header, else TUM.

    :param problems: notes the broken lines and poses, which are left out; None: they are refused.
    :raises InputError: as the two readers.
    """
    read = read_csv if path.suffix.lower() == '.csv' else read_tum
    return read(path, problems)


def read_csv(path: Path, problems: Problems | None = None) -> Trajectory:
    """
    Read a CSV with `stamp` or `timestamp`, x y z or tx ty tz, and qx qy qz qw or yaw (radians).

    :raises InputError: for columns that are missing, and as `Trajectory.make`.
    """
    table = read_table(path)
    stamp, read = stamp_column(table), pose_reader(table.columns)
    if stamp is None or read is None:
        found = ', '.join(name or '(unnamed)' for name in table.columns)
        raise InputError(f'{path}: found the columns {found}; expected stamp, and {EXPECTED}')
    problems = problems or Problems(max_broken=0)
    stamped = []
    for row in table.rows:
        try:
            at, pose = row.stamp_ns(stamp), read(row)
        except InputError as error:
            problems.broken(f'broken line of {path}', len(table.rows), str(error))
            continue
        if at is not None:
            stamped.append((at, pose))
    return trajectory_of(stamped, str(path), '', problems)


def stamp_column(table: Table) -> str | None:
    """Return the name of the column with the stamps; None without one."""
    return next((name for name in STAMP_COLUMNS if name in table.columns), None)


def read_tum(path: Path, problems: Problems | None = None) -> Trajectory:
    """
    Read a TUM trajectory: lines of `stamp x y z qx qy qz qw`, the stamp in seconds.

    Whole stamps of 16 digits or more are taken for microseconds, of 19 for nanoseconds.

    :raises InputError: for a file that cannot be read, and as `Trajectory.make`.
    """
    try:
        lines = path.read_text(encoding='utf-8-sig').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f'{path}: cannot be read ({error})') from error
    problems = problems or Problems(max_broken=0)
    stamps, poses = [], []
    for number, line in enumerate(lines, 1):
        words = line.split('#')[0].replace(',', ' ').split()
        if not words:
            continue
        try:
            values = [float(word) for word in words[1:]]
            stamp_ns = parse_stamp(words[0])
        except (ValueError, ArithmeticError):
            values = []
        if len(values) != 7:
            what = f'{path}:{number}: {line!r}; expected "stamp x y z qx qy qz qw"'
            problems.broken(f'broken line of {path}', len(lines), what)
            continue
        stamps.append(stamp_ns)
        poses.append(values)
    trajectory = Trajectory.make(stamps, poses, str(path), problems=problems)
    refuse_latitudes(trajectory)
    return trajectory
