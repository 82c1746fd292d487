"""
The data files of a map. They are immutable, and their names contain their hash.

A new version lies beside the old one until `map.json` names it. A process that has the old version
open keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
import fcntl
import os
from pathlib import Path
import re

from husky_placerec.errors import InputError
from husky_placerec.files import sha256, sync_file, temporary_file
from husky_placerec.placemap.manifest import MANIFEST

HASH_DIGITS = 12  # of the hash, in the name of a file
KINDS = ('places', 'descriptors', 'whitening', 'lengths', 'index', 'thumbnails')
_KIND, _SUFFIX = '|'.join(KINDS), r'\.(csv|npy|faiss|zip)'
# The names of data files, and of the temporary files of `write_data` and `commit`.
OWN_NAME = re.compile(
    rf'({_KIND})-[0-9a-f]{{{HASH_DIGITS}}}{_SUFFIX}'
    rf'|\.({_KIND})\.\w{{8}}{_SUFFIX}|\.{re.escape(MANIFEST)}\.\w{{8}}'
)

Files = Mapping[str, Mapping[str, str]]  # name and SHA-256 by kind, as map.json has them


def write_data(
    folder: Path, kind: str, suffix: str, write: Callable[[Path], object]
) -> dict[str, str]:
    """
    Write one data file and flush it to the disk.

    :param write: writes to the path that it gets.
    :return: its entry in `map.json`.
    """
    with temporary_file(folder, kind, suffix) as temporary:
        write(temporary)
        sync_file(temporary)
        entry = data_entry(kind, suffix, sha256(temporary))
        temporary.replace(folder / entry['name'])
    return entry


def data_entry(kind: str, suffix: str, digest: str) -> dict[str, str]:
    """Return the entry of a data file in `map.json`: its name and SHA-256."""
    return {'name': f'{kind}-{digest[:HASH_DIGITS]}{suffix}', 'sha256': digest}


def checked_file(folder: Path, entry: Mapping[str, str]) -> Path:
    """
    Return the path of a data file after checking its hash.

    :raises InputError: for a file that is missing or altered.
    """
    name, expected = entry['name'], entry['sha256']
    file = folder / name
    if Path(name).name != name or not file.is_file():
        raise InputError(f'{file}: missing; map.json names it')
    found = sha256(file)
    if found != expected:
        raise InputError(f'{file}: truncated or altered; SHA-256 is {found}, expected {expected}')
    return file


def collect(folder: Path, *versions: Files) -> None:
    """
    Remove the data files that none of some versions names, and what a killed writer left.

    Only names that a writer gives are removed; there is only one writer at a time.
    """
    used = {entry['name'] for files in versions for entry in files.values()}
    for file in list(folder.iterdir()):
        own = OWN_NAME.fullmatch(file.name) and (file.is_symlink() or file.is_file())
        if own and file.name not in used:
            file.unlink()


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """
    Lock a map against other writers; readers are not affected.

    The operating system releases the lock when the process ends, however it ends.

    :raises InputError: when another process is writing.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(f'{folder}: another program is changing this map') from error
        yield
    finally:
        os.close(handle)
