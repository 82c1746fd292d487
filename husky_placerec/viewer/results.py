"""Reading of what `placerec replay`, `placerec evaluate` and the node write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from husky_placerec import schema
from husky_placerec.config import Config, make_config
from husky_placerec.config.reading import flattened
from husky_placerec.documents import parse_json, read_json, read_text, read_yaml
from husky_placerec.errors import InputError
from husky_placerec.evaluation.metrics import TOLERANCES_M
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.manifest import MANIFEST
from husky_placerec.printable import printable
from husky_placerec.recognition.serialization import recognition_of
from husky_placerec.types import GeoOrigin, Pose, Recognition
from husky_placerec.viewer.finding import Finder
from husky_placerec.viewer.places import ShownPlaces
from husky_placerec.viewer.run import Run

LINES, SUMMARY, CONFIG = 'recognitions.jsonl', 'summary.json', 'config.yaml'
MOST_LOG_BYTES = 2**30
MOST_FRAMES = 200_000
OF_DRIVES = ('cameras', 'map', 'slop', 'silence', 'queue_size')  # and those of each camera
_NAME = schema.text(1000)
_PAIR = schema.record({}, {'database': _NAME, 'queries': _NAME})
_VERSION = schema.record({}, {'map_version': schema.text(64)})
_TRACK = schema.record(
    {'name': _NAME},
    {
        'source': _NAME,
        'season': _NAME,
        'light': _NAME,
        'origin': schema.none_or(
            schema.record(
                {
                    'latitude': schema.number(-90, 90),
                    'longitude': schema.number(-180, 180),
                    'altitude': schema.number(-1e5, 1e5),
                }
            )
        ),
    },
)
_SUMMARY = schema.record({}, {'tracks': schema.items(_TRACK, most=1000)})
_CONFIG = schema.record(
    {},
    {
        'inputs': schema.record({}, {'source': _NAME, 'kind': schema.none_or(_NAME)}),
        'map_version': schema.text(64),
        'tolerances_m': schema.items(schema.number(1e-3, 1e6), least=1, most=10),
        'parameters': schema.mapping(schema.anything, schema.text(200), most=1000),
    },
)

Frames = list[tuple[Recognition, Pose | None]]


@dataclass(frozen=True, eq=False)
class Results:
    """
    A folder of results, or the log of a node.

    :param runs: a replay has one, an evaluation one for each pair of drives.
    :param config: the parameters, as far as they are known.
    :param kind: what the drives were taken for, see `open_source`.
    :param summary: the content of `summary.json`; empty without one.
    """

    path: Path
    runs: tuple[Run, ...]
    config: Config
    kind: str | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """A short name."""
        return printable(self.path.resolve().name)


def is_map(path: Path) -> bool:
    """Return whether a path is a map."""
    return (path / MANIFEST).is_file()


def read_results(path: Path, finder: Finder, map_path: Path | None = None) -> Results:
    """
    Read a folder of results, or the log of a node.

    :param finder: where the drives and maps are that the results name.
    :param map_path: the map, for results that name none or one that has moved.
    :raises InputError: that names the file, what was found and what was expected.
    """
    if not path.exists():
        raise InputError(f'{path}: no such folder; expected results or a map of placerec')
    folder = path if path.is_dir() else path.parent
    log = path / LINES if path.is_dir() else path
    if not log.is_file():
        raise InputError(
            f'{path}: expected {LINES} of placerec replay or evaluate, or {MANIFEST} of a map'
        )
    groups = _read_lines(log)
    own = path.is_dir()  # a log of a node has neither summary nor configuration
    summary = _optional(folder / SUMMARY, _SUMMARY, read_json) if own else {}
    used = _optional(folder / CONFIG, _CONFIG, read_yaml) if own else {}
    config = _config_of(used, groups, folder / CONFIG)
    kind = used.get('inputs', {}).get('kind')
    about = _About(used, summary, config, finder, map_path)
    runs = about.pairs(groups) if _is_pairs(groups) else [about.replay(path, *groups.values())]
    return Results(path, tuple(runs), config, kind, summary)


def _is_pairs(groups: Mapping[tuple[str, str, str], Frames]) -> bool:
    return any(queries for _, queries, _ in groups)


def _read_lines(file: Path) -> dict[tuple[str, str, str], Frames]:
    """Return the frames by database, queries and version of the map; empty where none is named."""
    groups: dict[tuple[str, str, str], Frames] = {}
    for number, text in _numbered(file):
        source = f'{file}:{number}'
        line = parse_json(text, source)
        frame = recognition_of(line, source)
        schema.require(line, _PAIR, source)
        schema.require(line, _VERSION, source)
        key = line.get('database', ''), line.get('queries', ''), line.get('map_version', '')
        groups.setdefault(key, []).append(frame)
        if number > MOST_FRAMES:
            raise InputError(f'{file}: over {MOST_FRAMES} lines; expected a drive')
    if not groups:
        raise InputError(f'{file}: no frames; expected a line for each')
    return groups


def _numbered(file: Path) -> Iterator[tuple[int, str]]:
    for number, text in enumerate(read_text(file, MOST_LOG_BYTES).splitlines(), 1):
        if text.strip():
            yield number, text


def _optional(file: Path, check: schema.Check, read: Any) -> Mapping[str, Any]:
    if not file.is_file():
        return {}
    document = read(file) or {}
    schema.require(document, check, str(file))
    return dict(document)


def _config_of(
    used: Mapping[str, Any], groups: Mapping[tuple[str, str, str], Frames], file: Path
) -> Config:
    """Return the parameters that name images and the map; those of work are the user's own."""
    if 'parameters' in used:
        values = dict(flattened(used['parameters']))
        named = {n: v for n, v in values.items() if n in OF_DRIVES or n.startswith('camera.')}
        return make_config(named, str(file))
    frames = next(iter(groups.values()))
    seen = dict.fromkeys(name for frame, _ in frames for name in frame.image_stamps_ns)
    return make_config({'cameras': list(seen)} if seen else {}, str(file))


@dataclass(frozen=True)
class _About:
    """What the files beside the lines tell."""

    used: Mapping[str, Any]
    summary: Mapping[str, Any]
    config: Config
    finder: Finder
    map_path: Path | None

    @property
    def _tolerances_m(self) -> tuple[float, ...]:
        return tuple(map(float, self.used.get('tolerances_m', TOLERANCES_M)))

    def replay(self, path: Path, *groups: Frames) -> Run:
        """Return the run of a replay, or of a node, which may have changed its map on the way."""
        frames = [frame for group in groups for frame in group]
        source = self.used.get('inputs', {}).get('source') or ''
        named = str(self.config.map or '')
        places, notes = self._places_of_map(named, frames)
        queries = Path(source).name or path.resolve().stem
        return Run(
            printable(queries),
            printable(Path(places.name).name or 'map'),
            frames,
            places,
            source,
            self._tolerances_m,
            tuple(notes),
        )

    def _places_of_map(self, named: str, frames: Frames) -> tuple[ShownPlaces, list[str]]:
        found = self.map_path or (self.finder.find(named) if named else None)
        note = f'{named}: this map is not there' if named else 'these results name no map'
        if found is not None:
            try:
                place_map = load_map(found)
            except InputError as error:
                note = str(error)
            else:
                version = self.used.get('map_version', '')
                last = max((c.place for r, _ in frames for c in r.candidates), default=0)
                if version in ('', place_map.version) and last < len(place_map):
                    return ShownPlaces.of_map(place_map), []
                note = f'{found}: this is another version of the map than that of the results'
        recognitions = [recognition for recognition, _ in frames]
        shown = ShownPlaces.of_candidates(named, recognitions, tuple(self.config.cameras))
        return shown, [f'{note}; shown are the places that the results name']

    def pairs(self, groups: Mapping[tuple[str, str, str], Frames]) -> list[Run]:
        """Return the runs of an evaluation."""
        tracks = {track['name']: track for track in self.summary.get('tracks', ())}
        drives = {queries: frames for (_, queries, _), frames in groups.items()}
        runs = []
        for (database, queries, _), frames in groups.items():
            places, notes = self._places_of_drive(database, drives, frames, tracks)
            source = tracks.get(queries, {}).get('source', '')
            named = printable(queries), printable(database)
            runs.append(Run(*named, frames, places, source, self._tolerances_m, tuple(notes)))
        return runs

    def _places_of_drive(
        self,
        name: str,
        drives: Mapping[str, Frames],
        frames: Frames,
        tracks: Mapping[str, Mapping[str, Any]],
    ) -> tuple[ShownPlaces, Sequence[str]]:
        """Return the places of a map that was made of a drive: its frames as queries."""
        config, mapped = self.config, drives.get(name, [])
        cameras = tuple(config.cameras)
        last = max((c.place for r, _ in frames for c in r.candidates), default=0)
        if last >= len(mapped):
            recognitions = [recognition for recognition, _ in frames]
            note = f'{name}: its frames are not in the results; shown are the places they name'
            return ShownPlaces.of_candidates(name, recognitions, cameras), [note]
        about = tracks.get(name, {})
        origin = about.get('origin')
        opposites = {camera: config.camera_config(camera).opposite for camera in cameras}
        shown = ShownPlaces.of_drive(
            name,
            about.get('source', ''),
            mapped,
            cameras,
            {camera: other for camera, other in opposites.items() if other},
            GeoOrigin(**{key: float(value) for key, value in origin.items()}) if origin else None,
        )
        return shown, []
