"""The kind of a source: a track, a bag or a folder of images."""

from __future__ import annotations

from pathlib import Path

from husky_placerec.data.bag_recovery import is_bag_file
from husky_placerec.data.folder import has_images
from husky_placerec.data.itlp import is_track
from husky_placerec.errors import InputError

KINDS = ('track', 'bag', 'folder')
SHOWN = 8  # entries of an unknown folder, in the message


def kind_of(path: Path) -> str:
    """
    Return one of KINDS. A track takes precedence over a bag, a bag over a folder of images.

    :raises InputError: that names what was found and what is expected.
    """
    if is_track(path):
        return 'track'
    if path.is_file() and path.suffix.lower() != '.csv':
        return 'bag'  # its reader reports any other file
    if path.is_dir() and ((path / 'metadata.yaml').is_file() or _has_bag_files(path)):
        return 'bag'
    if has_images(path):
        return 'folder'
    raise InputError(
        f'{path}: {_found(path)}; expected a track (track.csv, or train.csv, val.csv or '
        'test.csv with a column "track"), a bag (metadata.yaml, an .mcap or a .db3), or a folder '
        'of images with a CSV'
    )


def is_source(path: Path) -> bool:
    """Return whether a path is a track, a bag or a folder of images."""
    try:
        return path.exists() and bool(kind_of(path))
    except (InputError, OSError):
        return False


def _has_bag_files(path: Path) -> bool:
    return any(map(is_bag_file, path.iterdir()))


def _found(path: Path) -> str:
    if path.is_file():
        return 'found a table without a column "track" or paths of images'
    entries = sorted(path.iterdir())
    if not entries:
        return 'found an empty folder'
    tracks = [entry.name for entry in entries if entry.is_dir() and is_track(entry)]
    if tracks:
        return f'found a folder of tracks; name one of {_listed(tracks)}'
    return f'found {_listed([entry.name for entry in entries])}'


def _listed(names: list[str]) -> str:
    more = f' and {len(names) - SHOWN} more' if len(names) > SHOWN else ''
    return ', '.join(names[:SHOWN]) + more
