"""Reading and checking of a map; large files are memory-mapped."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import faiss
from husky_placerec.cameras.known import KnownCamera
from husky_placerec.descriptor.centring import Centring
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.descriptor.whitening import Whitening
from husky_placerec.errors import InputError
from husky_placerec.placemap.checking import check_descriptors, check_stamps
from husky_placerec.placemap.data_files import checked_file, private_copy
from husky_placerec.placemap.index_plan import FLAT, IndexPlan, IVF_SQ8
from husky_placerec.placemap.indexing import BuiltIndex, IndexReport
from husky_placerec.placemap.manifest import MANIFEST, read_manifest, signed
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.places import Places
from husky_placerec.placemap.thumbnails import ThumbnailFile
from husky_placerec.types import GeoOrigin
import numpy as np

ATTEMPTS = 3  # to read a map while it is replaced
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
    return DescriptorSpec.from_json(read_manifest(path)['descriptor'], str(path / MANIFEST)).sees


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
    try:
        spec = DescriptorSpec.from_json(about['descriptor'], str(file))
        files = {kind: checked_file(path, entry) for kind, entry in about['files'].items()}
        opposites = about['opposites']
        place_map = PlaceMap(
            Places.read_csv(files['places'], spec.cameras),
            _read_array(files['descriptors'], paths),
            spec,
            about['frame_id'],
            None if opposites is None else _opposites(opposites, spec.cameras),
            dict(about['sources']),
            about['created'],
            name=str(path),
            origin=GeoOrigin(**about['origin']) if 'origin' in about else None,
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
        place_map = replace(place_map, **_read_whitening(place_map, files, paths))
        place_map = replace(place_map, **_read_centring(place_map, about, files, paths))
        return replace(place_map, index=_read_index(place_map, about['index'], files, paths))
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


def _read_array(file: Path, paths: _Paths) -> np.ndarray:
    try:
        mode: Any = 'r' if _is_large(file) else None
        return np.load(paths.of(file), mmap_mode=mode, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f'{file}: cannot be read as .npy ({error})') from error


def _require(array: np.ndarray, dtype: type, shape: tuple[int, ...], file: Path) -> None:
    if array.dtype != dtype or array.shape != shape:
        raise InputError(
            f'{file}: {array.dtype} {list(array.shape)}; expected {np.dtype(dtype)} '
            f'{list(shape)} by map.json and places'
        )


def _check_consistent(
    place_map: PlaceMap, about: Mapping[str, Any], files: Mapping[str, Path], paths: _Paths
) -> None:
    count, spec = len(place_map), place_map.spec
    if count != about['places']:
        raise InputError(f'{files["places"]}: {count} places; expected {about["places"]}')
    if not count:
        raise InputError(f'{place_map.name}: an empty map; expected at least one place')
    shape = (count, len(spec.cameras), spec.size)
    _require(place_map.descriptors, np.float16, shape, files['descriptors'])
    check_stamps(place_map)
    if isinstance(place_map.descriptors, np.memmap):
        # Mapped a second time, so that the checked pages do not stay in memory.
        again = _read_array(files['descriptors'], paths)
        place_map = replace(place_map, descriptors=again)
    check_descriptors(place_map)


def _read_whitening(
    place_map: PlaceMap, files: Mapping[str, Path], paths: _Paths
) -> dict[str, Any]:
    if 'whitening' not in files:
        return {}
    size, seen = place_map.spec.size, place_map.places.present.shape
    stacked = _read_array(files['whitening'], paths)
    lengths = _read_array(files['lengths'], paths)
    _require(stacked, np.float32, (size + 1, size), files['whitening'])
    _require(lengths, np.float32, seen, files['lengths'])
    stacked = np.array(stacked)
    return {'whitening': Whitening(stacked[0], stacked[1:]), 'lengths': lengths}


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
    _require(means, np.float32, expected, files['centring'])
    _require(lengths, np.float32, places.present.shape, files['lengths'])
    change = float(about['view_change'])
    if not np.isfinite(means).all() or not 0 <= change <= 2:
        raise InputError(f'{files["centring"]}: not finite, or a view_change of {change}')
    centring = Centring(np.array(means), track.astype(np.int64), change)
    return {'centring': centring, 'lengths': lengths}


def _read_index(
    place_map: PlaceMap, about: Mapping[str, Any], files: Mapping[str, Path], paths: _Paths
) -> BuiltIndex:
    plan = IndexPlan(**{key: about[key] for key in ('kind', 'shortlist', 'breadth', 'lists')})
    report = IndexReport(dict(about['recall']), about['queries'], about['cpu_ms'])
    if plan.kind == FLAT:
        return BuiltIndex(plan, report)
    file = files['index']
    # The lists of a large IVF stay on the disk until they are searched.
    flags = faiss.IO_FLAG_MMAP if plan.kind == IVF_SQ8 and _is_large(file) else 0
    try:
        index = faiss.read_index(str(paths.of(file)), flags | faiss.IO_FLAG_READ_ONLY)
    except RuntimeError as error:
        raise InputError(f'{file}: faiss cannot read it ({error})') from error
    views, size = int(place_map.places.present.sum()), place_map.spec.size
    if (index.ntotal, index.d) != (views, size):
        raise InputError(
            f'{file}: {index.ntotal} views of size {index.d}; expected {views} of {size}'
        )
    return BuiltIndex(plan, report, index, file.absolute())
