"""Try: recognise images of one's own, or a whole drive, against a map."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, TypeAlias
from uuid import uuid4

from husky_placerec.config import make_config
from husky_placerec.data.kinds import is_source
from husky_placerec.errors import InputError
from husky_placerec.evaluation.results import Result
from husky_placerec.operations.replay import replay
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.printable import printable
from husky_placerec.recognition.recognizer import Recognizer
from husky_placerec.session.loading import recognizer_of
from husky_placerec.types import Frame, Pixels, Recognition
from husky_placerec.viewer.deciding import Decided, Rule
from husky_placerec.viewer.figures.route import route_figure
from husky_placerec.viewer.photos import Album, jpeg_of, Photo
from husky_placerec.viewer.places import ShownPlaces
from husky_placerec.viewer.results import is_map
from husky_placerec.viewer.run import Run
from husky_placerec.viewer.screens.explore import CHART, explore, others, strip_of
from husky_placerec.viewer.screens.opening import (
    finder_of,
    opened_map,
    place_photos,
    Shown,
    stamp_of_map,
)
from husky_placerec.viewer.screens.parts import (
    canvas,
    known_word,
    number,
    percent,
    photo_row,
    problem,
    words,
)
from husky_placerec.viewer.settings import Settings
from husky_placerec.viewer.uploads import (
    frames_of,
    MOST_MB,
    read_names,
    stamps_of,
    uploaded_frame,
)
import streamlit as st

TYPES = ['jpg', 'jpeg', 'png', 'bmp', 'webp', 'tif', 'tiff', 'ppm', 'pgm']
Way: TypeAlias = Callable[[Settings, PlaceMap, Shown], None]
_LOCK = Lock()  # a recognizer is for one thread at a time


def attempt(settings: Settings, found: Sequence[Shown]) -> None:
    """Show the part Try of the page."""
    say = words()
    maps = _maps(settings, found)
    if not maps:
        st.info(say('no map'))
        return
    left, right = st.columns([1, 2])
    path = left.selectbox(say('map'), maps, format_func=printable, key='try map')
    assert path is not None  # there is at least one
    ways: dict[str, Way] = {'images': _images, 'table': _table, 'drive': partial(_drive, found)}
    way = right.segmented_control(
        say('try by'),
        list(ways),
        default='images',
        format_func=lambda name: say(f'try {name}'),
        key='try by',
        required=True,
    )
    try:
        place_map = opened_map(path, stamp_of_map(path))
        shown = Shown(
            f'try {path}',
            place_map.name,
            None,
            ShownPlaces.of_map(place_map),
            Album(make_config({'cameras': list(place_map.spec.sees)}), finder_of(path, settings)),
            {},
        )
        ways[str(way or 'images')](settings, place_map, shown)
    except (InputError, OSError) as error:
        problem('cannot be recognised', error)


def _maps(settings: Settings, found: Sequence[Shown]) -> list[Path]:
    """Return the maps that were given, and those of the results that are still there."""
    maps = [path for path in settings.paths if is_map(path)]
    if settings.map_path is not None:
        maps.append(settings.map_path)
    named = (Path(each.places.name) for each in found if each.run is not None)
    maps += [path for path in named if is_map(path)]
    return list(dict.fromkeys(maps))


@st.cache_resource(max_entries=4, show_spinner=False)
def _recognizer(path: str, version: str, trust: bool, _place_map: PlaceMap) -> Recognizer:
    """Return a recognizer that decides about each frame alone."""
    config = make_config({'cameras': list(_place_map.spec.sees), 'sequence': False})
    return recognizer_of(_place_map, replace(config, trust_map=trust))


def _recognised(
    settings: Settings, place_map: PlaceMap, frames: Iterable[Frame[Pixels]]
) -> list[Recognition]:
    with _LOCK:
        recognizer = _recognizer(place_map.name, place_map.version, settings.trust, place_map)
        recognizer.begin_anew()
        return [recognizer.recognize(frame) for frame in frames]


def _images(settings: Settings, place_map: PlaceMap, shown: Shown) -> None:
    """Recognise one image a camera."""
    say, cameras = words(), place_map.spec.sees
    uploaded = {}
    for column, camera in zip(st.columns(len(cameras)), cameras):
        file = column.file_uploader(
            say('image of', camera=printable(camera)),
            TYPES,
            key=f'upload {camera}',
            max_upload_size=MOST_MB,
        )
        if file is not None:
            uploaded[camera] = (file.name, file.getvalue())
    if not uploaded:
        st.caption(say('upload one'))
        return
    frame = uploaded_frame(uploaded)
    (recognition,) = _recognised(settings, place_map, [frame])
    run = Run(say('your images'), place_map.name, [(recognition, None)], shown.places)
    decided = Decided(run, Rule())
    left, right = st.columns(2)
    with left:
        figure = route_figure(decided, canvas(), 0, others(decided, 0))
        st.plotly_chart(figure, key='tried', config=CHART)
        _words_of(recognition)
    with right:
        photos = {camera: Photo(jpeg_of(image)) for camera, image in frame.images.items()}
        photo_row(cameras, photos, say('seen'), {})
        answer = run.answer(0)
        if answer is None:
            st.info(say('no candidate'))
        else:
            found = place_photos(shown.key, answer.place, False, shown.album, shown.places)
            looks = {c: shown.places.camera_of(c, answer.reversed) for c in cameras}
            photo_row(cameras, found.by_camera, say('place'), looks)
            st.text(found.note)
    strip_of(shown, decided, 0)


def _words_of(recognition: Recognition) -> None:
    say, best = words(), recognition.best
    columns = st.columns(4)
    columns[0].metric(say('accepted'), say('yes') if recognition.accepted else say('no'))
    columns[1].metric(say('similarity'), number(best.similarity if best else None, '.3f'))
    columns[2].metric(say('probability'), percent(recognition.probability))
    columns[3].metric(say('reason'), known_word('reason', recognition.reason))


def _table(settings: Settings, place_map: PlaceMap, shown: Shown) -> None:
    """Recognise the rows of a table of image names, as the origin's page takes it."""
    say, cameras = words(), place_map.spec.sees
    left, right = st.columns(2)
    table = left.file_uploader(say('table'), ['csv'], key='upload table', max_upload_size=1)
    files = right.file_uploader(
        say('its images'),
        TYPES,
        accept_multiple_files=True,
        key='upload images',
        max_upload_size=MOST_MB,
    )
    if table is None or not files:
        st.caption(say('upload table'))
        return
    rows = read_names(table.name, table.getvalue(), cameras)
    there = frames_of(rows, {file.name: file.getvalue() for file in files})
    stamps = stamps_of(len(there))
    frames = (uploaded_frame(images, stamp) for (_, images), stamp in zip(there, stamps))
    recognitions = _recognised(settings, place_map, frames)
    run = Run(
        printable(table.name), place_map.name, [(r, None) for r in recognitions], shown.places
    )
    st.plotly_chart(route_figure(Decided(run, Rule()), canvas()), key='tried', config=CHART)
    st.dataframe(
        [
            {
                say('row'): row.row,
                **{camera: printable(row.files.get(camera, '')) for camera in cameras},
                say('accepted'): say('yes') if said.accepted else say('no'),
                'x': number(said.pose.x if said.pose else None, '.1f'),
                'y': number(said.pose.y if said.pose else None, '.1f'),
                say('place'): str(said.best.place) if said.best else '',
                say('similarity'): number(said.best.similarity if said.best else None, '.3f'),
                say('probability'): percent(said.probability),
                say('reason'): known_word('reason', said.reason),
            }
            for (row, _), said in zip(there, recognitions)
        ],
        hide_index=True,
    )


def _drive(found: Sequence[Shown], settings: Settings, place_map: PlaceMap, shown: Shown) -> None:
    """Recognise a whole drive, as `placerec replay` does, and explore the outcome."""
    say = words()
    drives = _drives(settings, found)
    if not drives:
        st.info(say('no drives'))
        return
    left, right = st.columns([3, 1], vertical_alignment='bottom')
    path = left.selectbox(say('drive'), drives, format_func=printable)
    assert path is not None  # there is at least one
    if right.button(say('recognise'), type='primary', key='recognise drive'):
        bar = st.progress(0.0, say('recognising'))
        config = replace(
            make_config({'cameras': list(place_map.spec.sees)}), trust_map=settings.trust
        )
        done = replay(path, place_map, config=config, bars=lambda *_: _passing(bar))
        bar.empty()
        st.session_state['tried drive'] = _shown_of(path, done.results, place_map, shown, settings)
    tried = st.session_state.get('tried drive')
    if tried is not None:
        explore(tried)


def _drives(settings: Settings, found: Sequence[Shown]) -> list[Path]:
    """Return the drives that were given, and those of the results that are still there."""
    drives = [path for path in settings.sources if is_source(path)]
    for each in found:
        named = [each.run.source] if each.run is not None else []
        for name in (*named, *each.places.sources.values()):
            path = each.album.finder.find(name) if name else None
            if path is not None:
                drives.append(path)
    return list(dict.fromkeys(drives))


def _passing(bar: Any) -> Callable[[Iterable[Result], int], Iterator[Result]]:
    def passing(results: Iterable[Result], total: int) -> Iterator[Result]:
        for done, result in enumerate(results, 1):
            bar.progress(min(1.0, done / max(total, 1)), words()('recognising'))
            yield result

    return passing


def _shown_of(
    path: Path, results: Sequence[Result], place_map: PlaceMap, shown: Shown, settings: Settings
) -> Shown:
    frames = [(result.recognition, result.truth) for result in results]
    name = printable(path.name)
    run = Run(name, place_map.name, frames, shown.places, str(path))
    return Shown(f'tried {uuid4()}', name, run, shown.places, shown.album, {})
