"""An evaluation from drives to figures: describe every drive, then compare every ordered pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from husky_placerec.config import Config
from husky_placerec.data.problems import MAX_BROKEN
from husky_placerec.evaluation.baselines import baselines, exported, method_name
from husky_placerec.evaluation.comparison import compare, Evaluation
from husky_placerec.evaluation.description import describe_source, Described
from husky_placerec.evaluation.execution import Executor, LocalExecutor
from husky_placerec.evaluation.protocol import PairProtocol
from husky_placerec.evaluation.tracks import Track
from husky_placerec.progress import Passing
from husky_placerec.recognition.calibrating.calibrate import Bars, no_bars


def evaluate(
    tracks: Sequence[Track],
    config: Config,
    protocol: PairProtocol,
    *,
    kind: str | None = None,
    max_broken: float = MAX_BROKEN,
    cache: Path | None = None,
    with_baselines: bool = True,
    against: Sequence[Path] = (),
    calibrate_alone: bool = False,
    executor: Executor | None = None,
    bars: Bars = no_bars,
) -> Evaluation:
    """
    Recognise every drive in the map of every other.

    :param kind: of all sources: 'track', 'bag' or 'folder'; None: each source tells by itself.
    :param max_broken: share of the images of a camera that may be broken, 0 to 1.
    :param cache: folder of descriptors; None keeps none.
    :param with_baselines: also evaluate grey pixels, HOG, random weights and chance.
    :param against: exported networks that are compared with the method, as its baselines are.
    :param calibrate_alone: calibrate each map by its own frames.
    :param bars: makes a progress bar of a title and a unit.
    :raises InputError: for a source or a model that cannot be read.
    """
    executor = executor or LocalExecutor()
    others, missing = baselines(config) if with_baselines else ({}, [])
    compared = {**others, **exported(config, against)}
    plain = {name: replace(each, local=False) for name, each in compared.items()}
    methods = {method_name(config): config, **plain}
    described = _describe(tracks, methods, kind, max_broken, cache, executor, bars)
    return compare(
        tracks,
        described,
        config,
        protocol,
        [*missing, *_problems(tracks, described)],
        kind=kind,
        max_broken=max_broken,
        with_chance=with_baselines,
        calibrate_alone=calibrate_alone,
        executor=executor,
        bars=bars,
    )


def _describe(
    tracks: Sequence[Track],
    methods: Mapping[str, Config],
    kind: str | None,
    max_broken: float,
    cache: Path | None,
    executor: Executor,
    bars: Bars,
) -> list[Described]:
    if isinstance(executor, LocalExecutor):  # one drive after the other, a bar of frames for each
        return [
            describe_source(
                track.path, kind, methods, cache, partial(_bar, bars, track.name), max_broken
            )
            for track in tracks
        ]
    limit = () if max_broken == MAX_BROKEN else (no_bars(), max_broken)
    arguments = [(track.path.resolve(), kind, methods, cache, *limit) for track in tracks]
    results = executor.map(describe_source, arguments, threads=1)
    return list(bars('Describing', ' drives')(results, len(tracks)))


def _bar(bars: Bars, drive: str, methods: str) -> Passing:
    return bars(f'Describing {drive} by {methods}')


def _problems(tracks: Sequence[Track], described: Sequence[Described]) -> list[str]:
    notes = [
        f'{track.path}: {line}' for track, each in zip(tracks, described) for line in each.problems
    ]
    for track in tracks:
        notes += [f'{track.path}: {note}' for note in track.notes]
        if track.left_out:
            notes.append(f'{track.path}: {track.left_out} frames have no pose and are left out')
    return list(dict.fromkeys(notes))
