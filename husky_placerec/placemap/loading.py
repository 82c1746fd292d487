"""Reading and checking of a map; large arrays are memory-mapped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import faiss
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.descriptor.whitening import Whitening
from husky_placerec.errors import InputError
from husky_placerec.placemap.checking import check_descriptors, check_stamps
from husky_placerec.placemap.data_files import checked_file
from husky_placerec.placemap.index_plan import FLAT, IndexPlan, IVF_SQ8
from husky_placerec.placemap.indexing import BuiltIndex, IndexReport
from husky_placerec.placemap.manifest import MANIFEST, read_manifest, signed
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.places import Places
from husky_placerec.placemap.thumbnails import ThumbnailFile
from husky_placerec.types import GeoOrigin
import numpy as np

ATTEMPTS = 3  # to read a map while it is replaced


def load_map(path: Path) -> PlaceMap:
    """
    Read a map and check that it is complete and unaltered; large arrays are memory-mapped.

    :raises InputError: that names the file, what was found and what was expected.

    >>> load_map(Path('campus.map'))  # doctest: +SKIP
    campus.map: 165 places of front, back, anchored_mobilenetv2, frame map
    """
    for _ in range(ATTEMPTS):
        about = read_manifest(path)
        try:
            return _load(path, about)
        except InputError:
            if read_manifest(path) == about:  # else a new version was committed meanwhile
                raise
    raise InputError(f'{path}: is replaced again and again while it is read')


def map_cameras(path: Path) -> tuple[str, ...]:
    """
    Return the names of the cameras that a map describes, without reading its data.

    :raises InputError: for a folder that is no map.
    """
    return DescriptorSpec.from_json(read_manifest(path)['descriptor'], str(path / MANIFEST)).sees


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
            about['frame_id'].lstrip('/'),
            None if opposites is None else _opposites(opposites, spec.cameras),
            dict(about['sources']),
            about['created'],
            name=str(path),
            origin=GeoOrigin(**about['origin']) if 'origin' in about else None,
            gain=about.get('whitening_gain'),
            thumbnails=ThumbnailFile(files['thumbnails']) if 'thumbnails' in files else None,
            calibration=about.get('calibration'),
            simulated=bool(about.get('simulated', False)),
            version=signed(about)['sha256'],
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
    # Mapped a second time, so that the checked pages do not stay in memory.
    check_descriptors(replace(place_map, descriptors=_read_array(files['descriptors'])))


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
    # The lists of an IVF stay on the disk until they are searched.
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
    return BuiltIndex(plan, report, index, file.absolute())
