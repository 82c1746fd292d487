"""What `placerec map` shows of a map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from husky_placerec.cli.common import percent
from husky_placerec.config import Config
from husky_placerec.errors import InputError
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.query_kinds import REVERSED
from husky_placerec.printable import printable
from husky_placerec.recognition.calibration import PRIOR, SIMULATED
from husky_placerec.recognition.local_budget import known_cost, plan_of
from husky_placerec.recognition.shipped_calibration import calibration_for
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

KINDS = (
    'forwards: all cameras, as they are. reversed: the images of opposite cameras are swapped, as '
    'for a robot that drives the other way. A drive in the direction of the map tests forwards; '
    'its share of reversed is low, because it compares opposite views, and says nothing about the '
    'map. A drive the other way tests reversed. One camera alone is searched both ways.'
)


def map_table(place_map: PlaceMap) -> Table:
    """Show what a map is, what made it, and how it is calibrated."""
    spec, places = place_map.spec, place_map.places
    low, high = places.poses[:, :2].min(axis=0), places.poses[:, :2].max(axis=0)
    table = Table(title=printable(place_map.name), show_header=False, title_justify='left')
    model = f'{spec.backbone}, weights {spec.weights} ({spec.weights_sha256[:12]})'
    counts = Counter(places.tracks)
    rows = {
        'places': f'{len(place_map)} on {len(counts)} track(s)',
        'cameras': ', '.join(spec.cameras) + ('' if place_map.opposites else ' (no opposites)'),
        'with all cameras': str(int(places.present.all(axis=1).sum())),
        'descriptor': model if spec.extractor == 'timm' else spec.extractor,
        'input': f'{spec.input_width}x{spec.input_height}',
        'virtual pinhole': _view(place_map),
        'pooling, fusion': f'{spec.pooling}; {spec.fusion}',
        'size': f'{len(spec.cameras)} x {spec.size}, stored as float16{_projection(place_map)}',
        'compared': _comparison(place_map),
        'index': _index(place_map),
        'local descriptors': _local(place_map),
        **_local_budget(place_map),
        'texts': _texts(place_map),
        'landmarks': _landmarks(place_map),
        'thumbnails': 'yes' if place_map.thumbnails else 'no',
        **_calibration(place_map),
        'frame': place_map.frame_id,
        'origin (WGS 84)': _origin(place_map),
        'extent': f'{high[0] - low[0]:.0f} x {high[1] - low[1]:.0f} m',
        'created': place_map.created,
        'version': place_map.version[:12],
    }
    for track, count in counts.items():
        rows[f'track {track}'] = f'{count} places from {place_map.sources.get(track, "?")}'
    for name, value in rows.items():
        table.add_row(printable(name), printable(value))
    return table


def gain_table(gain: Mapping[str, Mapping[str, float]], used: str) -> RenderableType:
    """Show the recall on a validation drive by each way to compare descriptors."""
    return recall_table(f'Recall@1 at 5 m on the validation drive; descriptors are {used}', gain)


def recall_table(title: str, recalls: Mapping[str, Mapping[str, float]]) -> RenderableType:
    """Show recalls side by side, a row for each kind of query, and what the rows mean."""
    kinds = list(next(iter(recalls.values())))
    table = Table(title=printable(title), title_justify='left')
    table.add_column('query')
    for name in recalls:
        table.add_column(name, justify='right')
    for kind in kinds:
        table.add_row(kind, *(percent(recall.get(kind)) for recall in recalls.values()))
    return Group(table, Text(KINDS)) if REVERSED in kinds else table


def comparison(place_map: PlaceMap) -> str:
    """Return how a map compares descriptors: raw, centred or whitened."""
    if place_map.centring is not None:
        return 'centred'
    return 'raw' if place_map.whitening is None else 'whitened'


def _projection(place_map: PlaceMap) -> str:
    made = place_map.projection
    return f'; principal components of {len(made.mean)}' if made is not None else ''


def _comparison(place_map: PlaceMap) -> str:
    if place_map.centring is None:
        return comparison(place_map)
    common = f'{place_map.centring.common:.0%} of a descriptor is common to its track'
    return f'centred by session; {common}'


def _view(place_map: PlaceMap) -> str:
    focal = place_map.spec.pinhole_focal
    return place_map.view or (f'focal length {focal:g} widths' if focal else 'none')


def _index(place_map: PlaceMap) -> str:
    if place_map.index is None:
        return 'none'
    plan, report = place_map.index.plan, place_map.index.report
    recalls = ', '.join(f'{kind} {share:.3f}' for kind, share in report.recall.items())
    return (
        f'{plan.kind}, {report.cpu_ms:.2f} ms a query; '
        f'recall against exact: {recalls or "not measured"}'
    )


def _calibration(place_map: PlaceMap) -> dict[str, str]:
    """Return the rows about the calibration, and whether it fits the map."""
    try:
        found = calibration_for(place_map, place_map.spec)
    except InputError as error:
        return {'calibration': f'refused: {error}'}
    if found is None or found.kind == PRIOR:
        return {'calibration': 'none: the prior decides; placerec calibrate measures one'}
    rows = {'calibration': f'{found.kind}, of {found.created}'}
    if found.kind == SIMULATED:
        rows['calibrated by'] = 'campuses that come with the network'
    else:
        rows['calibrated by'] = ', '.join(found.sources)
        fits = place_map.calibrated_on_these_places
        rows['calibration fits'] = (
            'yes' if fits else 'measured on other places of this map: calibrate again'
        )
    figures = found.figures
    wrong = f'{figures["wrong"]} wrong of {figures["frames"]} frames'
    recall = figures['recall_at_precision']['0.99']['recall']
    rows['calibration promises'] = found.grade + (f': {found.weakness}' if found.weakness else '')
    rows['calibration measured'] = f'{wrong}; recall {percent(recall)} at 99 % precision'
    return rows


def _local(place_map: PlaceMap) -> str:
    local = place_map.local
    if local is None:
        return 'none; placerec map add-local adds them'
    spec = local.spec
    size = spec.bytes_of_place(len(place_map.spec.sees)) / 1000
    return (
        f'{spec.rows}x{spec.columns} cells of {spec.size} numbers, branch {spec.branch} of '
        f'{spec.weights} ({spec.weights_sha256[:12]}), {size:.1f} kB a place'
    )


def _local_budget(place_map: PlaceMap) -> dict[str, str]:
    if place_map.local is None:
        return {}
    config, cameras = Config(), len(place_map.spec.sees)
    cost = known_cost(place_map.local.spec, cameras, config.threads)
    unknown = 'not measured on this machine; the first drive on the map does it'
    return {'   on this machine': unknown if cost is None else plan_of(cost, config).words}


def _texts(place_map: PlaceMap) -> str:
    texts = place_map.texts
    if texts is None:
        return 'none; placerec map add-texts adds them'
    places = sum(map(bool, texts.of_places))
    return f'{texts.count} ({len(texts.different)} different) at {places} of {len(texts)} places'


def _landmarks(place_map: PlaceMap) -> str:
    landmarks = place_map.landmarks
    if landmarks is None:
        return 'none; placerec map add-landmarks adds them'
    spec = landmarks.spec
    size = spec.bytes_of_place(len(place_map.spec.sees)) / 1000
    network = (
        f'{spec.network} ({spec.network_sha256[:12]})' if spec.network_sha256 else spec.network
    )
    return (
        f'{landmarks.per_place:.0f} a place by {network} at {spec.input_width} px, '
        f'{size:.1f} kB a place; noise {spec.noise_px:g} px'
    )


def _origin(place_map: PlaceMap) -> str:
    origin = place_map.origin
    if origin is None:
        return 'not known'
    return f'{origin.latitude:.7f}, {origin.longitude:.7f}, {origin.altitude:.2f} m; x is east'
