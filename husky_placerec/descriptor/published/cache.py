"""The cache of published checkpoints: a file is downloaded once, and checked by its hash."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import sys

from husky_placerec.descriptor.published.download import download
from husky_placerec.descriptor.published.preset import NOT_STATED, Preset
from husky_placerec.errors import InputError
from husky_placerec.files import cache_folder, sha256, write_atomic
from husky_placerec.printable import printable

Say = Callable[[str], None]


def cached_file(preset: Preset) -> Path:
    """Return where the checkpoint of a preset is, or would be."""
    return cache_folder() / 'networks' / preset.checkpoint.file


def published_file(name: str, preset: Preset, say: Say | None = None) -> Path:
    """
    Return the checkpoint of a preset from the cache; download it if it is not there.

    :param say: prints the licence before a download, and the hash after it; None: on stderr.
    :raises InputError: for a checkpoint that cannot be downloaded, or has another hash.
    """
    say = say or _say
    file, about = cached_file(preset), preset.checkpoint
    if not file.is_file():
        if not about.url:
            raise InputError(
                f'preset {name}: only a person can get its checkpoint; download {about.file} from '
                f'{about.page}, and give the file (weights=FILE), or put it at {file}'
            )
        say(
            f'{name}: {about.file}, {about.megabytes} MB from {about.url}; licence of the code: '
            f'{about.code_licence}, of the weights: {about.weights_licence}'
        )
        if about.weights_licence == NOT_STATED or about.code_licence.startswith('GPL'):
            say(f'{name}: make sure that you may use them; {about.page} has what its authors say')
        found = download(about.url, file, about.sha256, f'preset {name}')
        if not about.sha256:
            say(f'{name}: SHA-256 {found}; nobody has checked this hash')
        write_atomic(_hash_file(file), found.encode())
        return file
    _require_unaltered(file, about.sha256)
    return file


def _hash_file(file: Path) -> Path:
    return file.with_name(f'{file.name}.sha256')


def _require_unaltered(file: Path, expected: str) -> None:
    """
    Check a file of the cache against the published hash, or that of its download.

    :raises InputError: for another hash.
    """
    noted = _hash_file(file)
    expected = expected or (noted.read_text(encoding='utf-8') if noted.is_file() else '')
    if expected and (found := sha256(file)) != expected:
        raise InputError(
            f'{file}: truncated or altered; its SHA-256 is {found}, expected {expected}; remove '
            'it to download it again'
        )


def _say(text: str) -> None:
    print(printable(text), file=sys.stderr)
