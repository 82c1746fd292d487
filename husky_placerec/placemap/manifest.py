"""
`map.json`: the description of a map, and the list of its data files.

The replacement of this file commits a new version.
"""

from __future__ import annotations

from collections.abc import Mapping
import hashlib
import json
from pathlib import Path
from typing import Any

from husky_placerec.documents import read_json
from husky_placerec.errors import InputError
from husky_placerec.files import sync_folder, write_atomic

FORMAT_VERSION = 1
MANIFEST = 'map.json'
BEGINNING = 64  # bytes; `format_version` is the first key


def commit(folder: Path, about: Mapping[str, Any]) -> None:
    """Commit the data files in a folder as the map, by replacing `map.json`."""
    sync_folder(folder)  # the data files must reach the disk before it
    text = json.dumps(signed(about), indent=2, ensure_ascii=False)
    write_atomic(folder / MANIFEST, text.encode())


def signed(about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of `map.json` with its checksum."""
    values = {'format_version': FORMAT_VERSION, **about}
    return {**values, 'sha256': _checksum(values)}


def is_manifest(file: Path) -> bool:
    """Return whether a file is, or was before it was damaged, the `map.json` of a map."""
    if not file.is_file():
        return False
    with file.open('rb') as data:
        return b'"format_version"' in data.read(BEGINNING)


def read_manifest(folder: Path) -> dict[str, Any]:
    """
    Read `map.json` and check its checksum.

    :raises InputError: for a folder that is no map, another format, or an altered file.
    """
    file = folder / MANIFEST
    if not file.is_file():
        raise InputError(f'{folder}: not a place map; it has no {MANIFEST}')
    about = read_json(file)
    version = about.get('format_version') if isinstance(about, dict) else None
    if version != FORMAT_VERSION:
        newer = isinstance(version, int) and version > FORMAT_VERSION
        hint = '; a newer husky_placerec made it' if newer else ''
        raise InputError(f'{file}: format version is {version!r}; expected {FORMAT_VERSION}{hint}')
    expected = about.pop('sha256', None)
    found = _checksum(about)
    if found != expected:
        raise InputError(f'{file}: truncated or altered; its sha256 is {expected}, not {found}')
    return dict(about)


def _checksum(values: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the content as JSON in ASCII, without blanks, with sorted keys."""
    text = json.dumps(values, sort_keys=True, separators=(',', ':'), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
