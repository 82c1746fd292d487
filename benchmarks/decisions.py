"""
Print which poses are accepted, and how many of them are right, on simulated test campuses.

No network was trained on these campuses. A calibration is fitted to some campuses and tested on
others. On each of these, a summer day is mapped, and the robot drives under nine conditions; a
third of each drive is off the map. A pose is right within 10 m and 30 degrees. The method decides
by single frames and by the sequence. There are two baselines: the first always accepts the best
candidate, the second accepts it from a similarity that has 99.5 % precision on the campuses of the
calibration, by the same protocol. Intervals are of 95 %, by the bootstrap over drives; upper
bounds are by Clopper and Pearson.

The drives are those of decision_drives.py. With `--save net.onnx.calibration.json` the calibration
is written as the default of that network, for simulated maps.

python benchmarks/decisions.py --drives drives --set extractor=onnx --set weights=net.onnx
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from decision_default import default_calibration
from decision_drives import CALIBRATION, campus, COARSE_M, TEST
from decision_judging import Measurer, METHODS
from decision_tables import carried_line, off_map_line, table
from decision_worlds import lenses, moved_away, without_near, World, world
from husky_placerec.campus.protocols import HARD, PROTOCOLS
from husky_placerec.config import Config, read_config
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.progress import bar
from husky_placerec.recognition.calibrating.reliability import recall_at
from husky_placerec.recognition.calibrating.samples import is_right, RIGHT_M
from husky_placerec.recognition.shipped_calibration import read_defaults, save_default
from husky_placerec.types import Pose
import numpy as np
from rich.console import Console
from rich.table import Table


def chosen_threshold(worlds: Iterable[World], config: Config, precision: float = 0.995) -> float:
    """Return the similarity from which the best candidates have a precision."""
    scores, true, known = [], [], 0
    for each in worlds:
        for drive in each.driven:
            known += int((each.place_map.positions.query(drive.poses[:, :2])[0] <= RIGHT_M).sum())
            for query, pose in zip(drive.descriptors, drive.poses):
                best = each.place_map.search(
                    np.asarray(query, np.float32), 1, both_ways=config.search_reversed
                )[0]
                scores.append(best.similarity)
                true.append(is_right(best.pose, Pose.from_array(pose)))
    _, least = recall_at(precision, np.array(scores), np.array(true), known)
    return 1.0 if least is None else least


def main() -> None:
    """Calibrate, measure and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--drives', type=Path, default=Path('drives'), help='kept here')
    parser.add_argument('--set', dest='settings', action='append', default=[], help='NAME=VALUE')
    parser.add_argument('--calibration-seeds', type=int, nargs='+', default=CALIBRATION)
    parser.add_argument('--seeds', type=int, nargs='+', default=TEST)
    parser.add_argument('--protocols', nargs='+', choices=list(PROTOCOLS), default=list(PROTOCOLS))
    parser.add_argument('--without-odometry', action='store_true', help='stamps alone')
    parser.add_argument('--stored', type=Path, help='a default to measure, instead of a new one')
    parser.add_argument(
        '--similarity', type=float, help='of the baseline; else chosen to be right'
    )
    parser.add_argument('--save', type=Path, help='write the calibration as a default')
    args = parser.parse_args()
    config = read_config(None, [*lenses(), 'local=true', *args.settings])
    extractor = load_extractor(config)
    console = Console(width=150)

    def worlds(protocol: str, seeds: Sequence[int]) -> list[World]:
        with bar(f'Describing {protocol}', len(seeds), ' campuses') as shown:
            made = []
            for seed in seeds:
                plan = campus(protocol, seed)
                made.append(world(plan, extractor, config, args.drives))
                shown.update()
        return made

    def calibrating(protocol: str) -> list[World]:
        return worlds(protocol, args.calibration_seeds)

    if args.stored:
        (calibration,) = read_defaults(args.stored)
        calibration = replace(calibration, descriptor=extractor.spec.as_json())
    else:
        calibration = default_calibration(calibrating(HARD), config)
    figures = calibration.figures
    console.print(
        f'calibration: {figures["frames"]} frames on the map, {figures["wrong"]} of them wrong, '
        f'{figures["unknown"]} off it; expected calibration error '
        f'{figures["expected_calibration_error"]:.3f}; proof {calibration.proof:.1f}'
    )
    if args.save:
        save_default(args.save, calibration)
    wheels = not args.without_odometry
    off_map: list[list[str]] = []
    for protocol in args.protocols:
        tested = worlds(protocol, args.seeds)
        threshold = args.similarity or chosen_threshold(calibrating(protocol), config)
        console.print(f'{protocol}: the baseline accepts from a similarity of {threshold:.3f}')
        measure = Measurer(config, calibration, threshold, wheels)
        console.print(table(protocol, [measure(w.place_map, d) for w in tested for d in w.driven]))
        backwards = [measure(w.place_map, d) for w in tested for d in w.reversed]
        console.print(table(f'{protocol}, the other way round', backwards))
        for camera, name in enumerate(config.cameras):
            alone = [measure(w.place_map, d.only(camera)) for w in tested for d in w.driven]
            console.print(table(f'{protocol}, {name} camera only', alone))
        console.print(carried_line(protocol, tested, measure))
        coarse = [measure(w.coarse, d) for w in tested if w.coarse for d in w.driven]
        console.print(table(f'{protocol}, a place every {COARSE_M:g} m', coarse))
        off_map += _off_map_lines(protocol, tested, measure)
    shown = Table(title='Wholly off the map: accepted', title_justify='left')
    for name in ('', 'frames', *METHODS):
        shown.add_column(name)
    for row in off_map:
        shown.add_row(*row)
    console.print(shown)


def _off_map_lines(protocol: str, tested: Sequence[World], measure: Measurer) -> list[list[str]]:
    same, others = [], []
    for each in tested:
        for drive in (*each.driven, *each.reversed):
            rest = without_near(each.place_map, drive)
            if rest is not None:
                same.append(measure(rest, drive))
            others += [measure(moved_away(w.place_map), drive) for w in tested if w is not each]
    names = f'{protocol}, other roads of the campus', f'{protocol}, other campuses'
    return [off_map_line(name, each) for name, each in zip(names, (same, others)) if each]


if __name__ == '__main__':
    main()
