"""The comparison of described drives: every ordered pair, by a method and its baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from husky_placerec.config import Config
from husky_placerec.data.problems import MAX_BROKEN
from husky_placerec.data.source import open_source
from husky_placerec.data.trajectory import Trajectory
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.evaluation.baselines import CHANCE
from husky_placerec.evaluation.cache import Descriptors
from husky_placerec.evaluation.databases import (
    calibrated_alone,
    database_drive,
    DatabaseDrive,
    local_of,
    map_of,
    places_of,
)
from husky_placerec.evaluation.decisions import decide_pair, DecidedPair
from husky_placerec.evaluation.description import Described
from husky_placerec.evaluation.execution import Executor, LocalExecutor
from husky_placerec.evaluation.metrics import chance_figures, Figures
from husky_placerec.evaluation.protocol import evaluate_pair, ordered_pairs, PairProtocol
from husky_placerec.evaluation.queries import fused_note, query_drive, QueryDrive
from husky_placerec.evaluation.tracks import Track
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.calibrating.calibrate import Bars, no_bars
from husky_placerec.recognition.calibration import PRIOR, UNCALIBRATED
from husky_placerec.types import Floats
import numpy as np


@dataclass(frozen=True)
class Evaluation:
    """
    The result of an evaluation.

    :param method: name of the evaluated method.
    :param pairs: the result of the method for every ordered pair of drives.
    :param figures: the figures of each method and baseline by name, one entry for each pair; the
        evaluated method comes first.
    :param latencies_ms: for each pair the time of each query.
    :param calibrations: where the calibration of each map comes from, by the name of the drive:
        map_alone, simulated, prior or uncalibrated.
    :param notes: what a reader of the figures has to know.
    """

    method: str
    tracks: tuple[Track, ...]
    pairs: tuple[DecidedPair, ...]
    figures: Mapping[str, Sequence[Figures]]
    latencies_ms: tuple[Floats, ...]
    protocol: PairProtocol
    cameras: tuple[str, ...]
    spec: DescriptorSpec
    calibrations: Mapping[str, str]
    notes: tuple[str, ...]

    @property
    def calibrated(self) -> list[str]:
        """The names of the drives whose maps are calibrated."""
        return [name for name, kind in self.calibrations.items() if kind != UNCALIBRATED]


def compare(
    tracks: Sequence[Track],
    described: Sequence[Described],
    config: Config,
    protocol: PairProtocol,
    notes: Sequence[str] = (),
    *,
    kind: str | None = None,
    max_broken: float = MAX_BROKEN,
    with_chance: bool = True,
    calibrate_alone: bool = False,
    executor: Executor | None = None,
    bars: Bars = no_bars,
) -> Evaluation:
    """
    Evaluate drives that are described.

    :param described: for each drive all frames of its source; the first method is the evaluated
        one, the others are its baselines.
    :param kind: of all sources, which are opened again for their odometry.
    :param max_broken: share of the poses of the odometry that may be broken, 0 to 1.
    :param calibrate_alone: calibrate each map by its own frames.
    """
    run = _Run(executor or LocalExecutor(), bars, config, protocol)
    own, *others = described[0].by_method
    tracks = [_with_images(track, each.by_method[own]) for track, each in zip(tracks, described)]
    maps = [
        map_of(
            track,
            places_of(track, each.by_method[own]),
            each.specs[own],
            config,
            local_of(track, each.by_method[own], each.local_specs.get(own, ())),
        )
        for track, each in zip(tracks, described)
    ]
    databases, failures = _databases(tracks, maps, run, calibrate_alone)
    queries = [
        query_drive(track, d.by_method[own], config, d.local_specs.get(own, ()))
        for track, d in zip(tracks, described)
    ]
    fused = [fused_note(track, d.by_method[own], config) for track, d in zip(tracks, described)]
    if any(database.calibration is not None for database in databases):
        queries = [
            replace(each, odometry=_odometry(each.track, kind, config, max_broken))
            for each in queries
        ]
    pairs = _decided(own, databases, queries, run)
    figures = {own: [pair.figures for pair in pairs]}
    for method in others:
        figures[method] = _baseline(
            method, tracks, [each.by_method[method] for each in described], run
        )
    order = ordered_pairs(tracks)
    if with_chance:
        figures[CHANCE] = [
            chance_figures(tracks[q].poses, tracks[d].poses, protocol.tolerances_m)
            for d, q in order
        ]
    seconds = [each.by_method[own].seconds[track.rows] for track, each in zip(tracks, described)]
    return Evaluation(
        own,
        tuple(tracks),
        tuple(pairs),
        figures,
        tuple(
            1000.0 * np.asarray(seconds[q], np.float64) + pair.search_ms
            for (_, q), pair in zip(order, pairs)
        ),
        protocol,
        tuple(config.cameras),
        described[0].specs[own],
        {database.track.name: database.calibration_kind for database in databases},
        (*notes, *filter(None, fused), *failures),
    )


@dataclass(frozen=True)
class _Run:
    """How the pairs are worked on."""

    executor: Executor
    bars: Bars
    config: Config
    protocol: PairProtocol


def _with_images(track: Track, descriptors: Descriptors) -> Track:
    """Return a track without the frames and image stamps for which no image decodes."""
    seen = np.asarray(descriptors.seen)[track.rows]
    stamps = np.where(seen, track.image_stamps_ns, -1)
    return replace(track, image_stamps_ns=stamps).keep(np.asarray(seen.any(axis=1), np.bool_))


def _databases(
    tracks: Sequence[Track], maps: Sequence[PlaceMap], run: _Run, calibrate_alone: bool
) -> tuple[list[DatabaseDrive], list[str]]:
    """Return the drives as maps, and a note for each that cannot be calibrated."""
    made = [(place_map, '') for place_map in maps]
    if calibrate_alone and isinstance(run.executor, LocalExecutor):
        made = [calibrated_alone(place_map, run.config, run.bars) for place_map in maps]
    elif calibrate_alone:
        arguments = [(place_map, run.config) for place_map in maps]
        results = run.executor.map(calibrated_alone, arguments, threads=1)
        made = list(run.bars('Calibrating', ' maps')(results, len(maps)))
    databases = [database_drive(track, each, run.config) for track, (each, _) in zip(tracks, made)]
    notes = []
    for database, (_, why_not) in zip(databases, made):
        if why_not:
            decides = 'thresholds decide'
            if database.calibration_kind == PRIOR:
                decides = 'the prior decides'
            elif database.calibration is not None:
                decides = f'the {database.calibration_kind} calibration decides'
            notes.append(
                f'the map of {database.track.name} is not calibrated by its own frames, and '
                f'{decides} in its pairs: {why_not}'
            )
    return databases, notes


def _decided(
    method: str, databases: Sequence[DatabaseDrive], queries: Sequence[QueryDrive], run: _Run
) -> list[DecidedPair]:
    """Return the results of the evaluated method."""
    share = run.executor.share
    maps, drives = [share(each) for each in databases], [share(each) for each in queries]
    order = ordered_pairs([database.track for database in databases])
    arguments = [(maps[d], drives[q], run.protocol, run.config) for d, q in order]
    results = run.executor.map(decide_pair, arguments, threads=run.config.threads)
    return list(run.bars(f'Comparing, {method}', ' pairs')(results, len(order)))


def _baseline(
    method: str, tracks: Sequence[Track], descriptors: Sequence[Descriptors], run: _Run
) -> list[Figures]:
    """Return the figures of a baseline for each pair."""
    share = run.executor.share
    drives = [share(track) for track in tracks]
    places = [share(places_of(*each)) for each in zip(tracks, descriptors)]
    queries = [
        share(query_drive(track, each, run.config).judged)
        for track, each in zip(tracks, descriptors)
    ]
    order = ordered_pairs(tracks)
    arguments = [(drives[d], places[d], drives[q], queries[q], run.protocol) for d, q in order]
    results = run.executor.map(evaluate_pair, arguments, threads=run.config.threads)
    shown = run.bars(f'Comparing, {method}', ' pairs')(results, len(order))
    return [pair.figures for pair in shown]


def _odometry(
    track: Track, kind: str | None, config: Config, max_broken: float
) -> Trajectory | None:
    with open_source(track.path, kind, max_broken) as source:
        return source.odometry(config.odometry_topic)
