"""
What masks are worth on fresh simulated campuses of the hard protocol, by the traffic.

The map is a summer day with the usual traffic, a place every 3 m. The queries are winter dusk,
rain, and night in the reverse direction, with no traffic, the usual one and three times as much;
their poses and light are the same each time. A cell is recall@1 in % within 5 m / 10 m and 30
degrees of heading, over the queries of all campuses. 'off' uses no masks; the other rows weigh map
and queries alike. The features of an image are computed once and pooled for each row.

Example: python benchmarks/masks.py --network masked=masked.safetensors --segmentation street.onnx
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
import itertools
from pathlib import Path

from husky_placerec.campus.drives import DriveConfig
from husky_placerec.config import make_config
from husky_placerec.descriptor.network import DescriptorNetwork, make_network
from husky_placerec.descriptor.pooling_weights import on_grid
from husky_placerec.descriptor.spec import resolve_spec
from husky_placerec.progress import bar
from husky_placerec.semantics.segmenter import Segmenter
from husky_placerec.semantics.tables import tables
from husky_placerec.types import FloatArray
from masks_drives import LENS, measured_drives, static_of, TRAFFIC
from masks_training import NETWORK
import numpy as np
from numpy.typing import NDArray
from protocols import Described, recalls
from rendered import poses_of, render, rendered
from rich.console import Console
from rich.table import Table
import torch

TRUE, SEGMENTED, OFF = 'true masks', 'segmented', 'off'
BATCH = 32
SEEDS = 211, 212


@dataclass(frozen=True)
class Variant:
    """A row of the table: the source of the masks, and the weight of what moves."""

    source: str
    floor: float = 1.0

    def __str__(self) -> str:
        return OFF if self.source == OFF else f'{self.source}, floor {self.floor:g}'


@torch.inference_mode()
def describe(
    network: DescriptorNetwork,
    images: NDArray[np.uint8],
    static: dict[str, NDArray[np.uint8]],
    variants: Sequence[Variant],
) -> list[FloatArray]:
    """Return the descriptors [N, C, D] of images [N, C, H, W, 3] for each variant."""
    flat = images.reshape(-1, *images.shape[2:])
    shares = {
        n: on_grid(list(s.reshape(-1, *s.shape[2:]) / np.float32(255)), network.grid)
        for n, s in static.items()
    }
    found: list[list[torch.Tensor]] = [[] for _ in variants]
    for first in range(0, len(flat), BATCH):
        rows = slice(first, first + BATCH)
        batch = torch.from_numpy(np.array(flat[rows])).permute(0, 3, 1, 2).float() / 255
        maps = network.features(batch)
        for number, variant in enumerate(variants):
            weights = None
            if variant.source != OFF:
                share = torch.from_numpy(shares[variant.source][rows])
                weights = variant.floor + (1 - variant.floor) * share
            found[number].append(network.project(network.pool(maps, weights)))
    size = images.shape[:2]
    return [torch.cat(parts).unflatten(0, size).numpy() for parts in found]


def dynamic_shares(true: NDArray[np.uint8], made: NDArray[np.uint8]) -> tuple[int, int, int]:
    """Return the pixels that move by both, by the true masks, and by the made ones."""
    moves, said = true < 128, made < 128
    return int((moves & said).sum()), int(moves.sum()), int(said.sum())


def main() -> None:
    """Render what is missing, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--network', action='append', default=[], metavar='NAME=WEIGHTS')
    parser.add_argument('--segmentation', type=Path, help='of benchmarks/segmentation.py')
    parser.add_argument('--drives', type=Path, default=Path('drives'), help='rendered drives')
    parser.add_argument('--seeds', type=int, nargs='+', default=SEEDS)
    parser.add_argument('--floors', type=float, nargs='+', default=[0.0, 0.3, 0.6])
    args = parser.parse_args()
    torch.set_num_threads(1)
    segmenter = Segmenter(args.segmentation, tables()['vistas']) if args.segmentation else None
    variants = [Variant(OFF), *(Variant(TRUE, floor) for floor in args.floors)]
    variants += [Variant(SEGMENTED, 0.3)] if segmenter else []
    plans = [measured_drives(seed) for seed in args.seeds]
    flat = [c for mapped, queries in plans for c in (mapped, *itertools.chain(*queries.values()))]
    paths = dict(zip(flat, render(flat, args.drives)))
    given = [name.partition('=')[::2] for name in args.network]
    named = {'shipped': 'shipped', **dict(given)}
    table = Table(title='recall@1 at 5 m / 10 m, %', title_justify='left')
    for column in ('network', 'masks', *(f'traffic {traffic:g}' for traffic in TRAFFIC)):
        table.add_column(column)
    agreement = np.zeros(3, np.int64)
    statics: dict[DriveConfig, dict[str, NDArray[np.uint8]]] = {}
    with bar('Masks', len(flat), ' drives') as shown:
        for config in flat:
            statics[config] = {TRUE: static_of(config, paths[config])}
            if segmenter:
                name = f'_{args.segmentation.stem}'
                made = static_of(config, paths[config], name, segmenter.classes)
                statics[config][SEGMENTED] = made
                agreement += dynamic_shares(statics[config][TRUE], made)
            shown.update()
    for name, weights in named.items():
        network = make_network(resolve_spec(make_config({**NETWORK, 'weights': weights}), None))
        described: dict[DriveConfig, list[FloatArray]] = {}
        with bar(f'Describing by {name}', len(flat), ' drives') as shown:
            for config, drive in zip(flat, rendered(flat, LENS, args.drives)):
                described[config] = describe(network, drive.images, statics[config], variants)
                shown.update()
        for number, variant in enumerate(variants):
            cells = []
            for traffic in TRAFFIC:
                hits, count = np.zeros(2), 0
                for mapped, queries in plans:
                    place = Described(poses_of(paths[mapped]), described[mapped][number])
                    for query in queries[traffic]:
                        poses = poses_of(paths[query])
                        asked = Described(poses, described[query][number])
                        hits += np.array(recalls(place, asked, query.reverse)) * len(poses)
                        count += len(poses)
                cells.append(' / '.join(f'{share:.1f}' for share in hits / count))
            table.add_row(name, str(variant), *cells)
    queries = sum(len(poses_of(paths[c])) for _, found in plans for c in found[TRAFFIC[0]])
    Console(width=120).print(table)
    print(f'{len(plans)} campuses, {queries} queries of each traffic')
    for config in flat:
        moving = (statics[config][TRUE] < 128).mean()
        print(f'{config.seed} {config.condition} traffic {config.traffic:g}: moves {moving:.1%}')
    if segmenter:
        both, true, said = agreement
        print(f'segmentation: finds {both / true:.1%} of what moves; {both / said:.1%} of what it')
        print('names moves')


if __name__ == '__main__':
    main()
