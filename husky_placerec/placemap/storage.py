"""
Writing of a place map as a folder; docs/map_format.md describes the format.

Data files are immutable, and the replacement of `map.json` commits a new version. So a reader has
the complete old version or the complete new one, also after a crash.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
import os
from pathlib import Path
import shutil
from typing import Any

import faiss
from husky_placerec.errors import InputError
from husky_placerec.files import new_folder, sha256
from husky_placerec.placemap.checking import check_map
from husky_placerec.placemap.data_files import (
    collect,
    data_entry,
    Files,
    only_writer,
    write_data,
)
from husky_placerec.placemap.indexing import BuiltIndex
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.manifest import commit, is_manifest, MANIFEST, read_manifest
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.thumbnails import write_thumbnails
import numpy as np

Change = Callable[[PlaceMap], PlaceMap]


def save_map(place_map: PlaceMap, path: Path, *, overwrite: bool = False) -> None:
    """
    Write a map; an old map of that name stays complete until the new one is.

    A map without an index gets one.

    :raises InputError: if `path` exists without `overwrite`, or is no map; for invalid values.
    """
    check_map_output(path, overwrite)
    check_map(place_map)
    place_map = place_map if place_map.index else place_map.indexed()
    if not path.exists():
        with new_folder(path) as work:
            commit(work, _write(place_map, work))
        return
    with only_writer(path):
        _replace(place_map, path)


def check_map_output(path: Path, overwrite: bool) -> None:
    """
    Refuse the output of a map that exists, unless it is a map and shall be overwritten.

    Overwriting a map removes the data files of the last version but one, and nothing else.

    :raises InputError: if `path` exists without `overwrite`, or is no map.
    """
    if not os.path.lexists(path):
        return
    if not overwrite:
        raise InputError(f'{path}: exists already; choose another output or give --overwrite')
    if not is_manifest(path / MANIFEST):
        raise InputError(f'{path}: exists and is not a place map; it is not overwritten')


def edit_map(path: Path, change: Change) -> PlaceMap:
    """
    Change a map in its folder; a change that fails leaves it as it was.

    :param change: returns the map that it gets if nothing changes.
    :raises InputError: as `load_map` and `save_map`.
    """
    load_map(path)  # reports an invalid path before locking it
    with only_writer(path):
        old = load_map(path)
        new = change(old)
        if new is not old:
            check_map(new)
            new = new if new.index else new.indexed()
            _replace(new, path)
    return new


def verify_map(path: Path) -> list[str]:
    """
    Check every hash, pose and descriptor of a map, and return what was checked.

    :raises InputError: for the first error.
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
    """Commit a new version; the files of the last one stay until the next, for its readers."""
    try:
        old: Files = read_manifest(folder)['files']
    except InputError:  # a damaged map is overwritten
        old = {}
    try:
        about = _write(place_map, folder)
        commit(folder, about)
    except BaseException:
        collect(folder, old)
        raise
    collect(folder, old, about['files'])


def _write(place_map: PlaceMap, folder: Path) -> dict[str, Any]:
    """Write the data files and return the content of `map.json`."""
    cameras, index = place_map.spec.cameras, place_map.index
    assert index is not None
    files = {
        'places': write_data(
            folder, 'places', '.csv', lambda p: place_map.places.write_csv(p, cameras)
        ),
        'descriptors': _write_array(
            place_map.descriptors, 'descriptors', folder, np.dtype(np.float16)
        ),
    }
    whitening, centring, lengths = place_map.whitening, place_map.centring, place_map.views.lengths
    if whitening is not None:
        stacked = np.vstack([whitening.mean, whitening.matrix])
        files['whitening'] = write_data(folder, 'whitening', '.npy', _saving(stacked))
    if centring is not None:
        files['centring'] = write_data(folder, 'centring', '.npy', _saving(centring.means))
    if place_map.projection is not None:
        stacked = place_map.projection.as_array()
        files['projection'] = write_data(folder, 'projection', '.npy', _saving(stacked))
    if lengths is not None:
        files['lengths'] = write_data(folder, 'lengths', '.npy', _saving(lengths))
    if index.faiss is not None:
        files['index'] = _write_index(index, folder)
    if index.directions is not None:
        files['directions'] = write_data(folder, 'directions', '.npy', _saving(index.directions))
    if place_map.local is not None:
        files['local'] = _write_array(place_map.local.values, 'local', folder)
    if place_map.texts is not None:
        files['texts'] = write_data(folder, 'texts', '.jsonl', place_map.texts.write)
    if place_map.probes is not None:
        files['probes'] = _write_array(place_map.probes.images, 'probes', folder)
        files['probed'] = _write_array(place_map.probes.descriptors, 'probed', folder)
    if place_map.landmarks is not None:
        files['landmarks'] = _write_array(place_map.landmarks.values, 'landmarks', folder)
    thumbnails = place_map.thumbnails
    if thumbnails is not None:
        files['thumbnails'] = write_data(
            folder,
            'thumbnails',
            '.zip',
            lambda p: write_thumbnails(p, thumbnails, len(place_map), place_map.spec.sees),
        )
    return _about(place_map, index, files)


def _write_array(
    values: np.ndarray, kind: str, folder: Path, dtype: np.dtype | None = None
) -> dict[str, str]:
    if isinstance(values, np.memmap) and values.filename:
        kept = _kept(folder, kind, Path(values.filename))
        if kept:
            return kept
    return write_data(folder, kind, '.npy', _saving(np.asarray(values, dtype)))


def _write_index(index: BuiltIndex, folder: Path) -> dict[str, str]:
    built, file = index.faiss, index.file
    assert built is not None
    if file is None:
        return write_data(folder, 'index', '.faiss', lambda p: faiss.write_index(built, str(p)))
    return _kept(folder, 'index', file) or write_data(
        folder, 'index', '.faiss', lambda p: shutil.copyfile(file, p)
    )


def _kept(folder: Path, kind: str, file: Path) -> dict[str, str] | None:
    """Return the entry of a file that is in the folder already, unaltered; else None."""
    if file.parent != folder.absolute() or not file.is_file():
        return None
    entry = data_entry(kind, file.suffix, sha256(file))
    return entry if entry['name'] == file.name else None


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
    if place_map.centring is not None:
        about['view_change'] = place_map.centring.change
    known = {name: camera.as_json() for name, camera in place_map.cameras.items()}
    if any(known.values()):
        about['cameras'] = known
    if place_map.local is not None:
        about['local'] = place_map.local.spec.as_json()
    if place_map.landmarks is not None:
        about['landmarks'] = place_map.landmarks.spec.as_json()
    if place_map.view:
        about['view'] = place_map.view
    if place_map.simulated:
        about['simulated'] = True
    if place_map.calibration is not None:
        about['calibration'] = dict(place_map.calibration)
    return about
