"""An evaluation from drives to figures: every ordered pair, by the method and its baselines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from husky_placerec.config import Config
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.evaluation.baselines import baselines, CHANCE, exported, method_name
from husky_placerec.evaluation.cache import Descriptors
from husky_placerec.evaluation.decisions import QueryFrames, RobotSettings
from husky_placerec.evaluation.description import describe_source, Described
from husky_placerec.evaluation.execution import Executor, LocalExecutor
from husky_placerec.evaluation.metrics import chance_figures, Figures
from husky_placerec.evaluation.protocol import (
    evaluate_pair,
    ordered_pairs,
    Pair,
    PairProtocol,
    recognize_pair,
)
from husky_placerec.evaluation.tracks import Track
from husky_placerec.progress import Passing
from husky_placerec.types import FloatArray
import numpy as np

Bars = Callable[[str], Passing]


def no_bars(_: str) -> Passing:
    return lambda items, _: items


@dataclass(frozen=True)
class Evaluation:
    """
    What came of the drives.

    :param method: its name.
    :param pairs: of every ordered pair, by the method.
    :param figures: of each method and baseline by name, the method first: one entry a pair.
    :param latencies_ms: of each pair, a number a query.
    :param notes: what to say beside the figures.
    """

    method: str
    tracks: tuple[Track, ...]
    pairs: tuple[Pair, ...]
    figures: Mapping[str, Sequence[Figures]]
    latencies_ms: tuple[np.ndarray, ...]
    protocol: PairProtocol
    cameras: tuple[str, ...]
    spec: DescriptorSpec
    notes: tuple[str, ...]


def evaluate(
    tracks: Sequence[Track],
    config: Config,
    protocol: PairProtocol,
    *,
    kind: str | None = None,
    cache: Path | None = None,
    with_baselines: bool = True,
    against: Sequence[Path] = (),
    calibrate_alone: bool = False,
    executor: Executor | None = None,
    bars: Bars = no_bars,
) -> Evaluation:
    """
    Recognise every drive in the map of every other.

    :param calibrate_alone: calibrate each map by its own frames.
    :param cache: folder of descriptors; None keeps none.
    :param against: exported networks that are compared with the method, as its baselines are.
    :param bars: makes a progress bar of its title.
    :raises InputError: for a source or a model that cannot be read.
    """
    executor = executor or LocalExecutor()
    others, missing = baselines(config) if with_baselines else ({}, [])
    methods = {method_name(config): config, **others, **exported(config, against)}
    described = _describe(tracks, methods, kind, cache, executor, bars)
    notes = [*missing, *_problems(tracks, described)]
    return compare(
        tracks,
        described,
        config,
        protocol,
        notes,
        with_chance=with_baselines,
        calibrate_alone=calibrate_alone,
        executor=executor,
        bars=bars,
    )


def compare(
    tracks: Sequence[Track],
    described: Sequence[Described],
    config: Config,
    protocol: PairProtocol,
    notes: Sequence[str] = (),
    *,
    with_chance: bool = True,
    calibrate_alone: bool = False,
    executor: Executor | None = None,
    bars: Bars = no_bars,
) -> Evaluation:
    """
    Evaluate drives that are described.

    :param described: of each drive all frames of its source; the first method counts, the others
        are its baselines.
    """
    executor = executor or LocalExecutor()
    kept = [_seen(track, each) for track, each in zip(tracks, described)]
    tracks = [track for track, _ in kept]
    own, *_ = described[0].by_method
    order = ordered_pairs(tracks)
    shared = [executor.share(track) for track in tracks]
    by_method: dict[str, list[Pair]] = {}
    for method in described[0].by_method:
        vectors = [executor.share(each[method]) for _, each in kept]
        arguments: list[tuple[Any, ...]]
        if method == own:
            robot = RobotSettings(config, described[0].specs[own], calibrate_alone)
            frames = [
                executor.share(_query_frames(each.by_method[own], robot)) for each in described
            ]
            arguments = [
                (shared[d], vectors[d], shared[q], frames[q], protocol, robot) for d, q in order
            ]
            results = executor.map(recognize_pair, arguments, threads=config.threads)
        else:
            arguments = [
                (shared[d], vectors[d], shared[q], vectors[q], protocol) for d, q in order
            ]
            results = executor.map(evaluate_pair, arguments, threads=config.threads)
        by_method[method] = list(bars(f'Comparing, {method}')(results, len(order)))
    pairs = by_method[own]
    figures = {name: [pair.figures for pair in each] for name, each in by_method.items()}
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
        tuple(1000 * seconds[q] + pair.search_ms for (_, q), pair in zip(order, pairs)),
        protocol,
        tuple(config.cameras),
        described[0].specs[own],
        (*notes, *_notes_of_pairs(pairs)),
    )


def _notes_of_pairs(pairs: Sequence[Pair]) -> list[str]:
    """Return why pairs lack the calibration that was asked for."""
    return [
        f'{pair.database}, {pair.queries}: {pair.decisions.note}'
        for pair in pairs
        if pair.decisions is not None and pair.decisions.note
    ]


def _query_frames(described: Descriptors, robot: RobotSettings) -> QueryFrames:
    """Return the frames of a drive as the robot describes them: unusable images left out."""
    usable = np.asarray(described.usable)
    seen = np.asarray(described.seen)
    if not robot.config.check_images:
        return QueryFrames(described.vectors, seen, np.zeros(len(seen), np.bool_))
    blind = np.asarray(seen.any(axis=1) & ~usable.any(axis=1))
    vectors = described.vectors
    if (usable != seen).any():
        # The vectors of the cameras are independent, unless they are fused.
        separate = vectors.shape[1] == usable.shape[1]
        kept = usable if separate else ~blind[:, None]
        vectors = np.where(kept[..., None], vectors, np.zeros((), vectors.dtype))
    return QueryFrames(vectors, seen, blind)


def _describe(
    tracks: Sequence[Track],
    methods: Mapping[str, Config],
    kind: str | None,
    cache: Path | None,
    executor: Executor,
    bars: Bars,
) -> list[Described]:
    if isinstance(executor, LocalExecutor):  # one drive after the other, a bar of frames for each
        return [
            describe_source(track.path, kind, methods, cache, bars(f'Describing {track.name}'))
            for track in tracks
        ]
    arguments = [(track.path.resolve(), kind, methods, cache) for track in tracks]
    results = executor.map(describe_source, arguments, threads=1)
    return list(bars('Describing drives')(results, len(tracks)))


def _seen(track: Track, described: Described) -> tuple[Track, dict[str, FloatArray]]:
    """Leave out the frames that have no image; one too dark to describe stays, as a miss."""
    vectors = {name: each.vectors for name, each in described.by_method.items()}
    first = next(iter(described.by_method.values()))
    seen = np.asarray(first.seen.any(axis=1))
    kept = track.keep(seen[track.rows])
    if len(kept) == len(seen):
        return kept, vectors  # as they are on disk
    return kept, {name: each[kept.rows] for name, each in vectors.items()}


def _problems(tracks: Sequence[Track], described: Sequence[Described]) -> list[str]:
    notes = [
        f'{track.path}: {line}' for track, each in zip(tracks, described) for line in each.problems
    ]
    for track in tracks:
        notes += [f'{track.path}: {note}' for note in track.notes]
        if track.left_out:
            notes.append(f'{track.path}: {track.left_out} frames have no pose and are left out')
    return notes
