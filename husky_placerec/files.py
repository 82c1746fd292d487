"""Writing of files and folders: complete or not at all, and never through a link."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import hashlib
import os
from pathlib import Path
import shutil
import tempfile

from husky_placerec.errors import InputError


def cache_folder() -> Path:
    """Return the user's cache folder, by the XDG Base Directory Specification."""
    return Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'husky_placerec'


def refuse_existing(path: Path, overwrite: bool) -> None:
    """
    Refuse an output file that exists, unless it shall be overwritten; a folder always.

    :raises InputError: if `path` exists and `overwrite` is false, or is a folder.
    """
    if os.path.lexists(path) and not overwrite:
        raise InputError(f'{path}: exists already; choose another output or give --overwrite')
    if path.is_dir() and not path.is_symlink():
        raise InputError(f'{path}: is a folder, not a file; it is not overwritten')


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file under a temporary name, flush it to the disk, then rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with new_file(path) as work:
        work.write_bytes(data)


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """
    Yield an empty temporary file that gets the name `path` if the block succeeds.

    A file of that name is replaced; a link is replaced and not followed.
    """
    with temporary_file(path.parent, path.name) as work:
        yield work
        sync_file(work)
        os.replace(work, path)
    sync_folder(path.parent)


@contextmanager
def temporary_file(folder: Path, name: str, suffix: str = '') -> Iterator[Path]:
    """
    Yield a new empty file `.<name>.<8 letters><suffix>`, which is removed after the block.

    The name is fresh (O_EXCL, O_NOFOLLOW): in a folder of someone else, a link or a FIFO of a
    name that can be guessed would lead the writer elsewhere. A block that renames the file keeps
    it.
    """
    handle, work = tempfile.mkstemp(suffix, f'.{name}.', folder)
    try:
        os.fchmod(handle, 0o644)
        os.close(handle)
        yield Path(work)
    finally:
        Path(work).unlink(missing_ok=True)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """
    Yield a temporary folder that gets the name `path` if the block succeeds.

    If the block raises, the temporary folder is removed.

    :raises InputError: for a name that exists.
    """
    refuse_existing(path, overwrite=False)
    with temporary_folder(path.parent, path.name) as work:
        yield work
        refuse_existing(path, overwrite=False)
        os.rename(work, path)
    sync_folder(path.parent)


@contextmanager
def temporary_folder(parent: Path, name: str) -> Iterator[Path]:
    """
    Yield a new empty folder `.<name>.<8 letters>`.

    A block that renames the folder keeps it; if the block raises, the folder is removed.
    """
    parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f'.{name}.', dir=parent))
    try:
        work.chmod(0o755)
        yield work
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


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
