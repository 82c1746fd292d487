"""Bags that were not closed: without metadata.yaml, or with a split that is cut or missing."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePath
import re
import shutil
from tempfile import TemporaryDirectory
from typing import Any

from husky_placerec.data.mcap_repair import RepairedMcap
from husky_placerec.data.simulated import METADATA
from husky_placerec.data.sqlite_repair import repair_sqlite
from husky_placerec.documents import MOST_BYTES, read_yaml
from husky_placerec.errors import InputError
from rosbags.rosbag2 import Reader
from rosbags.rosbag2.reader import zstd

SUFFIXES = '.mcap', '.db3'
COMPRESSED = '.zstd'
REMEDY = {
    '.mcap': 'mcap recover {file} -o whole.mcap',
    '.db3': 'sqlite3 {file} .recover | sqlite3 whole.db3',
}


@dataclass
class Recovery:
    """
    What can be read of a bag.

    :param paths: whole files, or files that open as whole ones.
    :param sentences: what is lost, and the remedy.
    """

    paths: list[Path] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    messages: int = 0


def recover(path: Path, work: TemporaryDirectory[str]) -> Recovery:
    """
    Find what is whole in a bag that does not open.

    :param path: a folder, an .mcap or a .db3.
    :param work: for the copies of sqlite3 files and of compressed files.
    """
    found = Recovery()
    about = _metadata(path)
    if path.is_dir() and about is None:
        found.sentences.append(
            f'no readable {METADATA}: its files are read one by one; `ros2 bag reindex {path}` '
            'writes it'
        )
    for file in _files(path, about):
        if not file.is_file():
            found.sentences.append(f'{file.name} is missing, and with it its part of the drive')
            continue
        _add(found, file, Path(work.name))
    expected = int((about or {}).get('message_count', 0))
    if expected > found.messages:
        found.sentences.append(f'{found.messages} of {expected} messages can be read')
    return found


def _add(found: Recovery, file: Path, work: Path) -> None:
    """Add a file, or what is whole of it."""
    plain = _decompressed(file, work) if file.suffix == COMPRESSED else file
    count = _messages(plain)
    if count is None:
        repaired = _repaired(plain, work)
        count = None if repaired is None else _messages(repaired)
        remedy = REMEDY.get(plain.suffix, 'ros2 bag reindex').format(file=file)
        lost = 'the rest is lost' if count else 'nothing in it can be read'
        found.sentences.append(
            f'{file.name} is cut, truncated or broken: {count or 0} messages are whole, {lost}; '
            f'`{remedy}` makes a file of them'
        )
        if repaired is None:
            return
        plain = repaired
    if count:
        found.paths.append(plain)
        found.messages += count


def _repaired(file: Path, work: Path) -> Path | None:
    if file.suffix == '.mcap':
        return RepairedMcap(file)
    copy = work / f'repaired-{file.name}'
    try:
        repair_sqlite(file, copy)
    except Exception:  # sqlite3 raises many kinds for a broken file
        return None
    return copy


def _messages(file: Path) -> int | None:
    """Return the number of messages; None for a file that does not open."""
    try:
        with Reader(file) as reader:
            return reader.message_count
    except Exception:  # the storage plugins raise many kinds for a broken file
        return None


def _decompressed(file: Path, work: Path) -> Path:
    """Decompress a file as far as it goes."""
    plain = work / file.stem
    with (
        file.open('rb') as packed,
        plain.open('wb') as unpacked,
        suppress(EOFError, zstd.ZstdError),  # where it is cut; what came before is kept
    ):
        shutil.copyfileobj(zstd.open(packed, 'rb'), unpacked)
    return plain


def _metadata(path: Path) -> dict[str, Any] | None:
    """Return what metadata.yaml says about a bag; None without a readable one."""
    if not path.is_dir():
        return {}
    try:
        document = read_yaml(path / METADATA, MOST_BYTES)
        about = document['rosbag2_bagfile_information']
        return about if isinstance(about['relative_file_paths'], list) else None
    except (InputError, KeyError, TypeError):
        return None


def _files(path: Path, about: dict[str, Any] | None) -> list[Path]:
    """Return the files of a bag in the order of recording."""
    if not path.is_dir():
        return [path]
    if about is not None:
        return [path / PurePath(str(name)).name for name in about['relative_file_paths']]
    files = [file for file in path.iterdir() if is_bag_file(file)]
    return sorted(files, key=lambda file: [int(n) for n in re.findall(r'\d+', file.name)])


def is_bag_file(file: Path) -> bool:
    """Return whether a file is named as one of a bag, compressed or not."""
    name = file.name.removesuffix(COMPRESSED)
    return name.endswith(SUFFIXES)
