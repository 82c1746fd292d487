"""
The place map as a folder: `map.json`, places as CSV, descriptors as .npy.

The data files never change and carry their hash in their names; replacing `map.json` is the one
step that makes a new version the map, so whoever reads has the old one or the new one whole.
"""

from __future__ import annotations

from dataclasses import asdict
import io
import json
from pathlib import Path
from typing import Any

from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.errors import InputError
from husky_placerec.files import new_folder, refuse_existing, sha256, write_atomic
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.places import Places
from husky_placerec.types import GeoOrigin
import numpy as np

FORMAT_VERSION = 1
HASH_DIGITS = 12  # in a file's name
# A float16 unit vector may be this far from unit length.
NORM_TOLERANCE = 2e-3


def save_map(place_map: PlaceMap, path: Path, *, overwrite: bool = False) -> None:
    """
    Write a map; an old one of that name stays whole until the new one is.

    :raises InputError: when `path` exists and is not to be overwritten, or is no map.
    """
    refuse_existing(path, overwrite)
    if path.exists() and not (path / 'map.json').is_file():
        raise InputError(f'{path}: exists and is not a place map; it is not overwritten')
    if path.exists():
        _write(place_map, path)
        _collect(path)
        return
    with new_folder(path) as work:
        _write(place_map, work)


def load_map(path: Path) -> PlaceMap:
    """
    Read a map and check that all of it is there and unaltered.

    :raises InputError: that names the file, what was found and what was expected.
    """
    about = _read_json(path)
    try:
        spec = DescriptorSpec.from_json(about['descriptor'], str(path / 'map.json'))
        files = {kind: _checked_file(path, entry) for kind, entry in about['files'].items()}
        places = Places.from_csv(files['places'], spec.cameras)
        descriptors = _read_descriptors(files['descriptors'])
        opposites = about['opposites']
        place_map = PlaceMap(
            places,
            descriptors,
            spec,
            about['frame_id'],
            None if opposites is None else _opposites(opposites, spec.cameras),
            tuple(about['sources']),
            about['created'],
            name=str(path),
            origin=GeoOrigin(**about['origin']) if 'origin' in about else None,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f'{path / "map.json"}: not as expected ({error!r})') from error
    _check_consistent(place_map, files['descriptors'])
    return place_map


def verify_map(path: Path) -> list[str]:
    """
    Check every hash, pose and descriptor of a map, and say what was checked.

    :raises InputError: for the first thing that is wrong.
    """
    place_map = load_map(path)
    norms = np.linalg.norm(np.asarray(place_map.descriptors, np.float32), axis=2)
    wrong = ~(abs(norms - place_map.places.present) <= NORM_TOLERANCE)  # NaN is wrong too
    for place, camera in zip(*np.nonzero(wrong)):
        name = place_map.spec.cameras[camera]
        expected = int(place_map.places.present[place, camera])
        raise InputError(
            f'{path}: the descriptor of place {place}, {name}, has length '
            f'{norms[place, camera]:.4f}; expected {expected}'
        )
    return [
        'map.json: format, keys and file names',
        'SHA-256 of places and descriptors',
        f'{len(place_map)} poses: finite, unit quaternions',
        f'{norms.size} descriptors: unit length, or zero for an absent camera',
    ]


def _write(place_map: PlaceMap, folder: Path) -> None:
    cameras = place_map.spec.cameras
    array = io.BytesIO()
    np.save(array, np.asarray(place_map.descriptors, np.float16), allow_pickle=False)
    files = {
        'places': _write_data(folder, 'places', '.csv', place_map.places.to_csv(cameras)),
        'descriptors': _write_data(folder, 'descriptors', '.npy', array.getvalue()),
    }
    opposites = place_map.opposites
    about = {
        'format_version': FORMAT_VERSION,
        'places': len(place_map),
        'frame_id': place_map.frame_id,
        'descriptor': place_map.spec.as_json(),
        'opposites': None if opposites is None else [cameras[i] for i in opposites],
        'created': place_map.created,
        'sources': list(place_map.sources),
        'files': files,
    }
    if place_map.origin is not None:
        about['origin'] = asdict(place_map.origin)
    write_atomic(folder / 'map.json', json.dumps(about, indent=2, ensure_ascii=False).encode())


def _write_data(folder: Path, stem: str, suffix: str, data: bytes) -> dict[str, str]:
    temporary = folder / f'{stem}.new'
    write_atomic(temporary, data)
    digest = sha256(temporary)
    name = f'{stem}-{digest[:HASH_DIGITS]}{suffix}'
    temporary.replace(folder / name)
    return {'name': name, 'sha256': digest}


def _collect(folder: Path) -> None:
    """Remove the data files of older versions."""
    used = {entry['name'] for entry in _read_json(folder)['files'].values()}
    for file in [*folder.glob('places-*.csv'), *folder.glob('descriptors-*.npy')]:
        if file.name not in used:
            file.unlink()


def _read_json(path: Path) -> dict[str, Any]:
    file = path / 'map.json'
    if not file.is_file():
        raise InputError(f'{path}: not a place map; it has no map.json')
    try:
        about = json.loads(file.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise InputError(f'{file}: cannot be read as JSON ({error})') from error
    version = about.get('format_version') if isinstance(about, dict) else None
    if version != FORMAT_VERSION:
        raise InputError(f'{file}: format version is {version!r}; expected {FORMAT_VERSION}')
    return dict(about)


def _opposites(names: list[str], cameras: tuple[str, ...]) -> tuple[int, ...]:
    opposites = tuple(cameras.index(name) for name in names)
    mutual = len(opposites) == len(cameras) and all(
        other != i and opposites[other] == i for i, other in enumerate(opposites)
    )
    if not mutual:
        raise ValueError(f'opposites are {names}, which do not name each other')
    return opposites


def _checked_file(folder: Path, entry: dict[str, str]) -> Path:
    name, expected = entry['name'], entry['sha256']
    file = folder / name
    if Path(name).name != name or not file.is_file():
        raise InputError(f'{file}: missing; map.json names it')
    found = sha256(file)
    if found != expected:
        raise InputError(f'{file}: truncated or altered; SHA-256 is {found}, expected {expected}')
    return file


def _read_descriptors(file: Path) -> np.ndarray:
    try:
        return np.load(file, mmap_mode='r', allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f'{file}: cannot be read as .npy ({error})') from error


def _check_consistent(place_map: PlaceMap, file: Path) -> None:
    spec, found = place_map.spec, place_map.descriptors.shape
    expected = (len(place_map), len(spec.cameras), spec.size)
    if found != expected or place_map.descriptors.dtype != np.float16:
        raise InputError(
            f'{file}: {place_map.descriptors.dtype} {list(found)}; '
            f'expected float16 {list(expected)} by map.json and places'
        )
    if not len(place_map):
        raise InputError(f'{place_map.name}: an empty map; expected at least one place')
