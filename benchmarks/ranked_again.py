"""
Recall@1 within 5 m of the package's own ranking by local descriptors, on the test campuses.

The frames are searched as the recognizer does, with `rerank` off and on. `oracle` picks a right
one of the first ten candidates where there is one. A candidate is right within 5 m if it faces
within 30 degrees of the frame. Gains are in points, with a paired bootstrap interval of 95 %.
Nothing was fitted to or chosen on these campuses.

Example: python benchmarks/ranked_again.py --drives drives
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
from decision_drives import campus, described, recorded, TEST
from decision_worlds import Driven, lenses, mapped
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.protocols import PROTOCOLS
from husky_placerec.config import read_config
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.descriptor.local.extractor import load_local
from husky_placerec.placemap.centring_choice import AUTO, centred_as_asked
from husky_placerec.progress import bar
from husky_placerec.recognition.recognizer import DescriptorRecognizer
from husky_placerec.types import Mask
import numpy as np
from reranking import gain
from reranking_tasks import CONDITIONS, near, NEAR_M, offsets
from rich.console import Console
from rich.table import Table

OFF, ON, ORACLE = 'off', 'ranked again', 'oracle'
Hits = dict[str, Mask]  # by way to rank, of each frame


def measured(
    protocol: str, seed: int, folder: Path, most: int | None
) -> Iterator[tuple[str, Hits]]:
    """
    Yield each drive of a campus, and where its frames were found.

    :param most: candidates that are compared; None: all ten.
    """
    config = read_config(None, [*lenses(), 'threads=1'])
    extractor = load_extractor(config)
    local = load_local(config, extractor.spec)

    def driven(drive: DriveConfig) -> Driven:
        kept = recorded(drive, folder)
        seen = described(kept, extractor, local, folder)
        return Driven(drive, kept.stamps_ns, kept.poses, kept.wheels, *seen)

    plan = campus(protocol, seed)
    place_map = centred_as_asked(mapped(driven(plan.mapped), extractor, config), AUTO)
    recognizer = DescriptorRecognizer(place_map, config, None)
    recognizer.most_compared = most
    for each in (*plan.driven, *plan.reversed):
        if each.condition not in CONDITIONS and not each.reverse:
            continue
        drive = driven(each)
        name = f'{protocol} {seed} {each.condition}' + (' reverse' if each.reverse else '')
        yield name, _hits(recognizer, drive, name)


def _hits(recognizer: DescriptorRecognizer, drive: Driven, name: str) -> Hits:
    place_map = recognizer.place_map
    apart, _ = place_map.positions.query(drive.poses[:, :2])
    queries = place_map.session_queries(drive.descriptors)
    rows = []
    with bar(name, int((apart <= NEAR_M).sum()), ' frames') as shown:
        for frame in np.flatnonzero(apart <= NEAR_M):
            right = []
            for local in (None, drive.local.values[frame]):
                places, ways = recognizer.search(queries[frame], local).states
                pose = drive.poses[frame][None]
                right.append(near(offsets(place_map, pose, places[None], ways[None]), NEAR_M)[0])
            rows.append([right[0][0], right[1][0], right[0].any()])
            shown.update()
    return dict(zip((OFF, ON, ORACLE), np.array(rows, np.bool_).reshape(-1, 3).T))


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--drives', type=Path, default=Path('drives'), help='rendered drives')
    parser.add_argument('--seeds', type=int, nargs='+', default=list(TEST))
    parser.add_argument('--protocols', nargs='+', choices=list(PROTOCOLS), default=['hard'])
    parser.add_argument('--most', type=int, help='candidates that are compared')
    args = parser.parse_args()
    cv2.setNumThreads(1)
    table = Table(title='Recall@1 within 5 m, %')
    for column in ('drives', 'frames', OFF, ON, ORACLE):
        table.add_column(column)
    for protocol in args.protocols:
        drives = [
            d for seed in args.seeds for d in measured(protocol, seed, args.drives, args.most)
        ]
        for way in (False, True):
            chosen = [each for each in drives if each[0].endswith(' reverse') == way]
            joined = {
                k: np.concatenate([hits[k] for _, hits in chosen]) for k in (OFF, ON, ORACLE)
            }
            for name, hits in (*chosen, (f'{protocol}{" reverse" if way else ""}, all', joined)):
                cells = [gain(hits[OFF], hits[each]) for each in (OFF, ON, ORACLE)]
                table.add_row(name, str(len(hits[OFF])), *cells)
    Console(width=140).print(table)


if __name__ == '__main__':
    main()
