"""The report of an evaluation: several drives, each recognised in the maps of the others."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
import itertools
from typing import Any

from husky_placerec.config import Config
from husky_placerec.evaluation.comparison import Evaluation
from husky_placerec.evaluation.metrics import Judged
from husky_placerec.evaluation.protocol import candidate_poses, Pair
from husky_placerec.evaluation.report.case import Case
from husky_placerec.evaluation.report.charts import draw_matrix
from husky_placerec.evaluation.report.page import Page, Picture, write_page
from husky_placerec.evaluation.report.parts import (
    error_pictures,
    latency_picture,
    mistakes_with_photos,
    route_picture,
)
from husky_placerec.evaluation.report.sentences import headline, sentences
from husky_placerec.evaluation.report.style import literal_names
from husky_placerec.evaluation.results import Writer
from husky_placerec.evaluation.tracks import Track
from husky_placerec.recognition.calibration import OWN, PRIOR, SIMULATED, UNCALIBRATED
import numpy as np

MOST_PAIRS = 12  # in the table of pairs; more pairs are shown in the matrix only


@literal_names
def evaluation_report(
    evaluation: Evaluation, numbers: Mapping[str, Any], config: Config, kind: str | None
) -> Writer:
    """
    Prepare the report of an evaluation.

    The sources are read again for the images of the worst mistakes.

    :param numbers: the content of `summary.json`.
    :return: a function that writes the report into a folder.
    """
    tracks = itertools.permutations(evaluation.tracks, 2)
    cases = [_case(pair, *each) for pair, each in zip(evaluation.pairs, tracks)]
    pooled = Judged.join([pair.judged for pair in evaluation.pairs])
    mistakes, photos = mistakes_with_photos(cases, config, kind)
    thresholds, calibrated = evaluation.protocol.thresholds, evaluation.calibrated
    all_calibrated = len(calibrated) == len(evaluation.tracks)
    page = Page(
        title=f'Place recognition: {len(evaluation.tracks)} drives, {len(cases)} pairs',
        headline=headline(numbers),
        sentences=sentences(
            numbers,
            None if all_calibrated else thresholds,
            calibrated,
            next((k for k in (SIMULATED, PRIOR) if k in evaluation.calibrations.values()), OWN),
        ),
        rows={evaluation.method: numbers, **numbers['baselines']},
        groups=_groups(numbers),
        pictures={
            'pairs': _matrix(evaluation, numbers),
            'route': [route_picture(cases)],
            'errors': error_pictures(pooled, None if calibrated else thresholds),
            'latency': [
                latency_picture(
                    np.concatenate(evaluation.latencies_ms),
                    'The description of a frame, measured when the descriptors were made and '
                    'other frames were decoded at the same time, and its share of a search of '
                    'all frames at once. The decision is not included. A replay and the node '
                    'measure one frame at a time.',
                )
            ],
        },
        mistakes=mistakes,
        photos=photos,
        cameras=evaluation.cameras,
        opposites=evaluation.protocol.opposites,
        facts=_facts(evaluation, config),
        notes=evaluation.notes,
    )
    return partial(write_page, page=page)


def _case(pair: Pair, database: Track, queries: Track) -> Case:
    best = pair.found.places[:, 0]
    return Case(
        pair.database,
        pair.queries,
        pair.judged,
        queries.stamps_ns,
        database.stamps_ns[best],
        queries.poses[:, :2],
        candidate_poses(pair.found, database)[:, 0, :2],
        database.poses[:, :2],
        pair.found.turned[:, 0],
        [queries.path],
        [database.path],
    )


def _groups(numbers: Mapping[str, Any]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    groups = []
    if 1 < len(numbers['pairs']) <= MOST_PAIRS:
        groups.append(('By pair of drives', numbers['pairs']))
    for title, key in (('By season', 'by_season'), ('By light', 'by_light')):
        if len(numbers[key]) > 1:
            groups.append((title, numbers[key]))
    return groups


def _matrix(evaluation: Evaluation, numbers: Mapping[str, Any]) -> list[Picture]:
    if len(evaluation.tracks) < 3:
        return []
    names = [track.name for track in evaluation.tracks]
    tolerance = next(iter(numbers['recall']))
    recalls = np.full((len(names), len(names)), np.nan)
    for pair in numbers['pairs']:
        share = pair['recall'][tolerance]['1']
        at = names.index(pair['database']), names.index(pair['queries'])
        recalls[at] = np.nan if share is None else share
    text = 'Each row is a drive as the map, each column a drive as the queries.'
    png = draw_matrix(names, recalls, tolerance)
    return [Picture('pairs', png, f'Recall@1 within {tolerance} m of each pair', text)]


def _facts(evaluation: Evaluation, config: Config) -> dict[str, str]:
    spec = evaluation.spec
    network = f'{spec.backbone}, weights {spec.weights} ({spec.weights_sha256[:12]})'
    return {
        'method': network if spec.extractor == 'timm' else spec.extractor,
        'input': f'{spec.input_width}x{spec.input_height} pixels, {spec.preprocessing}',
        'descriptor': f'{len(spec.cameras)} cameras ({", ".join(spec.cameras)}) x {spec.size}',
        'decided by': _deciders(evaluation),
        'passed in reverse': 'searched' if config.search_reversed else 'not searched',
        'drives': '; '.join(
            f'{track.name}: {len(track)} frames{f" ({track.tags})" if str(track.tags) else ""}, '
            f'{track.path}'
            for track in evaluation.tracks
        ),
    }


def _deciders(evaluation: Evaluation) -> str:
    """Return what decided on each map."""
    names = {UNCALIBRATED: 'thresholds'}
    return '; '.join(
        f'{names.get(kind, f"calibration ({kind})")} on the map of {name}'
        for name, kind in evaluation.calibrations.items()
    )
