"""Writing of files and folders: complete, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import hashlib
import os
from pathlib import Path
import shutil
import tempfile

from husky_placerec.errors import InputError


def refuse_existing(path: Path, overwrite: bool) -> None:
    """
    Refuse an output that exists, unless it shall be overwritten.

    :raises InputError: if `path` exists and `overwrite` is false.
    """
    if os.path.lexists(path) and not overwrite:
        raise InputError(f'{path}: exists already; choose another output or give --overwrite')


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file under a temporary name, flush it to the disk, then rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f'.{path.name}.', dir=path.parent)
    try:
        with os.fdopen(handle, 'wb') as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """
    Yield a temporary folder that gets the name `path` if the block succeeds.

    A folder of that name is replaced. If the block raises, the temporary folder is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f'.{path.name}.', dir=path.parent))
    try:
        yield work
        work.chmod(0o755)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif os.path.lexists(path):
            path.unlink()
        os.rename(work, path)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    sync_folder(path.parent)


def lift(folder: Path) -> None:
    """Move the files of a folder into its parent, and remove it."""
    for file in list(folder.iterdir()):
        file.rename(folder.parent / file.name)
    folder.rmdir()


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def sync_file(path: Path) -> None:
    """Flush a file to the disk."""
    with path.open('rb') as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Flush a folder to the disk, so that a rename in it survives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
