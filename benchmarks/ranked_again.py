"""
Recall@1 within 5 m of the package's own ranking by local descriptors, on the test campuses.

The frames are searched as the recognizer does, with `rerank` off and on. `oracle` picks a right
one of the first ten candidates where there is one. A candidate is right within 5 m if it faces
within 30 degrees of the frame. Gains are in points, with a paired bootstrap interval of 95 %.
Nothing was fitted to or chosen on these campuses. With `--data` it measures the real sets instead,
each traverse mapped once, one camera of unknown intrinsics.

Example: python benchmarks/ranked_again.py --drives drives
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
from decision_drives import campus, described, recorded, TEST
from decision_worlds import Driven, lenses, mapped
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.protocols import PROTOCOLS
from husky_placerec.config import make_config, read_config
from husky_placerec.descriptor.extractor import DescriptorExtractor, load_extractor
from husky_placerec.descriptor.local.extractor import load_local, LocalExtractor
from husky_placerec.descriptor.local.features import LocalFeatures
from husky_placerec.descriptor.local.network import LocalValues
from husky_placerec.placemap.centring_choice import AUTO, centred_as_asked
from husky_placerec.progress import bar
from husky_placerec.recognition.descriptor_recognizer import DescriptorRecognizer
from husky_placerec.types import FloatArray, Mask
import numpy as np
from real_sets import CAMERA, real_sets, Traverse
from reranking import gain
from reranking_tasks import CONDITIONS, near, NEAR_M, offsets, one_track
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


def real(folder: Path) -> Iterator[tuple[str, Hits]]:
    """Yield each direction and tolerance of each real set, and where its frames were found."""
    config = make_config({'cameras': [CAMERA], 'camera.front.opposite': '', 'threads': 1})
    extractor = load_extractor(config)
    local = load_local(config, extractor.spec)
    for each in real_sets(folder):
        seen = {id(t): _seen(t, extractor, local) for t in (each.first, each.second)}
        for name, first, second in each.directions():
            stored, asked = seen[id(first)], seen[id(second)]
            branch = int(2 * stored.far > len(stored.cells))
            spec = local.spec_of(local.branches[branch])
            plain = one_track(stored.descriptors, extractor)
            place_map = replace(plain, local=LocalFeatures(spec, stored.cells[:, branch]))
            recognizer = DescriptorRecognizer(centred_as_asked(place_map, AUTO), config, None)
            queries = recognizer.place_map.session_queries(asked.descriptors)
            ranked = [
                [recognizer.search(q, cells).states[0] for q, cells in zip(queries, of)]
                for of in ([None] * len(queries), asked.cells[:, branch])
            ]
            for tolerance in each.tolerances:
                right = [
                    np.abs(first.places[np.array(of)] - second.places[:, None]) <= tolerance
                    for of in ranked
                ]
                hits = {OFF: right[0][:, 0], ON: right[1][:, 0], ORACLE: right[0].any(axis=1)}
                yield f'{name}, {f"±{tolerance}" if tolerance else "exact"}', hits


@dataclass(frozen=True, eq=False)
class Seen:
    """
    A described traverse.

    :param descriptors: [N, 1, D].
    :param cells: [N, B, 1, cells, D] of each branch.
    :param far: the number of images that are unlike those of the training.
    """

    descriptors: FloatArray
    cells: LocalValues
    far: int


def _seen(traverse: Traverse, extractor: DescriptorExtractor, local: LocalExtractor) -> Seen:
    rows, cells, far = [], [], 0
    for frame in traverse.frames():
        rows.append(extractor.describe(frame))
        cells.append(local.describe_each(frame))
        far += sum(local.far(frame))
    return Seen(np.array(rows, np.float16), np.array(cells), far)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--drives', type=Path, default=Path('drives'), help='rendered drives')
    parser.add_argument('--seeds', type=int, nargs='+', default=list(TEST))
    parser.add_argument('--protocols', nargs='+', choices=list(PROTOCOLS), default=['hard'])
    parser.add_argument('--most', type=int, help='candidates that are compared')
    parser.add_argument('--data', type=Path, help='folder of the real sets, to be measured alone')
    args = parser.parse_args()
    cv2.setNumThreads(1)
    table = Table(title='Recall@1, %')
    for column in ('drives', 'frames', OFF, ON, ORACLE):
        table.add_column(column)
    for name, hits in real(args.data) if args.data else ():
        row(table, name, hits)
    for protocol in () if args.data else args.protocols:
        drives = [
            d for seed in args.seeds for d in measured(protocol, seed, args.drives, args.most)
        ]
        for way in (False, True):
            chosen = [each for each in drives if each[0].endswith(' reverse') == way]
            joined = {
                k: np.concatenate([hits[k] for _, hits in chosen]) for k in (OFF, ON, ORACLE)
            }
            for name, hits in (*chosen, (f'{protocol}{" reverse" if way else ""}, all', joined)):
                row(table, name, hits)
    Console(width=140).print(table)


def row(table: Table, name: str, hits: Hits) -> None:
    cells = [gain(hits[OFF], hits[each]) for each in (OFF, ON, ORACLE)]
    table.add_row(name, str(len(hits[OFF])), *cells)


if __name__ == '__main__':
    main()
