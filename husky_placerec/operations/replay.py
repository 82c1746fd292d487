"""Recognise a recorded drive offline, score it where the truth is known, and write the results."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from husky_placerec.config import Config, make_config
from husky_placerec.data.problems import MAX_BROKEN, no_frames
from husky_placerec.data.selection import read_selection, Selection
from husky_placerec.data.source import (
    config_of_source,
    find_truth,
    open_source,
    require_clocks,
    Source,
)
from husky_placerec.data.trajectory import Trajectory
from husky_placerec.evaluation.metrics import TOLERANCES_M
from husky_placerec.evaluation.replay import node_config
from husky_placerec.evaluation.replay import replay as replay_source
from husky_placerec.evaluation.results import (
    judge_results,
    Result,
    summary,
    used_parameters,
    write_results,
)
from husky_placerec.operations.reading import tell_masks, tell_odometry, tell_reading
from husky_placerec.operations.tell import Bars, no_bars, no_warning, Tell, tell_nothing, Warn
from husky_placerec.optional import require
from husky_placerec.output_folder import check_output_folder
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.calibration import UNCALIBRATED
from husky_placerec.recognition.metric_share import MetricShare
from husky_placerec.recognition.recognizer import Recognizer
from husky_placerec.session.loading import recognizer_of
import numpy as np

MAX_GAP_S = 2.0  # between two true poses that may be interpolated


@dataclass(frozen=True)
class Replay:
    """
    The results of a replay.

    :param results: one for each frame, in order.
    :param summary: the content of `summary.json`.
    :param report: whether the truth is known, so that the output has a report.
    """

    results: tuple[Result, ...]
    summary: dict[str, Any]
    report: bool


def replay(
    source: Path,
    place_map: Path | PlaceMap,
    output: Path | None = None,
    *,
    config: Config | None = None,
    stamps: Path | None = None,
    kept: Collection[str] = (),
    poses: str | None = None,
    heading: str | None = None,
    tolerances_m: Sequence[float] = TOLERANCES_M,
    max_gap_s: float = MAX_GAP_S,
    kind: str | None = None,
    max_broken: float = MAX_BROKEN,
    overwrite: bool = False,
    tell: Tell = tell_nothing,
    warn: Warn = no_warning,
    bars: Bars = no_bars,
) -> Replay:
    """
    Recognise the frames of a drive by the session that the node runs.

    :param source: a track, a bag or a folder of images.
    :param place_map: the map, or its folder.
    :param output: folder of the results; None writes nothing.
    :param config: parameters; by default those of the map's cameras.
    :param stamps: repeat the frames of this file: a node's log, or a stamp in ns a line.
    :param kept: names of parameters that the node's log does not overrule.
    :param poses: topic or file with the true poses; by default the only poses of the source, where
        they are in the frame of the map.
    :param heading: where the orientations are: a topic, `motion` or `poses`.
    :param kind: 'track', 'bag' or 'folder'; by default found out.
    :param max_broken: share of the images of a camera, or of the poses, that may be broken.
    :raises InputError: that names the file, what was found and what was expected.

    >>> from pathlib import Path
    >>> done = replay(Path('drive_2'), Path('campus.map'))  # doctest: +SKIP
    >>> done.summary['accepted'], done.summary['precision']  # doctest: +SKIP
    (108, 1.0)
    """
    require('sklearn', *(('matplotlib', 'jinja2') if output is not None else ()))
    if output is not None:
        check_output_folder(output, overwrite)
    selection = read_selection(stamps) if stamps else None
    with open_source(source, kind, max_broken) as drive:
        known = place_map if isinstance(place_map, PlaceMap) else load_map(place_map)
        parameters = config or make_config({'cameras': list(known.spec.sees)})
        if selection is not None and selection.told is not None:
            selection.require_version(known.version, known.name)
            parameters = node_config(parameters, selection.told[0], kept)
        drive.check(parameters)
        parameters, doubts = config_of_source(drive, parameters)
        for doubt in doubts:
            warn(f'{drive.path}: {doubt}')
        truth = find_truth(drive, poses, known.frame_id, heading, known.origin)
        recognizer = recognizer_of(known, parameters, tell)
        for sentence in _doubts(recognizer, truth):
            warn(sentence)
        frames = replay_source(
            drive,
            recognizer,
            parameters,
            truth=truth,
            max_gap_s=max_gap_s,
            selection=selection,
            kept=kept,
        )
        if recognizer.masking is not None and selection is not None and selection.told is not None:
            warn(
                f'{stamps}: does not tell which masks had come in time; each frame gets the masks '
                f'of {drive.path}, so that decisions may differ from the log'
            )
        total = _frame_count(drive, parameters, selection)
        results = tuple(bars('Recognising')(frames, total))
        require_clocks(drive)
        if not results:
            raise no_frames(source, drive.problems)
        tell_reading(drive, tell, warn)
        tell_masks(recognizer.masking, tell, warn)
        if selection is None or selection.told is None:  # a node's log has its own odometry
            stamps_ns = np.array([result.recognition.stamp_ns for result in results], np.int64)
            tell_odometry(drive, drive.odometry(parameters.odometry_topic), stamps_ns, tell)
    share = MetricShare()
    for result in results:
        share.count(result.recognition)
    if share.doubt:
        warn(f'{source}: {share.doubt}')
    done = Replay(results, summary(results, known, tolerances_m), truth is not None)
    if output is None:
        return done
    inputs = {
        'source': str(source),
        'stamps': str(stamps) if stamps else None,
        'truth': truth.source if truth else None,
        'kind': kind,
    }
    return _written(output, done, known, parameters, inputs, tolerances_m, kind)


def _doubts(recognizer: Recognizer, truth: Trajectory | None) -> list[str]:
    """Return what speaks against the results, in sentences."""
    sentences = [] if truth is None else [f'{truth.source}: {note}' for note in truth.warnings]
    sentences += recognizer.notes
    if recognizer.local_doubt:
        sentences.append(f'{recognizer.place_map.name}: {recognizer.local_doubt}')
    if recognizer.place_map.spec.limits:
        sentences.append(recognizer.place_map.spec.limits)
    if recognizer.weakness:
        about = f'the calibration of the map is {recognizer.grade}'
        sentences.append(f'{recognizer.place_map.name}: {about}: {recognizer.weakness}')
    if recognizer.calibration_kind == UNCALIBRATED:
        sentences.append(
            f'{recognizer.place_map.name}: uncalibrated: accepted by thresholds, without a '
            'probability; placerec calibrate measures what they mean'
        )
    return sentences


def _frame_count(drive: Source, config: Config, selection: Selection | None) -> int:
    return len(selection.frames) if selection else drive.frame_count(config)


def _written(
    output: Path,
    done: Replay,
    place_map: PlaceMap,
    config: Config,
    inputs: dict[str, str | None],
    tolerances_m: Sequence[float],
    kind: str | None,
) -> Replay:
    """Write the folder of the results, with a report where the truth is known."""
    from husky_placerec.evaluation.report import replay_report  # needs matplotlib and jinja2

    judged = judge_results(done.results, place_map, tolerances_m)
    report = None
    if judged is not None:
        source = Path(str(inputs['source']))
        report = replay_report(done.results, judged, place_map, done.summary, config, source, kind)
    decided = [(result.recognition, result.truth) for result in done.results]
    used = used_parameters(config, place_map, **inputs)
    used['tolerances_m'] = list(tolerances_m)
    write_results(output, decided, done.summary, used, report)
    return Replay(done.results, done.summary, report is not None)
