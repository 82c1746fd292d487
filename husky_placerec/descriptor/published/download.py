"""The download of one file: with progress, resumable, and checked by its hash."""

from __future__ import annotations

from http.client import HTTPException
from pathlib import Path
from typing import Any
import urllib.error
import urllib.request

from husky_placerec.errors import InputError
from husky_placerec.files import sha256, sync_file
from husky_placerec.progress import bar

TIMEOUT_S = 30.0  # without a byte
BLOCK = 1 << 18  # bytes
PARTIAL = 206  # HTTP's status of an answer that begins where it was asked to


def download(url: str, file: Path, expected: str, title: str) -> str:
    """
    Download a file; what an interrupted download left is kept, and the next one goes on there.

    :param expected: its SHA-256; empty: not known.
    :param title: what it is for, in errors and beside the progress.
    :return: the SHA-256 of the file.
    :raises InputError: for a file that cannot be had, and for one of another hash, which is
        removed.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f'{file.name}.part')
    try:
        _fetch(url, partial, title)
    except (OSError, HTTPException, ValueError) as error:
        known = f'SHA-256 {expected}' if expected else 'its SHA-256 is not known'
        raise InputError(
            f'{title}: {url} cannot be downloaded ({error}); download this one file on another '
            f'machine ({known}) and put it at {file}'
        ) from error
    found = sha256(partial)
    if expected and found != expected:
        partial.unlink()
        raise InputError(
            f'{title}: {url} has the SHA-256 {found}, expected {expected}; it was removed'
        )
    sync_file(partial)
    partial.replace(file)
    return found


def _fetch(url: str, partial: Path, title: str) -> None:
    """Write a URL to a file, behind what the file has."""
    if partial.is_symlink():
        raise OSError(f'{partial} is a link')
    start = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(url, headers={'Range': f'bytes={start}-'} if start else {})
    try:
        answer: Any = urllib.request.urlopen(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code == 416 and start:  # nothing is left to fetch
            return
        raise
    with answer:
        go_on = start > 0 and answer.status == PARTIAL
        start = start if go_on else 0
        left = answer.headers.get('Content-Length')
        total = None if left is None else start + int(left)
        with partial.open('ab' if go_on else 'wb') as out, bar(f'{title}: ', total, 'B') as shown:
            shown.unit_scale = True
            shown.update(start)
            while block := answer.read(BLOCK):
                out.write(block)
                shown.update(len(block))
        if total is not None and partial.stat().st_size != total:
            raise OSError(f'{partial.stat().st_size} of {total} bytes came')
