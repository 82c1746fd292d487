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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
import itertools
from pathlib import Path

from husky_placerec.campus.drives import DriveConfig
from husky_placerec.config import make_config
from husky_placerec.descriptor.network import DescriptorNetwork, make_network
from husky_placerec.descriptor.pooling_weights import on_grid
from husky_placerec.descriptor.spec import resolve_spec
from husky_placerec.semantics.segmenter import load_segmenter
from husky_placerec.training.drives import Drive
from husky_placerec.types import FloatArray, Floats
from masks_drives import LENS, measured_drives, static_of, TRAFFIC
from masks_training import NETWORK
import numpy as np
from numpy.typing import NDArray
from protocols import Described, recalls, with_progress
from rendered import render, rendered
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


@dataclass(frozen=True)
class Seen:
    """
    A drive through the lens of the network.

    :param every: one of so many frames is used.
    :param static: [N, C, H, W] of those, 0 to 255: how static each pixel is, by the source of
        the masks.
    """

    drive: Drive
    every: int
    static: dict[str, NDArray[np.uint8]]
    reverse: bool

    @property
    def poses(self) -> Floats:
        """The poses [N, 7]."""
        return self.drive.poses[:: self.every]


def seen(config: DriveConfig, folder: Path, every: int, segmentation: Path | None) -> Seen:
    """Return a drive with its true masks, and with those of a segmentation network."""
    (drive,) = rendered([config], LENS, folder, 1)
    path = drive.track.path
    static = {TRUE: static_of(config, path, every)}
    if segmentation is not None:
        network = load_segmenter(segmentation, 'vistas', 'imagenet', 1)
        name = f'_{segmentation.stem}'
        static[SEGMENTED] = static_of(config, path, every, name, network.classes)
    return Seen(drive, every, static, config.reverse)


@torch.inference_mode()
def describe(
    network: DescriptorNetwork, drive: Seen, variants: Sequence[Variant]
) -> list[FloatArray]:
    """Return the descriptors [N, C, D] of a drive for each variant."""
    images = drive.drive.images[:: drive.every]
    flat = images.reshape(-1, *images.shape[2:])
    shares = {
        name: on_grid(list(each.reshape(-1, *each.shape[2:]) / np.float32(255)), network.grid)
        for name, each in drive.static.items()
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
    return [torch.cat(parts).unflatten(0, images.shape[:2]).numpy() for parts in found]


Campus = tuple[Seen, dict[float, list[Seen]]]


def cells(
    network: DescriptorNetwork, campuses: Sequence[Campus], variants: Sequence[Variant]
) -> list[list[str]]:
    """Return a row for each variant: the recalls by traffic."""
    hits = np.zeros((len(variants), len(TRAFFIC), 2))
    counts = np.zeros(len(TRAFFIC))
    for mapped, queries in with_progress(campuses, 'Describing'):
        places = describe(network, mapped, variants)
        for column, traffic in enumerate(TRAFFIC):
            for query in queries[traffic]:
                counts[column] += len(query.poses)
                for row, vectors in enumerate(describe(network, query, variants)):
                    known = Described(mapped.poses, places[row])
                    asked = Described(query.poses, vectors)
                    found = recalls(known, asked, query.reverse)
                    hits[row, column] += np.array(found) * len(query.poses)
    shares = hits / counts[:, None]
    return [[' / '.join(f'{v:.1f}' for v in cell) for cell in row] for row in shares]


def about_masks(campuses: Sequence[Campus]) -> Iterator[str]:
    """Yield how much moves, and how much of it the segmentation network finds."""
    both = true = made = 0
    for traffic in TRAFFIC:
        drives = [query for _, queries in campuses for query in queries[traffic]]
        moving = [float((each.static[TRUE] < 128).mean()) for each in drives]
        yield f'traffic {traffic:g}: {np.mean(moving):.1%} of the pixels move'
        for each in drives:
            if SEGMENTED in each.static:
                moves, said = each.static[TRUE] < 128, each.static[SEGMENTED] < 128
                both, true = both + int((moves & said).sum()), true + int(moves.sum())
                made += int(said.sum())
    if made:
        yield f'segmentation: finds {both / true:.1%} of what moves, {both / made:.1%} precisely'


def main() -> None:
    """Render what is missing, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--network', action='append', default=[], metavar='NAME=WEIGHTS')
    parser.add_argument('--segmentation', type=Path, help='of benchmarks/segmentation.py')
    parser.add_argument('--drives', type=Path, default=Path('drives'), help='rendered drives')
    parser.add_argument('--seeds', type=int, nargs='+', default=SEEDS)
    parser.add_argument('--floors', type=float, nargs='+', default=[0.0, 0.3, 0.6])
    parser.add_argument('--every', type=int, default=3, help='one of so many queries is asked')
    args = parser.parse_args()
    torch.set_num_threads(1)
    variants = [Variant(OFF), *(Variant(TRUE, floor) for floor in args.floors)]
    variants += [Variant(SEGMENTED, 0.3)] if args.segmentation else []
    plans = [measured_drives(seed) for seed in args.seeds]
    render([c for m, q in plans for c in (m, *itertools.chain(*q.values()))], args.drives)
    campuses: list[Campus] = [
        (
            seen(mapped, args.drives, 1, args.segmentation),
            {
                traffic: [
                    seen(each, args.drives, args.every, args.segmentation) for each in drives
                ]
                for traffic, drives in queries.items()
            },
        )
        for mapped, queries in with_progress(plans, 'Masks')
    ]
    for line in about_masks(campuses):
        print(line)
    count = sum(len(each.poses) for _, queries in campuses for each in queries[TRAFFIC[0]])
    table = Table(title='recall@1 at 5 m / 10 m, %', title_justify='left')
    for column in ('network', 'masks', *(f'traffic {traffic:g}' for traffic in TRAFFIC)):
        table.add_column(column)
    for text in args.network or ['shipped=shipped']:
        name, _, weights = text.partition('=')
        network = make_network(resolve_spec(make_config({**NETWORK, 'weights': weights}), None))
        for variant, row in zip(variants, cells(network, campuses, variants)):
            table.add_row(name, str(variant), *row)
    Console(width=120).print(table)
    print(f'{len(campuses)} campuses, {count} queries of each traffic')


if __name__ == '__main__':
    main()
