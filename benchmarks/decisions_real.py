"""
The decisions on real images: maps of real sets, with a quarter left out in turn.

Each set has two traverses; each of them is the map once. The map is calibrated by the first 40 %
of the other traverse, by its own frames alone, or not at all, and tested on the rest of the other
traverse. Each frame counts as a distance. The odometry has an error of 3 % a step, or there is
none, and the robot drives evenly, or at 0.4 to 2.5 m/s with stops. A pose is right within 10 m.
The prior is learned on all other worlds: `--priors` names a folder with NAME.json for each set,
which `benchmarks/prior.py NAME.json --without NAME` wrote. The lower bound is Clopper's and
Pearson's, of 95 %, as if frames were independent, which they are not.

Example: python benchmarks/decisions_real.py --priors priors
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from husky_placerec.config import Config
from husky_placerec.errors import InputError
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.progress import bar
from husky_placerec.recognition.calibrating.calibrate import calibrate, itself
from husky_placerec.recognition.calibrating.leave_out import Setting
from husky_placerec.recognition.calibrating.reliability import upper_bound
from husky_placerec.recognition.calibrating.samples import DescribedDrive
from husky_placerec.recognition.calibration import Calibration
from husky_placerec.recognition.descriptor_recognizer import DescriptorRecognizer
from husky_placerec.recognition.odometry import Odometry
from husky_placerec.recognition.prior import Prior, shipped_prior
from husky_placerec.recognition.uncalibrated import uncalibrated
from husky_placerec.types import Pose, Recognition, SECOND_NS
import numpy as np
from real_sets import DATA
from real_worlds import real_config, real_worlds, RealWorld
from rich.console import Console
from rich.table import Table

QUARTERS = 4
FIRST = 0.4  # share of the second traverse that calibrates
SETTLED_M = 15.0
STEADY = 8  # frames in which the speed changes from one to another
HOW = ('40 % of the second traverse', 'the map alone', 'not calibrated')
WHEELS, STAMPS, UNEVEN = 'yes', 'no', 'no, uneven speed'


@dataclass
class Counts:
    """Counts of frames: of the sequence, and of single frames."""

    known: int = 0
    settled: int = 0
    settled_accepted: int = 0
    accepted: int = 0
    right: int = 0
    near: int = 0  # right within 25 m
    unknown: int = 0
    unknown_accepted: int = 0
    single: int = 0
    single_right: int = 0
    grades: str = ''

    def add(self, said: Recognition, truth: Pose, known: bool, driven_m: float) -> None:
        """Count a frame."""
        error_m = said.pose.distance_m(truth) if said.pose is not None else np.inf
        self.known += known
        self.unknown += not known
        if known and driven_m >= SETTLED_M:
            self.settled += 1
            self.settled_accepted += said.accepted
        self.accepted += said.accepted
        self.right += said.accepted and error_m <= 10
        self.near += said.accepted and error_m <= 25
        self.unknown_accepted += said.accepted and not known
        alone = said.measurement
        if alone is not None and alone.accepted and alone.pose is not None:
            self.single += 1
            self.single_right += alone.pose.distance_m(truth) <= 10

    def __add__(self, other: Counts) -> Counts:
        """Return the sums of the counts."""
        return Counts(*(a + b for a, b in zip(vars(self).values(), vars(other).values())))

    def row(self) -> list[str]:
        """Return the cells of a table."""
        bound = 1 - upper_bound(self.accepted - self.right, self.accepted)
        return [
            _share(self.settled_accepted, self.settled),
            str(self.accepted),
            _share(self.right, self.accepted),
            f'{100 * bound:.1f}',
            _share(self.near, self.accepted),
            f'{self.unknown_accepted} of {self.unknown}',
            f'{self.single}; {_share(self.single_right, self.single)}',
            self.grades,
        ]


def _share(part: int, whole: int) -> str:
    return f'{100 * part / whole:.1f}' if whole else '-'


def runs(
    world: RealWorld, how: str, prior: Prior, config: Config, every_m: float
) -> Iterator[tuple[PlaceMap, Calibration, DescribedDrive]]:
    """Yield the maps without a quarter, their calibrations, and the frames to test on."""
    for number in world.directions:
        count = len(world.traverses[number].places)
        for left_out in np.array_split(np.arange(count), QUARTERS):
            kept = np.setdiff1d(np.arange(count), left_out)
            place_map = world.mapped(number, kept.tolist(), every_m)
            drive = world.driven(number, every_m)
            cut = int(FIRST * len(drive))
            first = drive.part(slice(0, cut))
            try:
                made = _calibrated(place_map, first, how, prior, config)
            except InputError as error:
                print(f'{world.name}: {error}')
                continue
            yield place_map, made, drive.part(slice(cut, len(drive)))


def _calibrated(
    place_map: PlaceMap, first: DescribedDrive, how: str, prior: Prior, config: Config
) -> Calibration:
    if how == HOW[2]:
        return uncalibrated(place_map, prior)
    by = first if how == HOW[0] else itself(place_map)
    return calibrate([Setting(place_map, (by,))], config, prior=prior)


def uneven(drive: DescribedDrive) -> DescribedDrive:
    """Return a drive without odometry at 0.4 to 2.5 m/s; every 17th frame stands for 12 s."""
    rows = np.repeat(np.arange(len(drive)), np.where(np.arange(len(drive)) % 17 == 9, 5, 1))
    rng = np.random.default_rng(1)
    knots = np.arange(0, len(rows) + STEADY, STEADY)
    speeds = np.exp(
        np.interp(np.arange(len(rows)), knots, rng.uniform(np.log(0.4), np.log(2.5), len(knots)))
    )
    assert drive.poses is not None
    metres = np.abs(np.diff(drive.poses[rows, 0]))
    seconds = np.where(np.diff(rows) > 0, metres / speeds[1:], 3.0)
    stamps_ns = SECOND_NS + (SECOND_NS * np.cumsum(np.append(0.0, seconds))).astype(np.int64)
    return replace(drive.part(rows), stamps_ns=stamps_ns, odometry=None)


def decided(
    place_map: PlaceMap, made: Calibration, drive: DescribedDrive, config: Config, motion: str
) -> Iterator[Recognition]:
    """Yield the decisions about a drive, with its odometry or by its stamps alone."""
    odometry = Odometry()
    recognizer = DescriptorRecognizer(place_map, config, made, odometry)
    asked = drive.as_queries(place_map).descriptors
    for frame, stamp_ns in enumerate(drive.stamps_ns.tolist()):
        if motion == WHEELS and drive.motion is not None:
            odometry.add_recorded(stamp_ns, Pose.from_array(drive.motion[frame]))
            odometry.take_new()
        query = np.asarray(asked[frame], np.float32)
        yield recognizer.decide(stamp_ns, {}, recognizer.search(query, drive.local_of(frame)))


def main() -> None:
    """Describe, calibrate, decide and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--data', type=Path, default=DATA, help='folder of the real sets')
    parser.add_argument('--priors', type=Path, help='folder of priors; the shipped one without')
    parser.add_argument('--every', type=float, default=5.0, help='metres a frame')
    parser.add_argument('--without-local', action='store_true', help='global descriptors alone')
    args = parser.parse_args()
    config = real_config(rerank='off' if args.without_local else 'auto')
    worlds = real_worlds(args.data, config)
    if not worlds:
        raise SystemExit(f'{args.data}: no real set')
    table = Table(title=f'A frame every {args.every:g} m', title_justify='left')
    for name in (
        *('set', 'calibrated by', 'odometry', 'of the known, from 15 m on, %', 'accepted'),
        *('right in 10 m, %', 'at least', 'in 25 m', 'off the map', 'single; right', 'grades'),
    ):
        table.add_column(name)
    total: dict[tuple[str, str], Counts] = {}
    with bar('Deciding', len(worlds) * len(HOW), ' calibrations') as shown:
        for world in worlds:
            file = args.priors / f'{world.name}.json' if args.priors else None
            prior = shipped_prior(file) if file else shipped_prior()
            for how in HOW:
                found = {motion: Counts() for motion in (WHEELS, STAMPS, UNEVEN)}
                tests = runs(world, how, prior, config, args.every)
                for place_map, made, drive in tests:
                    for motion, counts in found.items():
                        counts.grades += made.grade[0]
                        seen = uneven(drive) if motion == UNEVEN else drive
                        _count(
                            counts, place_map, seen, decided(place_map, made, seen, config, motion)
                        )
                for motion, counts in found.items():
                    table.add_row(world.name, how, motion, *counts.row())
                    total[how, motion] = total.get((how, motion), Counts()) + counts
                shown.update()
    for (how, motion), counts in total.items():
        table.add_row('all', how, motion, *counts.row()[:-1])
    Console(width=170).print(table)


def _count(
    counts: Counts, place_map: PlaceMap, drive: DescribedDrive, said_all: Iterable[Recognition]
) -> None:
    poses = drive.poses
    assert poses is not None
    driven = np.concatenate([[0], np.cumsum(np.abs(np.diff(poses[:, 0])))])
    for said, pose, driven_m in zip(said_all, poses, driven.tolist()):
        known = len(place_map.near(pose[:2], 10.0)) > 0
        counts.add(said, Pose.from_array(pose), known, driven_m)


if __name__ == '__main__':
    main()
