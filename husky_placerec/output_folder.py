"""
Folders of results: complete or not there, and never in place of what the user has.

Each folder holds a list of its files, MANIFEST. Only the files of this list are removed when the
folder is overwritten, one by one. A folder that holds anything else is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
import json
import os
from pathlib import Path
import re
import tempfile

from husky_placerec.documents import read_json
from husky_placerec.errors import InputError
from husky_placerec.files import sync_folder, temporary_folder, write_atomic

MANIFEST = '.placerec.json'
SHOWN = 3  # files that an error names


def check_output_folder(path: Path, overwrite: bool, patterns: Sequence[str] = ()) -> None:
    """
    Refuse an output folder that exists, unless it is an older output and may be overwritten.

    :param patterns: of the files that a command adds later, relative to the folder.
    :raises InputError: for a folder that exists without `overwrite`, or is not replaced: a file, a
        link, the current folder, the home folder, one that has them inside, and a folder with a
        file that MANIFEST does not list.
    """
    if not os.path.lexists(path):
        return
    if not overwrite:
        raise InputError(f'{path}: exists already; choose another output or give --overwrite')
    if path.is_symlink():
        raise InputError(f'{path}: is a symbolic link; it is not overwritten')
    if not path.is_dir():
        raise InputError(f'{path}: is a file, not a folder; it is not overwritten')
    resolved = path.resolve()
    for name, folder in (('current', os.getcwd()), ('home', os.path.expanduser('~'))):
        kept = Path(folder).resolve()
        if resolved == kept or resolved in kept.parents:
            raise InputError(
                f'{path}: is the {name} folder or has it inside; it is not overwritten'
            )
    _require_own(path, patterns)


@contextmanager
def output_folder(path: Path) -> Iterator[Path]:
    """
    Yield a temporary folder that gets the name `path` and a MANIFEST if the block succeeds.

    An older output of that name is removed. If the block raises, the older output stays, and the
    temporary folder is removed.

    :raises InputError: as `check_output_folder` with `overwrite`.
    """
    check_output_folder(path, overwrite=True)
    with temporary_folder(path.parent, path.name) as work:
        yield work
        mark_folder(work, [str(file.relative_to(work)) for file in _files(work)])
        check_output_folder(path, overwrite=True)
        older = _moved_aside(path) if os.path.lexists(path) else None
        try:
            os.rename(work, path)
        except BaseException:
            if older is not None:
                os.rename(older, path)
            raise
    if older is not None:
        remove_own(older)
        older.rmdir()
    sync_folder(path.parent)


def mark_folder(folder: Path, files: Sequence[str] = ()) -> None:
    """
    Write the MANIFEST of a folder.

    :param files: that may be removed, relative to the folder; none where the patterns of the
        command tell.
    """
    about = {'program': 'placerec', 'files': sorted(files)}
    write_atomic(folder / MANIFEST, json.dumps(about, indent=0, ensure_ascii=False).encode())


def remove_own(folder: Path, patterns: Sequence[str] = ()) -> None:
    """Remove the own files of a folder one by one, and the folders in it that are then empty."""
    listed = _listed(folder)
    for parent, folders, names in os.walk(folder, topdown=False):
        for name in names:
            file = Path(parent, name)
            if _is_own(file.relative_to(folder), listed, patterns):
                file.unlink()
        for name in folders:
            inner = Path(parent, name)
            if not inner.is_symlink() and not any(inner.iterdir()):
                inner.rmdir()


def _moved_aside(path: Path) -> Path:
    """Rename a folder to `.<name>.<8 letters>`."""
    aside = tempfile.mkdtemp(prefix=f'.{path.name}.', dir=path.parent)
    os.rename(path, aside)
    return Path(aside)


def _require_own(folder: Path, patterns: Sequence[str]) -> None:
    if not any(folder.iterdir()):
        return  # nothing is lost
    if not (folder / MANIFEST).is_file():
        raise InputError(
            f'{folder}: is no output of placerec, which would have {MANIFEST}; it is not '
            'overwritten: choose another output'
        )
    listed = _listed(folder)
    relative = (file.relative_to(folder) for file in _files(folder))
    foreign = sorted(str(file) for file in relative if not _is_own(file, listed, patterns))
    if foreign:
        more = f' and {len(foreign) - SHOWN} more' if len(foreign) > SHOWN else ''
        raise InputError(
            f'{folder}: has {", ".join(foreign[:SHOWN])}{more}, which placerec did not write; it '
            'is not overwritten: choose another output, or move these away'
        )


def _listed(folder: Path) -> frozenset[str]:
    file = folder / MANIFEST
    if not file.is_file():
        return frozenset()
    about = read_json(file)
    names = about.get('files') if isinstance(about, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError(f'{file}: expected a list of names, `files`')
    return frozenset([*names, MANIFEST])


def _is_own(file: Path, listed: frozenset[str], patterns: Sequence[str]) -> bool:
    name = str(file)
    if name in listed or any(fnmatchcase(name, pattern) for pattern in patterns):
        return True
    left = re.fullmatch(r'\.(.+)\.\w{8}', file.name)  # by a killed writer
    return left is not None and str(file.with_name(left[1])) in listed


def _files(folder: Path) -> Iterator[Path]:
    """Yield all that is in a folder and no folder itself; links are not followed."""
    for parent, folders, names in os.walk(folder):
        links = [name for name in folders if Path(parent, name).is_symlink()]
        yield from (Path(parent, name) for name in (*names, *links))
