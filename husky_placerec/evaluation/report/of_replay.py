"""The report of a replay: one drive that is recognised in one map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from husky_placerec.config import Config
from husky_placerec.data.source import open_source
from husky_placerec.evaluation.baselines import NAMES
from husky_placerec.evaluation.metrics import Judged
from husky_placerec.evaluation.report.case import Case
from husky_placerec.evaluation.report.page import Page, write_page
from husky_placerec.evaluation.report.parts import (
    error_pictures,
    latency_picture,
    mistakes_with_photos,
    route_picture,
)
from husky_placerec.evaluation.report.sentences import headline, sentences
from husky_placerec.evaluation.report.style import literal_names
from husky_placerec.evaluation.results import Result, Writer
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.calibration import OWN
from husky_placerec.recognition.measurement import Thresholds
from husky_placerec.recognition.shipped_calibration import calibration_for
import numpy as np


@literal_names
def replay_report(
    results: Sequence[Result],
    judged: Judged,
    place_map: PlaceMap,
    numbers: Mapping[str, Any],
    config: Config,
    source: Path,
    kind: str | None,
) -> Writer:
    """
    Prepare the report of a replay.

    :param judged: the results whose truth is known, in their order.
    :param numbers: the content of `summary.json`.
    :return: a function that writes the report into a folder.
    """
    with open_source(source, kind) as drive:
        case = _case(results, judged, place_map, source, drive.name)
    mistakes, photos = mistakes_with_photos([case], config, kind)
    spec = place_map.spec
    by_calibration = _by_calibration(results)
    thresholds = None if by_calibration else Thresholds.of(config)
    made = calibration_for(place_map, spec, config) if by_calibration else None
    page = Page(
        title=f'Place recognition: {case.title}',
        headline=headline(numbers),
        sentences=sentences(numbers, thresholds, kind=made.kind if made is not None else OWN),
        rows={spec.backbone or NAMES[spec.extractor]: numbers, **numbers['baselines']},
        groups=[],
        pictures={
            'pairs': [],
            'route': [route_picture([case])],
            'errors': error_pictures(judged, thresholds),
            'latency': [
                latency_picture(
                    1000 * np.array([result.seconds for result in results]),
                    'From the encoded images of a frame to its pose, one frame at a time.',
                )
            ],
        },
        mistakes=mistakes,
        photos=photos,
        cameras=spec.sees,
        opposites=place_map.opposites,
        facts={
            'drive': f'{source}, {len(results)} frames, {len(judged)} with truth',
            'map': repr(place_map),
            'decided by': f'calibration ({made.kind})' if made else 'thresholds',
            'made of': ', '.join(place_map.sources.values()),
        },
        notes=[],
    )
    return partial(write_page, page=page)


def _by_calibration(results: Sequence[Result]) -> bool:
    """
    Return whether a calibration decided.

    The map need not have one of its own: a simulated map has the default one of its model.
    """
    return any(
        result.recognition.state is not None or result.recognition.probability is not None
        for result in results
    )


def _case(
    results: Sequence[Result], judged: Judged, place_map: PlaceMap, source: Path, name: str
) -> Case:
    known = [(r.recognition, r.truth) for r in results if r.truth is not None]
    best = [recognition.best for recognition, _ in known]
    places = [candidate.place if candidate else 0 for candidate in best]
    nowhere = (np.nan, np.nan)
    return Case(
        Path(place_map.name).name,
        name,
        judged,
        np.array([recognition.stamp_ns for recognition, _ in known]),
        place_map.places.stamps_ns[places],
        np.array([(truth.x, truth.y) for _, truth in known]),
        np.array([(c.pose.x, c.pose.y) if c else nowhere for c in best]),
        place_map.places.poses[:, :2],
        np.array([bool(c and c.reversed) for c in best]),
        [source],
        [Path(path) for path in place_map.sources.values()],
    )
