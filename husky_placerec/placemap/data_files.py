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
import shutil
import tempfile
from typing import IO

from husky_placerec.errors import InputError
from husky_placerec.files import sha256, sync_file, temporary_file
from husky_placerec.placemap.manifest import MANIFEST

HASH_DIGITS = 12  # of the hash, in the name of a file
KINDS = (
    *('places', 'descriptors', 'projection', 'whitening', 'centring', 'lengths'),
    *('index', 'directions', 'thumbnails', 'local', 'landmarks', 'probes', 'probed', 'texts'),
)
_KIND, _SUFFIX = '|'.join(KINDS), r'\.(csv|npy|faiss|zip|jsonl)'
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
        file = folder / entry['name']
        if not _is_unaltered(file, entry['sha256']):  # else its readers keep what they have mapped
            temporary.replace(file)
    return entry


def _is_unaltered(file: Path, digest: str) -> bool:
    return file.is_file() and not file.is_symlink() and sha256(file) == digest


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


@contextmanager
def private_copy(file: Path) -> Iterator[Path]:
    """
    Yield the path of a copy that has no name, so that no other program can change it.

    A mapping of it stays valid after the context, and the disk space is free when the process
    ends, however it ends. The copy lies beside the file or, if that is not possible, in the folder
    for temporary files (`TMPDIR`).

    :raises InputError: where there is no room, or the file changes meanwhile.
    """
    with _copied(file) as copy:
        yield Path(f'/proc/self/fd/{copy.fileno()}')


def _copied(file: Path) -> IO[bytes]:
    expected = sha256(file)
    failed: OSError | None = None
    for folder in (file.parent, Path(tempfile.gettempdir())):
        try:
            copy = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  (it is returned open)
            try:
                with file.open('rb') as source:
                    shutil.copyfileobj(source, copy, 1 << 20)
                copy.flush()
                if sha256(Path(f'/proc/self/fd/{copy.fileno()}')) != expected:
                    raise InputError(f'{file}: changed while it was copied; load the map again')
                return copy
            except BaseException:
                copy.close()
                raise
        except OSError as error:
            failed = error
    size_mb = file.stat().st_size / 1e6
    raise InputError(
        f'{file}: no private copy of {size_mb:.0f} MB could be made ({failed}); free disk space '
        'there, or name another folder in TMPDIR'
    )


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
