"""
How hard the protocols of drives are, by recall@1 of simple descriptors and a small network.

The map is a summer day with a place every 3 m; other drives are the queries, on campuses that the
network was never trained on. A cell is recall@1 in % within 5 m / 10 m, the mean over the
campuses, and behind it the least and the most. Reverse drives are searched with the cameras
exchanged.

As in `python benchmarks/protocols.py --network weights.safetensors` (weights: see lcn_cnn.py).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
import multiprocessing
from pathlib import Path

import cv2
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.photographer import Photographer
from husky_placerec.campus.protocols import drive_of, PROTOCOLS
from husky_placerec.config import make_config
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.descriptor.network import DescriptorNetwork
from husky_placerec.evaluation.metrics import HEADING_DEG
from husky_placerec.progress import bar
from husky_placerec.types import Frame, Pose
from lcn_cnn import describe, drive_name, small
from lcn_cnn import network as make_network
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

TOLERANCES_M = (5.0, 10.0)
QUERIES = {
    'winter dusk': {'condition': 'winter_dusk'},
    'night': {'condition': 'night'},
    'rain': {'condition': 'autumn_rain'},
    'reverse, day': {'condition': 'summer_day', 'reverse': True},
    'reverse, night': {'condition': 'night', 'reverse': True},
}
BASELINES = 'pixels', 'hog'


@dataclass(frozen=True)
class Described:
    """A drive: its poses, and what each descriptor and the network need of its frames."""

    poses: NDArray[np.float64]  # [N, 7]
    images: NDArray[np.uint8]  # [N, 2, H, W, 3], at the network's size
    descriptors: Mapping[str, NDArray[np.float32]]  # [N, 2, D] unit vectors


def drives_of(protocol: str, seed: int, identical: bool, query_step_m: float) -> list[DriveConfig]:
    """Return the drive that is mapped, then those of QUERIES; each goes once around."""
    common = drive_of(protocol, seed=seed, identical_cameras=identical, width=320, height=180)
    common = replace(common, length_m=float(int(common.campus().route.length_m)))
    queries = [
        replace(common, drive=number, step_m=query_step_m, **changes)
        for number, changes in enumerate(QUERIES.values(), 1)
    ]
    return [common, *queries]


def described(config: DriveConfig, folder: Path) -> Described:
    """Render and describe a drive, or read it from the folder."""
    cv2.setNumThreads(1)
    path = folder / f'{drive_name(config)}.npz'
    if not path.exists():
        extractors = {n: load_extractor(make_config({'extractor': n})) for n in BASELINES}
        photographer = Photographer(config)
        images: list[list[NDArray[np.uint8]]] = []
        rows: dict[str, list[NDArray[np.float32]]] = {name: [] for name in BASELINES}
        for number in range(len(photographer.poses)):
            pictures = photographer.pictures(number)
            images.append([small(picture) for picture in pictures.values()])
            views = {name: picture.image for name, picture in pictures.items()}
            frame = Frame(0, views, dict.fromkeys(views, 0))
            for name, extractor in extractors.items():
                rows[name].append(extractor.describe(frame))
        poses = np.array([timed.pose.as_array() for timed in photographer.poses])
        np.savez(path, poses=poses, images=np.array(images), **rows)
    with np.load(path) as stored:
        return Described(stored['poses'], stored['images'], {n: stored[n] for n in BASELINES})


def recalls(mapped: Described, driven: Described, name: str, reverse: bool) -> list[float]:
    """Return recall@1 within each tolerance, and within the usual heading."""
    queries = driven.descriptors[name]
    queries = queries[:, ::-1] if reverse else queries
    similarity = np.einsum('qcd,mcd->qm', queries, mapped.descriptors[name])
    best = mapped.poses[similarity.argmax(axis=1)]
    hits = []
    for found, truth in zip(map(Pose.from_array, best), map(Pose.from_array, driven.poses)):
        pose = found.turned_round() if reverse else found
        faced = pose.angle_deg(truth) <= HEADING_DEG
        hits.append([faced and pose.distance_m(truth) <= within for within in TOLERANCES_M])
    return [100 * float(share) for share in np.mean(hits, axis=0)]


def chance(mapped: Described, driven: Described) -> list[float]:
    """Return the same for places picked at random."""
    apart = driven.poses[:, None, :2] - mapped.poses[:, :2]
    distance = np.linalg.norm(apart, axis=-1)
    return [100 * float((distance <= within).mean()) for within in TOLERANCES_M]


def with_network(drive: Described, network: DescriptorNetwork, name: str) -> Described:
    described_too = {**drive.descriptors, name: describe(network, drive.images)}
    return replace(drive, descriptors=described_too)


def main() -> None:
    """Render what is missing and print a table a protocol."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--network', type=Path, help='weights that lcn_cnn.py made')
    parser.add_argument('--drives', type=Path, default=Path('drives'), help='kept here')
    parser.add_argument('--seeds', type=int, nargs='+', default=[98, 99, 100])
    parser.add_argument('--query-step', type=float, default=9.0, help='metres')
    parser.add_argument('--protocols', nargs='+', choices=list(PROTOCOLS), default=list(PROTOCOLS))
    args = parser.parse_args()
    args.drives.mkdir(parents=True, exist_ok=True)
    networks = {'LCN-CNN, random': make_network()}
    if args.network:
        networks['LCN-CNN, trained'] = make_network(str(args.network))
    for protocol in args.protocols:
        for identical in (True, False):
            plans = {s: drives_of(protocol, s, identical, args.query_step) for s in args.seeds}
            campuses = _all_described(plans, args.drives)
            cameras = 'identical' if identical else 'unlike'
            Console(width=140).print(_table(f'{protocol}, {cameras} cameras', campuses, networks))


def _all_described(
    plans: Mapping[int, list[DriveConfig]], folder: Path
) -> dict[int, list[Described]]:
    flat = [config for configs in plans.values() for config in configs]
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(2, context) as pool, bar('Rendering', len(flat), ' drives') as shown:
        drives = []
        for drive in pool.map(described, flat, [folder] * len(flat)):
            drives.append(drive)
            shown.update()
    step = 1 + len(QUERIES)
    return {seed: drives[k * step : (k + 1) * step] for k, seed in enumerate(plans)}


def _table(
    title: str, campuses: Mapping[int, list[Described]], networks: Mapping[str, DescriptorNetwork]
) -> Table:
    names = [*BASELINES, *networks]
    cells: dict[str, list[list[list[float]]]] = {name: [] for name in ('chance', *names)}
    for drives in campuses.values():
        for name, network in networks.items():
            drives = [with_network(drive, network, name) for drive in drives]
        mapped, *driven = drives
        for name in names:
            pairs = zip(driven, QUERIES.values())
            cells[name].append(
                [recalls(mapped, d, name, bool(q.get('reverse'))) for d, q in pairs]
            )
        cells['chance'].append([chance(mapped, drive) for drive in driven])
    table = Table(title=f'{title}: recall@1 at 5 m / 10 m, %', title_justify='left')
    table.add_column('')
    for query in QUERIES:
        table.add_column(query, justify='right')
    for name, values in cells.items():
        array = np.array(values)  # [campuses, queries, tolerances]
        row = [
            f'{array[:, q, 0].mean():.0f} / {array[:, q, 1].mean():.0f} '
            f'({array[:, q, 0].min():.0f}-{array[:, q, 0].max():.0f})'
            for q in range(len(QUERIES))
        ]
        table.add_row(name, *row)
    return table


if __name__ == '__main__':
    main()
