"""What the page reads, once for all who look at it: results, maps and images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from husky_placerec.config import make_config
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.printable import printable
from husky_placerec.viewer.deciding import Decided, Rule
from husky_placerec.viewer.finding import Finder
from husky_placerec.viewer.photos import Album, Photos
from husky_placerec.viewer.places import ShownPlaces
from husky_placerec.viewer.results import CONFIG, is_map, LINES, read_results, Results
from husky_placerec.viewer.run import Run
from husky_placerec.viewer.settings import Settings
import streamlit as st

MOST_FRAMES = 400  # whose images are kept in memory, about 40 MB


@dataclass(frozen=True, eq=False)
class Shown:
    """
    Something to look at: a drive that was recognised in a map, or a map alone.

    :param key: tells it from others, and a new version from an old one.
    :param name: the same for people.
    :param album: where its images are read.
    :param summary: what `summary.json` says of the whole folder; empty for a map.
    """

    key: str
    name: str
    run: Run | None
    places: ShownPlaces
    album: Album
    summary: Mapping[str, object]


Stamp: TypeAlias = tuple[int, ...]  # when files were changed


def shown_of(path: Path, settings: Settings) -> list[Shown]:
    """
    Return what there is to look at in a path.

    :raises InputError: for a path that is neither results nor a map.
    """
    if is_map(path):
        return _map_shown(path, settings, _stamp(path / 'map.json'))
    log = path / LINES if path.is_dir() else path
    return _results_shown(path, settings, _stamp(log, path / CONFIG))


def finder_of(path: Path, settings: Settings) -> Finder:
    """Return where drives and maps are looked for that a path names."""
    given = [*settings.sources, *settings.paths]
    if settings.map_path is not None:
        given.append(settings.map_path)
    return Finder(tuple(given), path, settings.confined)


@st.cache_resource(max_entries=16, show_spinner=False)
def opened_map(path: Path, stamp: Stamp) -> PlaceMap:
    """Return a map; `stamp` tells a new version."""
    return load_map(path)


def stamp_of_map(path: Path) -> Stamp:
    """Return what changes when a map is replaced."""
    return _stamp(path / 'map.json')


@st.cache_resource(max_entries=16, show_spinner=False)
def _map_shown(path: Path, settings: Settings, stamp: Stamp) -> list[Shown]:
    place_map = opened_map(path, stamp)
    album = Album(make_config({'cameras': list(place_map.spec.sees)}), finder_of(path, settings))
    name = printable(path.resolve().name)
    return [Shown(f'{path} {stamp}', name, None, ShownPlaces.of_map(place_map), album, {})]


@st.cache_resource(max_entries=16, show_spinner=False)
def _results_shown(path: Path, settings: Settings, stamp: Stamp) -> list[Shown]:
    finder = finder_of(path, settings)
    results = read_results(path, finder, settings.map_path)
    album = Album(results.config, finder, results.kind)
    return [
        Shown(f'{path} {stamp} {n}', _name(results, run), run, run.places, album, results.summary)
        for n, run in enumerate(results.runs)
    ]


def _name(results: Results, run: Run) -> str:
    return f'{results.name}: {run.queries} / {run.database}'


def _stamp(*files: Path) -> Stamp:
    return tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in files)


def decided_by(rule: Rule, shown: Shown) -> Decided:
    """Return a run, decided by a rule; the outcomes are computed once."""
    assert shown.run is not None
    return _decided(shown.key, rule, shown.run)


@st.cache_resource(max_entries=64, show_spinner=False)
def _decided(key: str, rule: Rule, _run: Run) -> Decided:
    return Decided(_run, rule)


@st.cache_data(max_entries=MOST_FRAMES, show_spinner=False)
def frame_photos(key: str, row: int, annotated: bool, _album: Album, _run: Run) -> Photos:
    """Return the images of a frame; the first three arguments tell which they are."""
    recognition = _run.recognition(row)
    stamps = dict(recognition.image_stamps_ns)
    return _album.of_frame(_run.source, recognition.stamp_ns, stamps, annotated)


@st.cache_data(max_entries=MOST_FRAMES, show_spinner=False)
def place_photos(
    key: str, place: int, annotated: bool, _album: Album, _places: ShownPlaces
) -> Photos:
    """Return the images of a place; the first three arguments tell which they are."""
    return _album.of_place(_places, place, annotated)
