"""Reading and checking of a map; large arrays are memory-mapped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from husky_placerec.arrays import map_array, require_array
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.descriptor.whitening import Whitening
from husky_placerec.errors import InputError
from husky_placerec.placemap.checking import check_descriptors, check_stamps, check_whitening
from husky_placerec.placemap.data_files import checked_file
from husky_placerec.placemap.index_checking import read_index
from husky_placerec.placemap.index_plan import FLAT, IndexPlan
from husky_placerec.placemap.indexing import BuiltIndex, IndexReport
from husky_placerec.placemap.manifest import MANIFEST, read_manifest, signed
from husky_placerec.placemap.manifest_schema import MANIFEST_SCHEMA
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.places import Places
from husky_placerec.placemap.thumbnails import ThumbnailFile
from husky_placerec.schema import require
from husky_placerec.types import GeoOrigin
import numpy as np

BY = 'map.json and places'
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
    file, about = path / MANIFEST, read_manifest(path)
    require(about, MANIFEST_SCHEMA, str(file))
    return DescriptorSpec.from_json(about['descriptor'], str(file)).sees


def _load(path: Path, about: Mapping[str, Any]) -> PlaceMap:
    file = path / MANIFEST
    require(about, MANIFEST_SCHEMA, str(file))
    try:
        spec = DescriptorSpec.from_json(about['descriptor'], str(file))
        files = {kind: checked_file(path, entry) for kind, entry in about['files'].items()}
        opposites = about['opposites']
        place_map = PlaceMap(
            Places.read_csv(files['places'], spec.cameras),
            map_array(files['descriptors']),
            spec,
            about['frame_id'],
            None if opposites is None else _opposites(opposites, spec.cameras),
            dict(about['sources']),
            about['created'],
            name=str(path),
            origin=_origin(about['origin']) if 'origin' in about else None,
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


def _origin(values: Mapping[str, float]) -> GeoOrigin:
    return GeoOrigin(*(float(values[field.name]) for field in fields(GeoOrigin)))


def _opposites(names: list[str], cameras: tuple[str, ...]) -> tuple[int, ...]:
    opposites = tuple(cameras.index(name) for name in names)
    mutual = len(opposites) == len(cameras) and all(
        other != i and opposites[other] == i for i, other in enumerate(opposites)
    )
    if not mutual:
        raise ValueError(f'opposites are {names}, which do not name each other')
    return opposites


def _check_consistent(
    place_map: PlaceMap, about: Mapping[str, Any], files: Mapping[str, Path]
) -> None:
    count, spec = len(place_map), place_map.spec
    if count != about['places']:
        raise InputError(f'{files["places"]}: {count} places; expected {about["places"]}')
    if not count:
        raise InputError(f'{place_map.name}: an empty map; expected at least one place')
    shape = (count, len(spec.cameras), spec.size)
    require_array(place_map.descriptors, np.float16, shape, files['descriptors'], BY)
    check_stamps(place_map)
    # Mapped a second time, so that the checked pages do not stay in memory.
    check_descriptors(replace(place_map, descriptors=map_array(files['descriptors'])))


def _read_whitening(place_map: PlaceMap, files: Mapping[str, Path]) -> dict[str, Any]:
    if 'whitening' not in files and 'lengths' not in files:
        return {}
    size, seen = place_map.spec.size, place_map.places.present.shape
    stacked, lengths = map_array(files['whitening']), map_array(files['lengths'])
    require_array(stacked, np.float32, (size + 1, size), files['whitening'], BY)
    require_array(lengths, np.float32, seen, files['lengths'], BY)
    stacked = np.array(stacked)
    found = Whitening(stacked[0], stacked[1:])
    check_whitening(replace(place_map, whitening=found, lengths=lengths))
    return {'whitening': found, 'lengths': lengths}


def _read_index(
    place_map: PlaceMap, about: Mapping[str, Any], files: Mapping[str, Path]
) -> BuiltIndex:
    spec = place_map.spec
    plan = IndexPlan(**{key: about[key] for key in ('kind', 'shortlist', 'breadth', 'lists')})
    report = IndexReport(dict(about['recall']), about['queries'], about['cpu_ms'])
    if plan.kind == FLAT:
        return BuiltIndex(plan, report)
    file, views = files['index'], int(place_map.places.present.sum())
    return BuiltIndex(plan, report, read_index(file, plan, views, spec.size), file.absolute())
