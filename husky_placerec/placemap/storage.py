"""
The place map as a folder, described in docs/map_format.md.

The data files never change; replacing `map.json` is the one step that makes a new version the map.
Whoever reads has the old version or the new one, whole, and so has whoever comes after a crash.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import faiss
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.descriptor.whitening import Whitening
from husky_placerec.errors import InputError
from husky_placerec.files import new_folder, refuse_existing, sha256
from husky_placerec.placemap.checking import check_map, check_stamps
from husky_placerec.placemap.choosing import FLAT, IndexPlan, IVF_SQ8
from husky_placerec.placemap.data_files import (
    checked_file,
    collect,
    data_entry,
    Files,
    only_writer,
    write_data,
)
from husky_placerec.placemap.indexing import BuiltIndex, IndexReport
from husky_placerec.placemap.manifest import commit, MANIFEST, read_manifest
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.places import Places
from husky_placerec.placemap.thumbnails import ThumbnailFile, write_thumbnails
from husky_placerec.types import GeoOrigin
import numpy as np

Change = Callable[[PlaceMap], PlaceMap]
ATTEMPTS = 3  # to read a map that is being replaced


def save_map(place_map: PlaceMap, path: Path, *, overwrite: bool = False) -> None:
    """
    Write a map; an old one of that name stays whole until the new one is.

    A map without an index gets one.

    :raises InputError: when `path` exists and is not to be overwritten, or is no map; for values
        that no map may have.
    """
    refuse_existing(path, overwrite)
    check_map(place_map)
    place_map = place_map if place_map.index else place_map.indexed()
    if not path.exists():
        with new_folder(path) as work:
            commit(work, _write(place_map, work))
        return
    if not (path / MANIFEST).is_file():
        raise InputError(f'{path}: exists and is not a place map; it is not overwritten')
    with only_writer(path):
        _replace(place_map, path)


def edit_map(path: Path, change: Change) -> PlaceMap:
    """
    Change a map where it is; a change that fails leaves it as it was.

    :param change: returns the map that it is given when nothing is to be changed.
    :raises InputError: as `load_map` and `save_map`.
    """
    load_map(path)  # says what is wrong with the path before it is locked
    with only_writer(path):
        old = load_map(path)
        new = change(old)
        if new is not old:
            check_map(new)
            new = new if new.index else new.indexed()
            _replace(new, path)
    return new


def load_map(path: Path) -> PlaceMap:
    """
    Read a map and check that all of it is there and unaltered; what is large is memory-mapped.

    :raises InputError: that names the file, what was found and what was expected.
    """
    for _ in range(ATTEMPTS):
        about = read_manifest(path)
        try:
            return _load(path, about)
        except InputError:
            if read_manifest(path) == about:  # else another version came in between
                raise
    raise InputError(f'{path}: is replaced again and again while it is read')


def verify_map(path: Path) -> list[str]:
    """
    Check every hash, pose and descriptor of a map, and say what was checked.

    :raises InputError: for the first thing that is wrong.
    """
    place_map = load_map(path)
    check_map(place_map)
    kinds = ', '.join(read_manifest(path)['files'])
    views = int(place_map.places.present.sum())
    return [
        f'{MANIFEST}: format, checksum, keys and file names',
        f'SHA-256 of {kinds}',
        f'{len(place_map)} poses: finite, unit quaternions, no stamp twice on a track',
        f'{views} descriptors: unit length, and zero for an absent camera',
    ]


def _replace(place_map: PlaceMap, folder: Path) -> None:
    """Commit a new version; the files of the one before stay until the next, for its readers."""
    try:
        old: Files = read_manifest(folder)['files']
    except InputError:  # a damaged map may be overwritten
        old = {}
    try:
        about = _write(place_map, folder)
        commit(folder, about)
    except BaseException:
        collect(folder, old)
        raise
    collect(folder, old, about['files'])


def _write(place_map: PlaceMap, folder: Path) -> dict[str, Any]:
    """Write the data files and return what `map.json` says of them."""
    cameras, index = place_map.spec.cameras, place_map.index
    assert index is not None
    files = {
        'places': write_data(
            folder, 'places', '.csv', lambda p: place_map.places.write_csv(p, cameras)
        ),
        'descriptors': _write_descriptors(place_map, folder),
    }
    whitening, lengths = place_map.whitening, place_map.views.lengths
    if whitening is not None and lengths is not None:
        stacked = np.vstack([whitening.mean, whitening.matrix])
        files['whitening'] = write_data(folder, 'whitening', '.npy', _saving(stacked))
        files['lengths'] = write_data(folder, 'lengths', '.npy', _saving(lengths))
    built, thumbnails = index.faiss, place_map.thumbnails
    if built is not None:
        files['index'] = write_data(
            folder, 'index', '.faiss', lambda p: faiss.write_index(built, str(p))
        )
    if thumbnails is not None:
        files['thumbnails'] = write_data(
            folder,
            'thumbnails',
            '.zip',
            lambda p: write_thumbnails(p, thumbnails, len(place_map), cameras),
        )
    return _about(place_map, index, files)


def _write_descriptors(place_map: PlaceMap, folder: Path) -> dict[str, str]:
    """Write the descriptors, unless they are the very file that lies there already."""
    values = place_map.descriptors
    there = Path(values.filename) if isinstance(values, np.memmap) and values.filename else None
    if there is not None and there.parent == folder.absolute() and there.is_file():
        entry = data_entry('descriptors', '.npy', sha256(there))
        if entry['name'] == there.name:
            return entry
    return write_data(folder, 'descriptors', '.npy', _saving(np.asarray(values, np.float16)))


def _saving(array: np.ndarray) -> Callable[[Path], None]:
    return lambda path: np.save(path, array, allow_pickle=False)


def _about(place_map: PlaceMap, index: BuiltIndex, files: Files) -> dict[str, Any]:
    cameras, opposites = place_map.spec.cameras, place_map.opposites
    about: dict[str, Any] = {
        'places': len(place_map),
        'frame_id': place_map.frame_id,
        'descriptor': place_map.spec.as_json(),
        'opposites': None if opposites is None else [cameras[i] for i in opposites],
        'created': place_map.created,
        'sources': dict(place_map.sources),
        'index': {**asdict(index.plan), **asdict(index.report)},
        'files': files,
    }
    if place_map.origin is not None:
        about['origin'] = asdict(place_map.origin)
    if place_map.gain is not None:
        about['whitening_gain'] = {kind: dict(recall) for kind, recall in place_map.gain.items()}
    return about


def _load(path: Path, about: Mapping[str, Any]) -> PlaceMap:
    file = path / MANIFEST
    try:
        spec = DescriptorSpec.from_json(about['descriptor'], str(file))
        files = {kind: checked_file(path, entry) for kind, entry in about['files'].items()}
        opposites = about['opposites']
        place_map = PlaceMap(
            Places.read_csv(files['places'], spec.cameras),
            _read_array(files['descriptors']),
            spec,
            about['frame_id'],
            None if opposites is None else _opposites(opposites, spec.cameras),
            dict(about['sources']),
            about['created'],
            name=str(path),
            origin=GeoOrigin(**about['origin']) if 'origin' in about else None,
            gain=about.get('whitening_gain'),
            thumbnails=ThumbnailFile(files['thumbnails']) if 'thumbnails' in files else None,
        )
        _check_consistent(place_map, about, files)
        place_map = replace(place_map, **_read_whitening(place_map, files))
        return replace(place_map, index=_read_index(place_map, about['index'], files))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f'{file}: not as expected ({error!r})') from error


def _opposites(names: list[str], cameras: tuple[str, ...]) -> tuple[int, ...]:
    opposites = tuple(cameras.index(name) for name in names)
    mutual = len(opposites) == len(cameras) and all(
        other != i and opposites[other] == i for i, other in enumerate(opposites)
    )
    if not mutual:
        raise ValueError(f'opposites are {names}, which do not name each other')
    return opposites


def _read_array(file: Path) -> np.ndarray:
    try:
        return np.load(file.absolute(), mmap_mode='r', allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f'{file}: cannot be read as .npy ({error})') from error


def _require(array: np.ndarray, dtype: type, shape: tuple[int, ...], file: Path) -> None:
    if array.dtype != dtype or array.shape != shape:
        raise InputError(
            f'{file}: {array.dtype} {list(array.shape)}; expected {np.dtype(dtype)} '
            f'{list(shape)} by map.json and places'
        )


def _check_consistent(
    place_map: PlaceMap, about: Mapping[str, Any], files: Mapping[str, Path]
) -> None:
    count, spec = len(place_map), place_map.spec
    if count != about['places']:
        raise InputError(f'{files["places"]}: {count} places; expected {about["places"]}')
    if not count:
        raise InputError(f'{place_map.name}: an empty map; expected at least one place')
    shape = (count, len(spec.cameras), spec.size)
    _require(place_map.descriptors, np.float16, shape, files['descriptors'])
    check_stamps(place_map)


def _read_whitening(place_map: PlaceMap, files: Mapping[str, Path]) -> dict[str, Any]:
    if 'whitening' not in files:
        return {}
    size, seen = place_map.spec.size, place_map.places.present.shape
    stacked, lengths = _read_array(files['whitening']), _read_array(files['lengths'])
    _require(stacked, np.float32, (size + 1, size), files['whitening'])
    _require(lengths, np.float32, seen, files['lengths'])
    stacked = np.array(stacked)
    return {'whitening': Whitening(stacked[0], stacked[1:]), 'lengths': lengths}


def _read_index(
    place_map: PlaceMap, about: Mapping[str, Any], files: Mapping[str, Path]
) -> BuiltIndex:
    plan = IndexPlan(**{key: about[key] for key in ('kind', 'shortlist', 'breadth', 'lists')})
    report = IndexReport(dict(about['recall']), about['queries'], about['cpu_ms'])
    if plan.kind == FLAT:
        return BuiltIndex(plan, report)
    file = files['index']
    # The lists of an IVF stay on the disk until they are looked into.
    flags = faiss.IO_FLAG_MMAP if plan.kind == IVF_SQ8 else 0
    try:
        index = faiss.read_index(str(file), flags | faiss.IO_FLAG_READ_ONLY)
    except RuntimeError as error:
        raise InputError(f'{file}: faiss cannot read it ({error})') from error
    views, size = int(place_map.places.present.sum()), place_map.spec.size
    if (index.ntotal, index.d) != (views, size):
        raise InputError(
            f'{file}: {index.ntotal} views of size {index.d}; expected {views} of {size}'
        )
    return BuiltIndex(plan, report, index)
