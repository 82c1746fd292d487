"""Give a map landmarks, by the drives that it was made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from husky_placerec.config import Config
from husky_placerec.data.problems import MAX_BROKEN
from husky_placerec.metric.building import build_landmarks
from husky_placerec.metric.key_points import KeyPointFinder, load_key_points
from husky_placerec.metric.landmarks import Landmarks, LandmarkSpec, TAIL
from husky_placerec.metric.rig import Rig
from husky_placerec.metric.scale import measured_scale
from husky_placerec.metric.sight import Sight
from husky_placerec.operations.key_points import key_points_of
from husky_placerec.operations.map_part import edit_same_version, require_every_place
from husky_placerec.operations.tell import Bars, no_bars, no_warning, Tell, tell_nothing, Warn
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.types import Floats, Indices
import numpy as np


def add_landmarks(
    path: Path,
    sources: Sequence[Path],
    *,
    config: Config | None = None,
    kind: str | None = None,
    max_broken: float = MAX_BROKEN,
    tell: Tell = tell_nothing,
    warn: Warn = no_warning,
    bars: Bars = no_bars,
) -> PlaceMap:
    """
    Triangulate landmarks of the places of a map, and store them in the map.

    Noisy poses of places are refined; the calibration of the map stays.

    :param sources: the drives that the map was made of; a place is found by its stamp.
    :param config: cameras, and the network of the key points.
    :param kind: 'track', 'bag' or 'folder'; None: found out.
    :raises InputError: as `landmarked`; the map then stays as it was.
    """
    old = load_map(path)
    made = landmarked(
        old, sources, config or Config(), kind, max_broken, tell=tell, warn=warn, bars=bars
    )

    def change(current: PlaceMap) -> PlaceMap:
        poses = made.places.poses
        refined = current.with_poses(poses, current.frame_id, current.origin, current.created)
        return replace(refined, landmarks=made.landmarks)

    return edit_same_version(path, old, change)


def landmarked(
    place_map: PlaceMap,
    sources: Sequence[Path],
    config: Config,
    kind: str | None = None,
    max_broken: float = MAX_BROKEN,
    *,
    tell: Tell = tell_nothing,
    warn: Warn = no_warning,
    bars: Bars = no_bars,
) -> PlaceMap:
    """
    Return a map with landmarks, and with refined poses where they were noisy.

    :param sources: the drives that the map was made of.
    :raises InputError: for a source that cannot be read, cameras that are not calibrated, places
        without a frame in any source, and for drives that give hardly any landmarks.
    """
    finder = load_key_points(config, len(place_map.spec.sees))
    size = finder.spec.bytes_of_place(len(place_map.spec.sees))
    tell(f'landmarks: {size / 1000:.1f} kB a place')
    poses, specs = place_map.places.poses.copy(), []
    shape = len(place_map), len(place_map.spec.sees), finder.spec.count, finder.spec.size + TAIL
    values, done = np.zeros(shape, np.int8), np.zeros(len(place_map), np.bool_)
    for source in sources:
        rows, sights, rig = _sights(
            place_map, source, config, finder, done, kind, max_broken, warn, bars
        )
        if not len(rows):
            warn(f'{source}: shows no place of {place_map.name} that is not done yet')
            continue
        made, refined = _of_drive(place_map, source, rows, sights, rig, finder, tell, warn, bars)
        values[rows], poses[rows] = made.values, refined
        done[rows] = True
        specs.append(made.spec)
    require_every_place(place_map, np.flatnonzero(~done).tolist(), sources)
    landmarks = Landmarks(_noisiest(specs), values)
    tell(f'landmarks: {landmarks.per_place:.0f} a place')
    moved = place_map.with_poses(poses, place_map.frame_id, place_map.origin, place_map.created)
    return replace(moved, landmarks=landmarks)


def _sights(
    place_map: PlaceMap,
    source: Path,
    config: Config,
    finder: KeyPointFinder,
    done: np.ndarray,
    kind: str | None,
    max_broken: float,
    warn: Warn,
    bars: Bars,
) -> tuple[Indices, list[tuple[Sight, ...]], Rig]:
    """Return which places a drive shows, in the order of the map, and what was seen there."""
    row = {s: i for i, s in enumerate(place_map.places.stamps_ns.tolist()) if not done[i]}
    found, rig = key_points_of(
        source,
        config,
        finder,
        place_map.spec.sees,
        row,
        kind=kind,
        max_broken=max_broken,
        warn=warn,
        bars=bars,
    )
    rows = np.array(sorted(found), np.int64)
    return rows, [found[place] for place in rows.tolist()], rig


def _of_drive(
    place_map: PlaceMap,
    source: Path,
    rows: Indices,
    sights: Sequence[Sequence[Sight]],
    rig: Rig,
    finder: KeyPointFinder,
    tell: Tell,
    warn: Warn,
    bars: Bars,
) -> tuple[Landmarks, Floats]:
    """Return the landmarks of the places of one drive, and their poses."""
    places = place_map.places
    tracks = [places.tracks[i] for i in rows]
    built = build_landmarks(
        places.poses[rows],
        tracks,
        sights,
        rig,
        finder.spec,
        str(source),
        progress=bars('Triangulating', ' places'),
    )
    for note in built.notes:
        tell(f'{source}: {note}')
    for doubt in built.doubts:
        warn(f'{source}: {doubt}')
    scale, errors = measured_scale(built.landmarks, built.poses, tracks, sights, rig)
    if len(errors):
        tell(
            f'{source}: {len(errors)} places solved by their neighbours, median error '
            f'{np.median(errors):.3f} m; standard deviations count times {scale:.1f}'
        )
    else:
        warn(f'{source}: no place is solved by its neighbours; frames hardly will be, either')
    spec = replace(built.landmarks.spec, scale=round(scale, 2))
    return replace(built.landmarks, spec=spec), built.poses


def _noisiest(specs: Sequence[LandmarkSpec]) -> LandmarkSpec:
    """Return one spec of several drives: the greatest noise of all."""
    names = ('noise_px', 'scale', 'map_sigma_m', 'map_sigma_rad')
    return replace(
        specs[0], **{name: max(getattr(spec, name) for spec in specs) for name in names}
    )
