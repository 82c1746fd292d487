"""Recognise each drive in a map of each other, and write figures and a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from husky_placerec.cameras.intrinsics import Intrinsics
from husky_placerec.cameras.known import cameras_of
from husky_placerec.cameras.views import choose_view
from husky_placerec.config import Config
from husky_placerec.data.problems import MAX_BROKEN
from husky_placerec.data.source import config_of_source, open_source
from husky_placerec.descriptor.extractor import load_spec
from husky_placerec.descriptor.spec import resolve_spec
from husky_placerec.errors import InputError
from husky_placerec.evaluation.comparison import Evaluation
from husky_placerec.evaluation.evaluate import evaluate as evaluate_tracks
from husky_placerec.evaluation.execution import LocalExecutor, RayExecutor
from husky_placerec.evaluation.metrics import TOLERANCES_M
from husky_placerec.evaluation.output import write_evaluation
from husky_placerec.evaluation.protocol import PairProtocol
from husky_placerec.evaluation.summary import evaluation_summary
from husky_placerec.evaluation.tags import parse_tags
from husky_placerec.evaluation.tracks import check_comparable, read_track, Track, unlike_names
from husky_placerec.operations.drives import MAX_GAP_S
from husky_placerec.operations.tell import Bars, no_bars, no_warning, Tell, tell_nothing, Warn
from husky_placerec.optional import require
from husky_placerec.output_folder import check_output_folder


@dataclass(frozen=True)
class Evaluated:
    """
    The results of an evaluation.

    :param summary: the content of `summary.json`.
    """

    evaluation: Evaluation
    summary: dict[str, Any]


def evaluate(
    sources: Sequence[Path],
    output: Path | None = None,
    *,
    config: Config | None = None,
    tolerances_m: Sequence[float] = TOLERANCES_M,
    tags: Sequence[str] = (),
    with_baselines: bool = True,
    against: Sequence[Path] = (),
    calibrate_alone: bool = False,
    cache: Path | None = None,
    ray: str | None = None,
    poses: str | None = None,
    heading: str | None = None,
    max_gap_s: float = MAX_GAP_S,
    kind: str | None = None,
    max_broken: float = MAX_BROKEN,
    overwrite: bool = False,
    tell: Tell = tell_nothing,
    warn: Warn = no_warning,
    bars: Bars = no_bars,
) -> Evaluated:
    """
    Evaluate every ordered pair of drives: one as the map, the other as the queries.

    The decisions about the queries are those of a replay on such a map.

    :param sources: two drives or more, with poses in one frame.
    :param output: folder of the results; None writes nothing.
    :param tags: season or light of drives, each `NAME=WORD[,WORD]`.
    :param with_baselines: compare with grey pixels, HOG, random weights and chance.
    :param against: exported networks to compare with.
    :param calibrate_alone: calibrate each map by its own frames.
    :param cache: folder where descriptors are kept; None keeps none.
    :param max_broken: share of the images of a camera, or of the poses, that may be broken.
    :param ray: address of a Ray cluster; None: this machine.
    :raises InputError: that names the drive, what was found and what was expected.

    >>> from pathlib import Path
    >>> done = evaluate([Path('summer'), Path('winter')])  # doctest: +SKIP
    >>> done.summary['recall']['5']['1']  # doctest: +SKIP
    0.95
    """
    require('sklearn', *(('matplotlib', 'jinja2') if output is not None else ()))
    if len(sources) < 2:
        named = sources[0] if sources else 'no drive'
        raise InputError(f'{named}: one drive; expected two or more to compare')
    if output is not None:
        check_output_folder(output, overwrite)
    config = _with_view(sources, config or Config(), kind, warn)
    protocol = PairProtocol.of(config, tolerances_m)
    if limits := resolve_spec(config, None).limits:
        warn(limits)
    tracks = _read_tracks(sources, config, tags, kind, poses, heading, max_gap_s, max_broken)
    for track in tracks:
        for sentence in track.told:
            tell(f'{track.path}: {sentence}')
    early = [f'{track.path}: {note}' for track in tracks for note in track.notes]
    for note in early:  # before the long work
        warn(note)
    for first, second, apart_m in check_comparable(tracks, max(protocol.tolerances_m)):
        warn(f'{first} and {second} do not overlap: their routes keep {apart_m:.0f} m apart')
    with RayExecutor(ray) if ray else nullcontext(LocalExecutor()) as executor:
        evaluation = evaluate_tracks(
            tracks,
            config,
            protocol,
            kind=kind,
            max_broken=max_broken,
            cache=cache,
            with_baselines=with_baselines,
            against=against,
            calibrate_alone=calibrate_alone,
            executor=executor,
            bars=bars,
        )
    for note in evaluation.notes:
        if note not in early:
            warn(note)
    done = Evaluated(evaluation, evaluation_summary(evaluation))
    if output is not None:
        inputs = {
            'sources': list(map(str, sources)),
            'poses': poses,
            'against': list(map(str, against)),
            'calibrate': 'alone' if calibrate_alone else None,
            'kind': kind,
        }
        _write(output, done, config, inputs, kind)
    return done


def _with_view(sources: Sequence[Path], config: Config, kind: str | None, warn: Warn) -> Config:
    """
    Return a configuration with the view that the cameras of all drives share.

    The first drive tells which cameras look the other way.
    """
    lenses: dict[str, Intrinsics | None] = {}
    opposites: dict[str, str] = {}
    for path in sources:
        with open_source(path, kind) as source:
            source.check(config)
            seen_by, doubts = config_of_source(source, config)
        for doubt in doubts:
            warn(f'{path}: {doubt}')
        for name, camera in cameras_of(seen_by).items():
            lenses[f'{name} of {path.name}'] = camera.lens
            opposites.setdefault(name, seen_by.camera_config(name).opposite)
    cameras = {
        name: replace(config.camera_config(name), opposite=opposite)
        for name, opposite in opposites.items()
    }
    config = replace(config, camera={**config.camera, **cameras})
    if config.pinhole != 'auto' or config.pinhole_focal:
        return config
    if not any(lenses.values()):
        return replace(config, pinhole='off')
    spec = load_spec(config)
    choice = choose_view(lenses, (spec.input_width, spec.input_height))
    if not choice.focal:
        return replace(config, pinhole='off')
    warn(f'virtual pinhole: {choice}')
    return replace(config, pinhole_focal=choice.focal)


def _read_tracks(
    sources: Sequence[Path],
    config: Config,
    tags: Sequence[str],
    kind: str | None,
    poses: str | None,
    heading: str | None,
    max_gap_s: float,
    max_broken: float,
) -> list[Track]:
    names = unlike_names(sources)
    tagged = parse_tags(tags)
    if unknown := set(tagged) - set(names):
        raise InputError(
            f'--tag {", ".join(unknown)}: no such drive; there are {", ".join(names)}'
        )
    tracks: list[Track] = []
    for path, name in zip(sources, names):
        track = read_track(
            path,
            name,
            config,
            kind=kind,
            poses=poses,
            heading=heading,
            origin=tracks[0].origin if tracks else None,
            max_gap_s=max_gap_s,
            tags=tagged.get(name),
            max_broken=max_broken,
        )
        tracks.append(track)
    return tracks


def _write(
    output: Path, done: Evaluated, config: Config, inputs: Mapping[str, Any], kind: str | None
) -> None:
    from husky_placerec.evaluation.report import evaluation_report  # needs matplotlib and jinja2

    used = {
        'inputs': dict(inputs),
        'descriptor': done.evaluation.spec.as_json(),
        'tolerances_m': list(done.evaluation.protocol.tolerances_m),
        'calibrations': dict(done.evaluation.calibrations),
        'parameters': config.as_dict(),
    }
    report = evaluation_report(done.evaluation, done.summary, config, kind)
    write_evaluation(output, done.evaluation, done.summary, used, report)
