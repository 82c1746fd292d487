"""Reading and checking of a map; large files are memory-mapped."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from husky_placerec.arrays import map_array, require_array
from husky_placerec.cameras.known import KnownCamera
from husky_placerec.descriptor.agreement import MOST_PROBES, Probes
from husky_placerec.descriptor.centring import Centring
from husky_placerec.descriptor.local.features import LocalFeatures
from husky_placerec.descriptor.local.spec import LocalSpec
from husky_placerec.descriptor.projection import Projection
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.descriptor.whitening import Whitening
from husky_placerec.errors import InputError
from husky_placerec.metric.landmarks import Landmarks, LandmarkSpec, TAIL
from husky_placerec.placemap.checking import check_compared, check_descriptors, check_stamps
from husky_placerec.placemap.data_files import checked_file, private_copy
from husky_placerec.placemap.index_checking import read_index
from husky_placerec.placemap.index_plan import FLAT, IndexPlan, IVF_PLACES
from husky_placerec.placemap.indexing import BuiltIndex, IndexReport
from husky_placerec.placemap.manifest import MANIFEST, read_manifest, signed
from husky_placerec.placemap.manifest_schema import MANIFEST_SCHEMA
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.places import Places
from husky_placerec.placemap.thumbnails import ThumbnailFile
from husky_placerec.schema import require
from husky_placerec.texts.map_texts import MapTexts
from husky_placerec.types import FloatArray, GeoOrigin
import numpy as np

BY = 'map.json and places'
ATTEMPTS = 3  # to read a map while it is replaced
MOST_NUMBERS = 1 << 20  # of a descriptor, as in its spec
IN_MEMORY_BYTES = 64 << 20  # a larger file is mapped


def load_map(path: Path, *, private: bool = False) -> PlaceMap:
    """
    Read a map and check that it is complete and unaltered.

    Files up to IN_MEMORY_BYTES are read into memory, larger ones are memory-mapped. A process dies
    of SIGBUS if a file that it has mapped is overwritten in place.

    :param private: for a process that runs on, as the node: map private copies of large files, so
        that nobody can change them.
    :raises InputError: that names the file, what was found and what was expected.

    >>> load_map(Path('campus.map'))  # doctest: +SKIP
    campus.map: 165 places of front, back, anchored_mobilenetv2, frame map
    """
    for _ in range(ATTEMPTS):
        about = read_manifest(path)
        try:
            with ExitStack() as copies:
                return _load(path, about, _Paths(private, copies))
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


@dataclass
class _Paths:
    """Where the data files are read: at their own paths, or at those of private copies."""

    private: bool
    copies: ExitStack
    _copied: dict[Path, Path] = field(default_factory=dict)

    def of(self, file: Path) -> Path:
        """Return the absolute path from which to read a file."""
        if not self.private or not _is_large(file):
            return file.absolute()
        if file not in self._copied:
            self._copied[file] = self.copies.enter_context(private_copy(file))
        return self._copied[file]


def _is_large(file: Path) -> bool:
    return file.stat().st_size > IN_MEMORY_BYTES


def _load(path: Path, about: Mapping[str, Any], paths: _Paths) -> PlaceMap:
    file = path / MANIFEST
    require(about, MANIFEST_SCHEMA, str(file))
    try:
        spec = DescriptorSpec.from_json(about['descriptor'], str(file))
        files = {kind: checked_file(path, entry) for kind, entry in about['files'].items()}
        opposites = about['opposites']
        place_map = PlaceMap(
            Places.read_csv(files['places'], spec.cameras),
            _read_array(files['descriptors'], paths),
            spec,
            about['frame_id'].lstrip('/'),
            None if opposites is None else _opposites(opposites, spec.cameras),
            dict(about['sources']),
            about['created'],
            name=str(path),
            origin=_origin(about['origin']) if 'origin' in about else None,
            gain=about.get('whitening_gain'),
            thumbnails=ThumbnailFile(files['thumbnails']) if 'thumbnails' in files else None,
            calibration=about.get('calibration'),
            simulated=bool(about.get('simulated', False)),
            cameras={
                name: KnownCamera.from_json(values, f'{file}: camera {name}')
                for name, values in about.get('cameras', {}).items()
            },
            view=str(about.get('view', '')),
            version=signed(about)['sha256'],
        )
        _check_consistent(place_map, about, files, paths)
        if 'projection' in files:
            place_map = replace(place_map, projection=_read_projection(place_map, files, paths))
        place_map = replace(place_map, **_read_whitening(place_map, files, paths))
        place_map = replace(place_map, **_read_centring(place_map, about, files, paths))
        place_map = replace(place_map, local=_read_local(place_map, about, files, paths))
        place_map = replace(place_map, texts=_read_texts(place_map, files))
        place_map = replace(place_map, probes=_read_probes(place_map, files, paths))
        landmarks = _read_landmarks(place_map, about, files, paths)
        place_map = replace(place_map, landmarks=landmarks)
        return replace(place_map, index=_read_index(place_map, about['index'], files, paths))
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


def _read_array(file: Path, paths: _Paths) -> np.ndarray[Any, Any]:
    array = map_array(paths.of(file), file)
    return array if _is_large(file) else np.array(array)


def _check_consistent(
    place_map: PlaceMap, about: Mapping[str, Any], files: Mapping[str, Path], paths: _Paths
) -> None:
    count, spec = len(place_map), place_map.spec
    if count != about['places']:
        raise InputError(f'{files["places"]}: {count} places; expected {about["places"]}')
    if not count:
        raise InputError(f'{place_map.name}: an empty map; expected at least one place')
    shape = (count, len(spec.cameras), spec.size)
    require_array(place_map.descriptors, np.float16, shape, files['descriptors'], BY)
    check_stamps(place_map)
    if isinstance(place_map.descriptors, np.memmap):
        # Mapped a second time, so that the checked pages do not stay in memory.
        again = _read_array(files['descriptors'], paths)
        place_map = replace(place_map, descriptors=again)
    check_descriptors(place_map)


def _read_projection(place_map: PlaceMap, files: Mapping[str, Path], paths: _Paths) -> Projection:
    file, size = files['projection'], place_map.spec.size
    stacked = _read_array(file, paths)
    numbers = stacked.shape[-1] if stacked.ndim == 2 else 0
    if not size < numbers <= MOST_NUMBERS:
        raise InputError(f'{file}: {list(stacked.shape)}; expected [{size + 1}, more than {size}]')
    require_array(stacked, np.float32, (size + 1, numbers), file, BY)
    return Projection.from_array(stacked, str(file))


def _read_whitening(
    place_map: PlaceMap, files: Mapping[str, Path], paths: _Paths
) -> dict[str, Any]:
    if 'whitening' not in files:
        return {}
    size, seen = place_map.spec.size, place_map.places.present.shape
    stacked = _read_array(files['whitening'], paths)
    lengths = _read_array(files['lengths'], paths)
    require_array(stacked, np.float32, (size + 1, size), files['whitening'], BY)
    require_array(lengths, np.float32, seen, files['lengths'], BY)
    stacked = np.array(stacked)
    found = Whitening(stacked[0], stacked[1:])
    check_compared(replace(place_map, whitening=found, lengths=lengths))
    return {'whitening': found, 'lengths': lengths}


def _read_centring(
    place_map: PlaceMap, about: Mapping[str, Any], files: Mapping[str, Path], paths: _Paths
) -> dict[str, Any]:
    if 'centring' not in files:
        return {}
    if 'whitening' in files:
        raise InputError(f'{place_map.name}: both centred and whitened; expected one of them')
    places = place_map.places
    names, track = np.unique(np.asarray(places.tracks), return_inverse=True)
    means = _read_array(files['centring'], paths)
    lengths = _read_array(files['lengths'], paths)
    expected = len(names), len(place_map.spec.cameras), place_map.spec.size
    require_array(means, np.float32, expected, files['centring'], BY)
    require_array(lengths, np.float32, places.present.shape, files['lengths'], BY)
    centring = Centring(np.array(means), track.astype(np.int64), float(about['view_change']))
    check_compared(replace(place_map, centring=centring, lengths=lengths))
    return {'centring': centring, 'lengths': lengths}


def _read_local(
    place_map: PlaceMap, about: Mapping[str, Any], files: Mapping[str, Path], paths: _Paths
) -> LocalFeatures | None:
    if 'local' not in files:
        return None
    spec = LocalSpec.from_json(about['local'], str(Path(place_map.name) / MANIFEST))
    values = _read_array(files['local'], paths)
    expected = len(place_map), len(place_map.spec.sees), spec.cells, spec.size
    require_array(values, np.int8, expected, files['local'], BY)
    return LocalFeatures(spec, values)


def _read_texts(place_map: PlaceMap, files: Mapping[str, Path]) -> MapTexts | None:
    if 'texts' not in files:
        return None
    return MapTexts.read(files['texts'], len(place_map), place_map.spec.sees)


def _read_probes(place_map: PlaceMap, files: Mapping[str, Path], paths: _Paths) -> Probes | None:
    if 'probes' not in files or 'probed' not in files:
        return None
    spec, projection = place_map.spec, place_map.projection
    images = _read_array(files['probes'], paths)
    described = _read_array(files['probed'], paths)
    count = len(images) if images.ndim else 0
    if not 2 <= count <= MOST_PROBES:
        raise InputError(f'{files["probes"]}: {count} images; expected 2 to {MOST_PROBES}')
    shape = count, spec.input_height, spec.input_width, 3
    size = spec.size if projection is None else len(projection.mean)
    require_array(images, np.uint8, shape, files['probes'], BY)
    require_array(described, np.float16, (count, size), files['probed'], BY)
    if not np.isfinite(described).all():
        raise InputError(f'{files["probed"]}: not finite; expected unit vectors')
    return Probes(images, described)


def _read_landmarks(
    place_map: PlaceMap, about: Mapping[str, Any], files: Mapping[str, Path], paths: _Paths
) -> Landmarks | None:
    if 'landmarks' not in files:
        return None
    spec = LandmarkSpec.from_json(about['landmarks'], str(Path(place_map.name) / MANIFEST))
    values = _read_array(files['landmarks'], paths)
    expected = len(place_map), len(place_map.spec.sees), spec.count, spec.size + TAIL
    require_array(values, np.int8, expected, files['landmarks'], BY)
    return Landmarks(spec, values)


def _read_index(
    place_map: PlaceMap, about: Mapping[str, Any], files: Mapping[str, Path], paths: _Paths
) -> BuiltIndex:
    spec = place_map.spec
    plan = IndexPlan(**{key: about[key] for key in ('kind', 'shortlist', 'breadth', 'lists')})
    report = IndexReport(dict(about['recall']), about['queries'], about['cpu_ms'])
    if plan.kind == FLAT:
        return BuiltIndex(plan, report)
    file, rows, size = files['index'], int(place_map.places.present.sum()), spec.size
    directions = None
    if plan.kind == IVF_PLACES:
        directions = _read_directions(files['directions'], spec.size, paths)
        rows, size = len(place_map), len(spec.cameras) * len(directions)
    # The lists of a large IVF stay on the disk until they are searched.
    built = read_index(file, plan, rows, size, paths.of(file), mapped=_is_large(file))
    return BuiltIndex(plan, report, built, file.absolute(), directions)


def _read_directions(file: Path, size: int, paths: _Paths) -> FloatArray:
    directions = _read_array(file, paths)
    count = len(directions) if directions.ndim == 2 else 0
    if not 1 <= count <= size:
        raise InputError(f'{file}: {list(directions.shape)}; expected 1 to {size} rows of {size}')
    require_array(directions, np.float32, (count, size), file, BY)
    if not (np.abs(directions) <= 1 + 1e-3).all():  # NaN is wrong, too
        raise InputError(f'{file}: no unit vectors')
    return np.array(directions)
