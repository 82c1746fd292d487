"""
What is accepted, and what of it is right: on simulated campuses that nobody has trained on.

A calibration is fitted to some campuses and put to others. On each of these a summer day is
mapped, and the robot drives under nine conditions, off the map for a third of its way. What is
'right' is within 10 m and 30 degrees. Besides the method, by single frames and by the sequence,
there are two baselines: to accept the best candidate always, and to accept it from a similarity
that gave 99.5 % precision on the calibration's campuses. Intervals are of 95 %, by the bootstrap
over drives; upper bounds by Clopper and Pearson.

As in `python benchmarks/decisions.py --drives drives --set extractor=onnx --set weights=net.onnx`
(the drives: see decision_drives.py). With `--save net.onnx.calibration.json` the calibration is
written as the default of that network, for simulated maps.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
import json
from pathlib import Path

from decision_drives import (
    CALIBRATION,
    Campus,
    campus,
    COARSE_M,
    described,
    PRODUCT,
    recorded,
    TEST,
)
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.protocols import PROTOCOLS
from husky_placerec.config import Config, read_config
from husky_placerec.descriptor.extractor import DescriptorExtractor, load_extractor
from husky_placerec.files import write_atomic
from husky_placerec.placemap.building import now, opposite_cameras
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.places import Places
from husky_placerec.progress import bar
from husky_placerec.recognition.calibrating import calibrate
from husky_placerec.recognition.calibration import Calibration, SIMULATED
from husky_placerec.recognition.decision import Decider
from husky_placerec.recognition.odometry import Odometry
from husky_placerec.recognition.reliability import recall_at, Reliability, upper_bound
from husky_placerec.recognition.runs import Setting
from husky_placerec.recognition.samples import Drive, right, RIGHT_M
from husky_placerec.types import FloatArray, Pose, Recognition, SECOND_NS
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

SINGLE, SEQUENCE, ALWAYS, THRESHOLD = 'single frame', 'sequence', 'top-1 always', 'similarity'
METHODS = ALWAYS, THRESHOLD, SINGLE, SEQUENCE
SETTLED_M = 15.0  # from here on a drive ought to be recognised
APART_M = 30.0  # of a drive, from which a place has nothing to do with it
DRAWS = 1000
CARRIED_M = 20.0  # within which a carried robot is to be right again
QUARTER = 4  # of a drive, before it leaves the map and after it has come back


@dataclass(frozen=True, eq=False)
class Driven:
    """A drive with its descriptors, as the decisions need it."""

    config: DriveConfig
    stamps_ns: NDArray[np.int64]
    poses: NDArray[np.float64]
    wheels: NDArray[np.float64]
    descriptors: FloatArray

    def __len__(self) -> int:
        return len(self.stamps_ns)

    def only(self, camera: int) -> Driven:
        """Return the drive as one camera alone saw it, the others being covered."""
        seen = np.zeros_like(self.descriptors)
        seen[:, camera] = self.descriptors[:, camera]
        return replace(self, descriptors=seen)

    def part(self, rows: slice) -> Driven:
        columns = ('stamps_ns', 'poses', 'wheels', 'descriptors')
        return replace(self, **{name: getattr(self, name)[rows] for name in columns})


@dataclass(frozen=True, eq=False)
class World:
    """A campus as mapped, and what is driven on it."""

    plan: Campus
    place_map: PlaceMap
    coarse: PlaceMap | None
    driven: tuple[Driven, ...]
    reversed: tuple[Driven, ...]


@dataclass(frozen=True)
class Frames:
    """N decided frames of one drive; what was not measured is NaN or False."""

    accepted: dict[str, NDArray[np.bool_]]
    right: dict[str, NDArray[np.bool_]]
    near: dict[str, NDArray[np.bool_]]  # within 5 m
    probability: dict[str, NDArray[np.float64]]
    along_m: dict[str, NDArray[np.float64]]
    inside: dict[str, NDArray[np.bool_]]  # the truth, in the 95 % ellipse
    on_map: NDArray[np.bool_]
    settled: NDArray[np.bool_]
    similarity: NDArray[np.float64]


def lenses() -> list[str]:
    """Return settings that tell the lenses of the cameras, for models with a virtual pinhole."""
    settings = []
    for camera in DriveConfig(**PRODUCT).rig:
        fx, fy, _, _ = camera.intrinsics(PRODUCT['width'], PRODUCT['height'])
        known = {'fx': fx, 'fy': fy, **PRODUCT}
        settings += [f'camera.{camera.name}.{key}={value}' for key, value in known.items()]
    return settings


def world(plan: Campus, extractor: DescriptorExtractor, config: Config, folder: Path) -> World:
    """Describe a campus."""

    def driven(drive: DriveConfig) -> Driven:
        kept = recorded(drive, folder)
        seen = described(kept, extractor, folder)
        return Driven(drive, kept.stamps_ns, kept.poses, kept.wheels, seen)

    return World(
        plan,
        mapped(driven(plan.mapped), extractor, config),
        mapped(driven(plan.coarse), extractor, config) if plan.coarse else None,
        tuple(map(driven, plan.driven)),
        tuple(map(driven, plan.reversed)),
    )


def mapped(drive: Driven, extractor: DescriptorExtractor, config: Config) -> PlaceMap:
    present = drive.descriptors.any(axis=2)
    return PlaceMap(
        Places(drive.stamps_ns, drive.poses, ('day',) * len(drive), present),
        drive.descriptors,
        extractor.spec,
        'map',
        opposite_cameras(config),
        {'day': 'simulated'},
        now(),
        name=f'{drive.config.seed}',
    )


def without_near(place_map: PlaceMap, drive: Driven) -> PlaceMap | None:
    """Return the map without all that the drive comes near to; None where little is left."""
    apart = np.linalg.norm(place_map.places.poses[:, None, :2] - drive.poses[:, :2], axis=-1).min(
        axis=1
    )
    kept = np.flatnonzero(apart > APART_M)
    if len(kept) < len(place_map) / 4:
        return None
    return replace(
        place_map,
        places=place_map.places.chosen(kept),
        descriptors=place_map.descriptors[kept],
        index=None,
    )


def decided(
    place_map: PlaceMap, drive: Driven, config: Config, calibration: Calibration, wheels: bool
) -> list[Recognition]:
    """Return what the robot would say on a drive."""
    odometry = Odometry()
    decider = Decider(place_map, config, calibration, odometry)
    said = []
    for row in range(len(drive)):
        if wheels:
            _tell_wheels(odometry, drive, row)
        query = np.asarray(drive.descriptors[row], np.float32)
        stamp_ns = int(drive.stamps_ns[row])
        said.append(decider.decide(stamp_ns, {}, query, unusable=not query.any()))
    return said


def _tell_wheels(odometry: Odometry, drive: Driven, row: int) -> None:
    """Add the odometry since the last frame, ten times a second."""
    now_ns, pose = int(drive.stamps_ns[row]), Pose.from_array(drive.wheels[row])
    if row:
        before_ns, before = int(drive.stamps_ns[row - 1]), drive.wheels[row - 1]
        steps = max(round((now_ns - before_ns) / SECOND_NS * 10), 1)
        for step in range(1, steps):
            mixed = before + (drive.wheels[row] - before) * step / steps
            mixed[3:] /= np.linalg.norm(mixed[3:])
            stamp_ns = before_ns + (now_ns - before_ns) * step // steps
            odometry.add(stamp_ns, Pose.from_array(mixed))
    odometry.add(now_ns, pose)


def judged(
    said: Sequence[Recognition], drive: Driven, place_map: PlaceMap, threshold: float
) -> Frames:
    """Put what was said beside the truth."""
    truths = [Pose.from_array(pose) for pose in drive.poses]
    apart = place_map.positions.query(drive.poses[:, :2])[0]
    on_map = apart <= RIGHT_M
    driven = np.linalg.norm(np.diff(drive.poses[:, :2], axis=0, prepend=np.nan), axis=1)
    return Frames(
        {
            ALWAYS: np.array([bool(r.candidates) for r in said]),
            THRESHOLD: np.array([bool(r.best) and r.best.similarity >= threshold for r in said]),
            SINGLE: np.array([bool(r.measurement and r.measurement.accepted) for r in said]),
            SEQUENCE: np.array([r.accepted for r in said]),
        },
        *(
            {name: _true(said, name, truths, test) for name in METHODS}
            for test in (right, lambda p, t: right(p, t) and p.distance_m(t) <= 5)
        ),
        {
            SINGLE: np.array([_number(r.measurement and r.measurement.probability) for r in said]),
            SEQUENCE: np.array([_number(r.probability) for r in said]),
        },
        {name: _numbers(said, name, truths, along_m) for name in METHODS},
        {name: _numbers(said, name, truths, mahalanobis) <= 5.991 for name in (SINGLE, SEQUENCE)},
        on_map,
        _settled(on_map, driven),
        np.array([r.best.similarity if r.best else -1.0 for r in said]),
    )


def _settled(on_map: NDArray[np.bool_], driven: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say where the robot has been on the map for SETTLED_M."""
    since, rows = 0.0, []
    for there, metres in zip(on_map.tolist(), np.nan_to_num(driven).tolist()):
        since = since + metres if there else -metres
        rows.append(there and since >= SETTLED_M)
    return np.array(rows, np.bool_)


def pose_by(recognition: Recognition, method: str) -> Pose | None:
    """Return the pose that a method would publish; the baselines that of the place."""
    if method == SEQUENCE:
        return recognition.estimate
    if method == SINGLE:
        return recognition.measurement.pose if recognition.measurement else None
    return recognition.best.pose if recognition.best else None


def along_m(recognition: Recognition, method: str, pose: Pose, truth: Pose) -> float:
    return abs((truth.inverse() @ pose).x)


def mahalanobis(recognition: Recognition, method: str, pose: Pose, truth: Pose) -> float:
    """Return the squared distance of the truth, by the covariance in the plane."""
    by = recognition if method == SEQUENCE else recognition.measurement
    if by is None or by.covariance_xy is None:
        return np.nan
    xx, xy, yy = by.covariance_xy
    error = np.array([truth.x - pose.x, truth.y - pose.y])
    return float(error @ np.linalg.solve([[xx, xy], [xy, yy]], error))


def _true(
    said: Sequence[Recognition],
    method: str,
    truths: Sequence[Pose],
    test: Callable[[Pose, Pose], bool],
) -> NDArray[np.bool_]:
    poses = [pose_by(r, method) for r in said]
    return np.array([p is not None and test(p, t) for p, t in zip(poses, truths)])


def _numbers(
    said: Sequence[Recognition],
    method: str,
    truths: Sequence[Pose],
    measure: Callable[[Recognition, str, Pose, Pose], float],
) -> NDArray[np.float64]:
    poses = [pose_by(r, method) for r in said]
    return np.array(
        [
            measure(r, method, p, t) if p is not None else np.nan
            for r, p, t in zip(said, poses, truths)
        ]
    )


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def interval(ratios: Sequence[tuple[float, float]]) -> str:
    """Return a share over all drives in %, and between what bounds it is."""
    parts = np.array(ratios, float).reshape(-1, 2)
    if not parts[:, 1].sum():
        return '-'
    rng = np.random.default_rng(0)
    draws = parts[rng.integers(len(parts), size=(DRAWS, len(parts)))].sum(axis=1)
    draws = draws[draws[:, 1] > 0]
    low, high = np.percentile(100 * draws[:, 0] / draws[:, 1], [2.5, 97.5])
    share = 100 * parts[:, 0].sum() / parts[:, 1].sum()
    return f'{share:.2f} ({low:.2f}-{high:.2f})'


def table(title: str, drives: Sequence[Frames]) -> Table:
    shown = Table(title=f'{title}: {len(drives)} drives', title_justify='left')
    for name in ('', *METHODS):
        shown.add_column(name, justify='left' if not name else 'right')
    rows: list[tuple[str, Callable[[Frames, str], tuple[float, float]]]] = [
        ('right of accepted, %', lambda f, m: _sums(f.right[m], f.accepted[m])),
        ('   within 5 m', lambda f, m: _sums(f.near[m], f.accepted[m])),
        ('on the map accepted, %', lambda f, m: _sums(f.accepted[m], f.on_map)),
        ('   from 15 m on', lambda f, m: _sums(f.accepted[m], f.settled)),
        ('off the map accepted, %', lambda f, m: _sums(f.accepted[m], ~f.on_map)),
    ]
    for name, ratio in rows:
        parts = ([ratio(frames, method) for frames in drives] for method in METHODS)
        shown.add_row(name, *map(interval, parts))
    for method in (SINGLE, SEQUENCE):
        errors = (_mean_along(drives, method, by) for by in METHODS)
        shown.add_row(f'error along the road, m, of those the {method} accepts', *errors)
    errors = ['', '', *(f'{_calibration_error(drives, m):.3f}' for m in (SINGLE, SEQUENCE))]
    shown.add_row('expected calibration error', *errors)
    inside = [
        interval([_sums(f.inside[m], f.accepted[m] & f.right[m]) for f in drives])
        for m in (SINGLE, SEQUENCE)
    ]
    shown.add_row('right ones in the 95 % ellipse', '', '', *inside)
    return shown


def _sums(hit: NDArray[np.bool_], among: NDArray[np.bool_]) -> tuple[float, float]:
    return float((hit & among).sum()), float(among.sum())


def _mean_along(drives: Sequence[Frames], accepting: str, by: str) -> str:
    """Return the mean error by one method where another accepts and both are right."""
    errors = [
        f.along_m[by][f.accepted[accepting] & f.right[accepting] & f.right[by]] for f in drives
    ]
    joined = np.concatenate(errors)
    return f'{joined.mean():.2f}' if len(joined) else '-'


def _calibration_error(drives: Sequence[Frames], method: str) -> float:
    probability = np.concatenate([f.probability[method] for f in drives])
    true = np.concatenate([f.right[method] for f in drives])
    known = np.isfinite(probability)
    return Reliability.of(probability[known], true[known]).error


def off_map_line(name: str, drives: Sequence[Frames]) -> list[str]:
    """Return a row about drives of which no frame is on the map."""
    cells = [name, str(sum(len(f.on_map) for f in drives))]
    for method in METHODS:
        wrong = sum(int(f.accepted[method].sum()) for f in drives)
        frames = sum(len(f.on_map) for f in drives)
        cells.append(
            f'{wrong}: {1000 * wrong / frames:.2f}, at most '
            f'{1000 * upper_bound(wrong, frames):.2f} in 1000'
        )
    return cells


def carried(drive: Driven, other: Driven) -> Driven:
    """Return a drive until it leaves the map, then the end of another, carried in between."""
    first = drive.part(slice(0, len(drive) // QUARTER))
    second = other.part(slice(-(len(other) // QUARTER), None))
    later_ns = first.stamps_ns[-1] + 60 * SECOND_NS - second.stamps_ns[0]
    # The wheels do not turn while it is carried.
    wheels = [(Pose.from_array(second.wheels[0]).inverse()).as_array()]
    begin = Pose.from_array(first.wheels[-1]) @ Pose.from_array(wheels[0])
    moved = [(begin @ Pose.from_array(pose)).as_array() for pose in second.wheels]
    return Driven(
        drive.config,
        np.concatenate([first.stamps_ns, second.stamps_ns + later_ns]),
        np.concatenate([first.poses, second.poses]),
        np.concatenate([first.wheels, moved]),
        np.concatenate([first.descriptors, second.descriptors]),
    )


def chosen_threshold(worlds: Iterable[World], config: Config, precision: float = 0.995) -> float:
    """Return the similarity from which so many of the best candidates are right."""
    scores, true, known = [], [], 0
    for each in worlds:
        for drive in each.driven:
            known += int((each.place_map.positions.query(drive.poses[:, :2])[0] <= RIGHT_M).sum())
            for query, pose in zip(drive.descriptors, drive.poses):
                best = each.place_map.search(
                    np.asarray(query, np.float32), 1, both_ways=config.search_reversed
                )[0]
                scores.append(best.similarity)
                true.append(right(best.pose, Pose.from_array(pose)))
    _, least = recall_at(precision, np.array(scores), np.array(true), known)
    return 1.0 if least is None else least


def main() -> None:
    """Calibrate, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--drives', type=Path, default=Path('drives'), help='kept here')
    parser.add_argument('--set', dest='settings', action='append', default=[], help='NAME=VALUE')
    parser.add_argument('--calibration-seeds', type=int, nargs='+', default=CALIBRATION)
    parser.add_argument('--seeds', type=int, nargs='+', default=TEST)
    parser.add_argument('--protocols', nargs='+', choices=list(PROTOCOLS), default=list(PROTOCOLS))
    parser.add_argument('--without-odometry', action='store_true', help='stamps alone')
    parser.add_argument('--save', type=Path, help='write the calibration as a default')
    args = parser.parse_args()
    config = read_config(None, [*lenses(), *args.settings])
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

    calibrating = [w for p in args.protocols for w in worlds(p, args.calibration_seeds)]
    settings = [Setting(w.place_map, tuple(map(_as_drive, w.driven))) for w in calibrating]
    calibration = calibrate(settings, config, kind=SIMULATED, bars=_bars)
    threshold = chosen_threshold(calibrating, config)
    figures = calibration.figures
    console.print(
        f'calibration: {figures["frames"]} frames on the map, {figures["wrong"]} of them wrong, '
        f'{figures["unknown"]} off it; expected calibration error '
        f'{figures["expected_calibration_error"]:.3f}; similarity from {threshold:.3f}'
    )
    if args.save:
        write_atomic(args.save, json.dumps(calibration.as_json(), indent=1).encode())
    wheels = not args.without_odometry
    off_map: list[list[str]] = []
    for protocol in args.protocols:
        tested = worlds(protocol, args.seeds)
        measure = Measurer(config, calibration, threshold, wheels)
        console.print(table(protocol, [measure(w.place_map, d) for w in tested for d in w.driven]))
        backwards = [measure(w.place_map, d) for w in tested for d in w.reversed]
        console.print(table(f'{protocol}, the other way round', backwards))
        for camera, name in enumerate(config.cameras):
            alone = [measure(w.place_map, d.only(camera)) for w in tested for d in w.driven]
            console.print(table(f'{protocol}, {name} camera only', alone))
        console.print(_carried_line(protocol, tested, measure))
        coarse = [measure(w.coarse, d) for w in tested if w.coarse for d in w.driven]
        console.print(table(f'{protocol}, a place every {COARSE_M:g} m', coarse))
        off_map += _off_map_lines(protocol, tested, measure)
    shown = Table(title='Wholly off the map: accepted', title_justify='left')
    for name in ('', 'frames', *METHODS):
        shown.add_column(name)
    for row in off_map:
        shown.add_row(*row)
    console.print(shown)


@dataclass(frozen=True)
class Measurer:
    """Drives and judges."""

    config: Config
    calibration: Calibration
    threshold: float
    wheels: bool

    def __call__(self, place_map: PlaceMap, drive: Driven) -> Frames:
        said = decided(place_map, drive, self.config, self.calibration, self.wheels)
        return judged(said, drive, place_map, self.threshold)


def _as_drive(drive: Driven) -> Drive:
    name = f'{drive.config.seed} {drive.config.condition}'
    return Drive(name, drive.descriptors, drive.stamps_ns, drive.poses)


def _off_map_lines(protocol: str, tested: Sequence[World], measure: Measurer) -> list[list[str]]:
    same, others = [], []
    for each in tested:
        for drive in each.driven:
            rest = without_near(each.place_map, drive)
            if rest is not None:
                same.append(measure(rest, drive))
            others += [measure(_moved_away(w.place_map), drive) for w in tested if w is not each]
    names = f'{protocol}, other roads of the campus', f'{protocol}, other campuses'
    return [off_map_line(name, each) for name, each in zip(names, (same, others)) if each]


def _moved_away(place_map: PlaceMap) -> PlaceMap:
    """Return the map of another campus so far off that no pose on it can be right."""
    poses = place_map.places.poses.copy()
    poses[:, :2] += 1e5
    return replace(place_map, places=replace(place_map.places, poses=poses))


def _carried_line(protocol: str, tested: Sequence[World], measure: Measurer) -> str:
    """Say how soon a robot that was carried is right again, and what it said meanwhile."""
    soon, wrong, count = 0, [], 0
    for each in tested:
        for number, drive in enumerate(each.driven):
            other = each.driven[(number + 4) % len(each.driven)]
            joined = carried(drive, other)
            frames = measure(each.place_map, joined)
            half = len(drive) // QUARTER
            within = range(half, min(half + round(CARRIED_M / drive.config.step_m), len(joined)))
            if not frames.on_map[list(within)].all():
                continue
            count += 1
            accepted, true = frames.accepted[SEQUENCE], frames.right[SEQUENCE]
            soon += bool((accepted & true)[list(within)].any())
            wrong.append(int((accepted & ~true)[list(within)].sum()))
    most = max(wrong, default=0)
    return (
        f'{protocol}, carried: right again within {CARRIED_M:g} m in {soon} of {count} drives, '
        f'at most {most} wrong poses in between'
    )


def _bars(title: str) -> Callable[[Iterable[int], int], Iterable[int]]:
    return lambda items, _: items


if __name__ == '__main__':
    main()
