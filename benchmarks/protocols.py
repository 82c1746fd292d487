"""
Recall of descriptors on simulated drives of each protocol, the standard and the hard one.

The map is a drive on a summer day with a place every 3 m. Other drives are the queries. The
network was trained on none of the campuses. A cell is recall@1 in % within 5 m / 10 m and 30
degrees of heading: the mean over the campuses, and in brackets the least and the most of them
within 5 m. Reversed drives are searched with opposite cameras swapped. Networks see unlike cameras
through one virtual pinhole.

Without --network, the shipped network is measured.

Example: python benchmarks/protocols.py --network mine=parameters.yaml
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
import hashlib
from pathlib import Path

from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.protocols import drive_of, PROTOCOLS
from husky_placerec.config import make_config
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.evaluation.metrics import HEADING_DEG
from husky_placerec.progress import bar
from husky_placerec.types import FloatArray, Floats, Frame, Pose
import numpy as np
from rendered import intrinsics, PINHOLE_FOCAL, poses_of, render
from rich.console import Console
from rich.table import Table
import yaml

TOLERANCES_M = (5.0, 10.0)
QUERIES = {
    'winter dusk': {'condition': 'winter_dusk'},
    'night': {'condition': 'night'},
    'rain': {'condition': 'autumn_rain'},
    'reverse, day': {'condition': 'summer_day', 'reverse': True},
    'reverse, night': {'condition': 'night', 'reverse': True},
}
Parameters = Mapping[str, object]
BASELINES: Mapping[str, Parameters] = {
    'pixels': {'extractor': 'pixels'},
    'hog': {'extractor': 'hog'},
    'shipped network, random': {
        'extractor': 'timm',
        'backbone': 'anchored_mobilenetv2',
        'weights': 'random',
        'pooling': 'gem:2x4',
        'head': 256,
        'input_width': 192,
        'input_height': 112,
    },
}


@dataclass(frozen=True)
class Described:
    """A drive: its poses [N, 7], and the unit vectors [N, 2, D] of its images."""

    poses: Floats
    descriptors: FloatArray


def drives_of(protocol: str, seed: int, identical: bool, query_step_m: float) -> list[DriveConfig]:
    """Return the mapped drive, then those of QUERIES; each covers the whole route."""
    common = drive_of(protocol, seed=seed, identical_cameras=identical)
    common = replace(common, length_m=float(int(common.campus().route.length_m)))
    queries = [
        replace(common, drive=number, step_m=query_step_m, **changes)
        for number, changes in enumerate(QUERIES.values(), 1)
    ]
    return [common, *queries]


def describe(
    config: DriveConfig, path: Path, parameters: Parameters, *, pinhole: bool
) -> Described:
    """Describe a rendered drive, or read the descriptors that are stored beside it."""
    values = {
        **parameters,
        **intrinsics(config),
        'pinhole': 'off',
        'pinhole_focal': PINHOLE_FOCAL * pinhole,
    }
    extractor = load_extractor(make_config(values))
    digest = hashlib.sha256(repr(extractor.spec).encode()).hexdigest()[:12]
    stored = path.with_name(f'{path.stem}_{digest}.npy')
    if not stored.exists():
        names = [camera.name for camera in config.rig]
        images = np.load(path, mmap_mode='r')
        frames = (Frame(0, dict(zip(names, each)), dict.fromkeys(names, 0)) for each in images)
        np.save(stored, np.array([extractor.describe(frame) for frame in frames]))
    return Described(poses_of(path), np.load(stored))


def recalls(mapped: Described, driven: Described, reverse: bool) -> list[float]:
    """Return recall@1 in % within each tolerance and within HEADING_DEG of heading."""
    queries = driven.descriptors[:, ::-1] if reverse else driven.descriptors
    similarity = np.einsum('qcd,mcd->qm', queries, mapped.descriptors)
    best = mapped.poses[similarity.argmax(axis=1)]
    hits = []
    for found, truth in zip(map(Pose.from_array, best), map(Pose.from_array, driven.poses)):
        pose = found.turned_round() if reverse else found
        same_heading = pose.angle_deg(truth) <= HEADING_DEG
        hits.append([same_heading and pose.distance_m(truth) <= m for m in TOLERANCES_M])
    return [100 * float(share) for share in np.mean(hits, axis=0)]


def chance(mapped: Floats, driven: Floats) -> list[float]:
    """Return the recall@1 in % of places drawn at random, whatever their heading."""
    distance = np.linalg.norm(driven[:, None, :2] - mapped[:, :2], axis=-1)
    return [100 * float((distance <= m).mean()) for m in TOLERANCES_M]


def table(
    title: str,
    campuses: Sequence[Sequence[tuple[DriveConfig, Path]]],
    methods: Mapping[str, Parameters],
) -> Table:
    """Measure each method on each campus, and return the table."""
    made = Table(title=f'{title}: recall@1 at 5 m / 10 m, %', title_justify='left')
    made.add_column('')
    for query in QUERIES:
        made.add_column(query, justify='right')
    poses = [[poses_of(path) for _, path in drives] for drives in campuses]
    made.add_row('chance', *_cells([[chance(p[0], d) for d in p[1:]] for p in poses]))
    for name, parameters in methods.items():
        found = []
        for drives in with_progress(campuses, name):
            pinhole = not drives[0][0].identical_cameras and name not in ('pixels', 'hog')
            mapped, *driven = (
                describe(config, path, parameters, pinhole=pinhole) for config, path in drives
            )
            turned = [bool(query.get('reverse')) for query in QUERIES.values()]
            found.append([recalls(mapped, d, r) for d, r in zip(driven, turned)])
        made.add_row(name, *_cells(found))
    return made


def with_progress(
    items: Sequence[Sequence[tuple[DriveConfig, Path]]], title: str
) -> Iterator[Sequence[tuple[DriveConfig, Path]]]:
    """Yield the items and show a progress bar."""
    with bar(title, len(items), ' campuses') as shown:
        for item in items:
            yield item
            shown.update()


def _cells(found: Sequence[Sequence[Sequence[float]]]) -> list[str]:
    array = np.array(found)  # [campuses, queries, tolerances]
    return [
        f'{each[:, 0].mean():.1f} / {each[:, 1].mean():.1f} '
        f'({each[:, 0].min():.0f}-{each[:, 0].max():.0f})'
        for each in array.transpose(1, 0, 2)
    ]


def _parameters(path: Path) -> Parameters:
    return dict(yaml.safe_load(path.read_text(encoding='utf-8')))


def main() -> None:
    """Render the missing drives and print a table for each protocol and pair of cameras."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--network', action='append', default=[], metavar='NAME=YAML')
    parser.add_argument('--drives', type=Path, default=Path('drives'), help='rendered drives')
    parser.add_argument('--seeds', type=int, nargs='+', default=[98, 99, 100])
    parser.add_argument(
        '--query-step', type=float, default=9.0, help='metres between the frames of a query drive'
    )
    parser.add_argument('--protocols', nargs='+', choices=list(PROTOCOLS), default=list(PROTOCOLS))
    parser.add_argument('--no-baselines', action='store_true')
    args = parser.parse_args()
    networks = [each.partition('=') for each in args.network]
    methods = {} if args.no_baselines else dict(BASELINES)
    methods.update({name: _parameters(Path(path)) for name, _, path in networks})
    if not networks:
        methods['shipped network'] = {'weights': 'shipped', 'threads': 1}
    for protocol in args.protocols:
        for identical in (True, False):
            plans = [drives_of(protocol, s, identical, args.query_step) for s in args.seeds]
            paths = iter(render([config for plan in plans for config in plan], args.drives))
            campuses = [[(config, next(paths)) for config in plan] for plan in plans]
            cameras = 'identical' if identical else 'unlike'
            Console(width=150).print(table(f'{protocol}, {cameras} cameras', campuses, methods))


if __name__ == '__main__':
    main()
