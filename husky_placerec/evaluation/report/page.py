"""The HTML page of a report: a template filled with texts, tables and embedded pictures."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.resources import files
from pathlib import Path
from typing import Any

from husky_placerec import __version__
from husky_placerec.evaluation.report.case import Mistake
from husky_placerec.evaluation.report.photos import Photos
from husky_placerec.printable import printable_lines
from husky_placerec.types import SECOND_NS
from jinja2 import Environment, StrictUndefined
import numpy as np

NOTHING = '-'  # a cell where there is nothing to count


@dataclass(frozen=True)
class Picture:
    """
    A PNG with its texts.

    :param name: of its file, without the suffix.
    :param alt: what it shows, for readers who cannot see it.
    :param text: caption.
    """

    name: str
    png: bytes
    alt: str
    text: str


@dataclass(frozen=True)
class Page:
    """
    The content of a report.

    :param rows: of the main table, the method first; each has the keys of `summary.json`.
    :param groups: title and rows of the tables by pair, season and light.
    :param pictures: by the section that they belong to, in the order of the page.
    :param opposites: for each camera the index of the one that looks the other way; None where
        some camera has none.
    :param facts: what was used, at the foot of the page.
    :param notes: what a reader has to know, under the main result.
    """

    title: str
    headline: str
    sentences: Sequence[str]
    rows: Mapping[str, Mapping[str, Any]]
    groups: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]
    pictures: Mapping[str, Sequence[Picture]]
    mistakes: Sequence[Mistake]
    photos: Photos
    cameras: Sequence[str]
    opposites: Sequence[int] | None
    facts: Mapping[str, str]
    notes: Sequence[str]


def write_page(folder: Path, page: Page) -> None:
    """Write `report.html` and its PNGs."""
    for pictures in page.pictures.values():
        for picture in pictures:
            (folder / f'{picture.name}.png').write_bytes(picture.png)
    (folder / 'report.html').write_text(render(page), encoding='utf-8')


def render(page: Page) -> str:
    """Return the page as HTML without a reference to another file."""
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters.update(
        percent=_percent, metres=_metres, degrees=_degrees, png=_png, interval=_interval
    )
    template = files(__package__).joinpath('page.html').read_text(encoding='utf-8')
    return environment.from_string(template).render(
        page=page,
        tolerances=list(next(iter(page.rows.values()))['recall']),
        mistakes=[_mistake(mistake, page) for mistake in page.mistakes],
        version=__version__,
        written=datetime.now(timezone.utc).isoformat(' ', timespec='minutes'),
    )


def _shown(value: Any) -> Any:
    """Return what the page shows of a value: no control characters of a name from elsewhere."""
    return printable_lines(value) if type(value) is str else value


def _mistake(mistake: Mistake, page: Page) -> dict[str, Any]:
    """Return what the template shows of a mistake; None for an image that is not found."""
    case, row = mistake.case, mistake.row
    turned = bool(case.turned[row]) and page.opposites is not None
    beside = [page.cameras[i] for i in page.opposites or ()] if turned else page.cameras
    sides = [
        _side('taken here', case.queries, case.stamps_ns[row], case.query_sources, page),
        _side('recognised as', case.database, case.place_stamps_ns[row], case.map_sources, page),
    ]
    for side, cameras in zip(sides, (page.cameras, beside)):
        side['images'] = [(camera, side['found'].get(camera)) for camera in cameras]
    return {
        'case': case,
        'accepted': mistake.accepted,
        'similarity': mistake.similarity,
        'distance_m': float(case.judged.distance_m[row]),
        'angle_deg': float(case.judged.angle_deg[row]),
        'turned': turned,
        'nearest_m': float(case.judged.nearest_m[row]),
        'known': bool(case.judged.on_map[row]),
        'sides': sides,
    }


def _side(
    title: str, drive: str, stamp: np.int64, sources: Sequence[Path], page: Page
) -> dict[str, Any]:
    stamp_ns = int(stamp)
    photos: Mapping[str, bytes] = next(
        (page.photos[path, stamp_ns] for path in sources if (path, stamp_ns) in page.photos), {}
    )
    time = datetime.fromtimestamp(stamp_ns // SECOND_NS, timezone.utc)
    return {
        'title': title,
        'drive': drive,
        'stamp_ns': stamp_ns,
        'time': f'{time:%Y-%m-%d %H:%M:%S} UTC',
        'found': {camera: _data('jpeg', photo) for camera, photo in photos.items()},
    }


def _data(kind: str, data: bytes) -> str:
    return f'data:image/{kind};base64,{base64.b64encode(data).decode()}'


def _png(picture: Picture) -> str:
    return _data('png', picture.png)


def _percent(share: float | None, digits: int = 0) -> str:
    return NOTHING if share is None else f'{100 * share:.{digits}f} %'


def _metres(value: float | None) -> str:
    return NOTHING if value is None else f'{value:.1f} m'


def _degrees(value: float | None) -> str:
    return NOTHING if value is None else f'{value:.0f}°'


def _interval(row: Mapping[str, Any], recall: str, tolerance: str, rank: str) -> str:
    bounds = row.get('intervals', {}).get(recall, {}).get(tolerance, {}).get(rank)
    return f'{100 * bounds[0]:.0f} to {100 * bounds[1]:.0f}' if bounds else ''
