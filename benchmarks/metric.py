"""
Metric localisation on rendered drives: how many frames are solved, and how well.

Each campus is mapped on a summer day and crossed by other drives; what is not rendered yet is
rendered into the folder of the drives. Frames of other campuses are off the map.

Example: python benchmarks/metric.py drives standard:413 hard:414 --noise 0.05:0.5
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
import json
from pathlib import Path
import tempfile
import time

from husky_placerec.campus.protocols import drive_of
from husky_placerec.campus.recording import write_track
from husky_placerec.config import Config, make_config
from husky_placerec.data.source import (
    config_of_source,
    decoded_frames,
    find_trajectory,
    open_source,
)
from husky_placerec.data.trajectory import poses_at
from husky_placerec.operations.build_map import build_map
from husky_placerec.operations.drives import DriveOptions
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.recognizer import Recognizer
from husky_placerec.types import Pose, Recognition, tum_line
import numpy as np
from scipy.spatial.transform import Rotation

DRIVES = {  # options of the drives that cross a map
    'summer_day': {'drive': 1},
    'night': {'drive': 1, 'condition': 'night'},
    'winter_day': {'drive': 3, 'condition': 'winter_day'},
    'fog': {'drive': 3, 'condition': 'fog'},
    'reverse': {'drive': 2, 'reverse': True},
}
MAP_M, QUERY_M, START_M, STEP_M = 240.0, 215.0, 10.0, 6.5
OFF_MAP_EVERY = 3  # of the frames of another campus, so that the night is not spent on them
ELLIPSE = 5.991  # quantile 0.95 of the chi-square distribution, 2 degrees of freedom
HEAD = (
    '| campus | drive | frames | solved % | position m, median / p90 | heading deg | '
    'over 0.5 m, 1 m | in 95 % ellipse % | inliers | lead, least tenth | CPU ms |'
)


def main() -> None:
    """Render, map, solve, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('drives', type=Path, help='folder of the rendered drives')
    parser.add_argument('campuses', nargs='+', help='protocol:seed')
    parser.add_argument('--only', nargs='*', choices=DRIVES, default=list(DRIVES))
    parser.add_argument('--noise', default='', help='m:degrees, of the poses of the map')
    parser.add_argument('--gravity', type=float, help='degrees of error of a measured gravity')
    parser.add_argument('--off-map', action='store_true', help='frames of other campuses, too')
    parser.add_argument('--save', type=Path, help='append a line of JSON for each frame')
    parser.add_argument('-s', '--set', action='append', default=[], help='parameter=value')
    args = parser.parse_args()
    rows = list(_rows(args))
    print('\n'.join([HEAD, '|' + '---|' * (HEAD.count('|') - 1), *rows]))


def _rows(args: argparse.Namespace) -> Iterator[str]:
    given = dict(each.split('=', 1) for each in args.set)
    values = {k: int(v) if v.isdigit() else v for k, v in given.items()}
    config = make_config({'threads': 1, **values})
    for campus in args.campuses:
        with tempfile.TemporaryDirectory() as folder:
            place_map = _mapped(args, campus, config, Path(folder))
        for name in args.only:
            found = _driven(_drive(args.drives, campus, name), place_map, config, args.gravity)
            yield _row(args, campus, name, found)
        others = [each for each in args.campuses if each != campus and args.off_map]
        for other in others:
            for name in args.only:
                drive = _drive(args.drives, other, name)
                found = _driven(drive, place_map, config, None, OFF_MAP_EVERY)
                yield _row(args, campus, f'{name} of {other}, off the map', found, off=True)


def _drive(folder: Path, campus: str, name: str) -> Path:
    """Return a drive, which is rendered if it is not there."""
    protocol, seed = campus.split(':')
    path = folder / f'{protocol}_{seed}' / name
    if not (path / 'track.csv').is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        where = {'start_m': START_M, 'length_m': QUERY_M, 'step_m': STEP_M}
        options = {'length_m': MAP_M} if name == 'map' else {**where, **DRIVES[name]}
        write_track(path, drive_of(protocol, seed=int(seed), **options), workers=1)
    return path / 'bag'


def _mapped(args: argparse.Namespace, campus: str, config: Config, folder: Path) -> PlaceMap:
    bag = _drive(args.drives, campus, 'map')
    options = DriveOptions()
    if args.noise:
        options = DriveOptions(poses=str(_noisy(bag, config, args.noise, folder / 'noisy.tum')))
    path = folder / 'map'
    landmarked = replace(config, landmarks=True)
    build_map(bag, path, config=landmarked, options=options, tell=print, warn=print)
    return load_map(path)


def _noisy(bag: Path, config: Config, noise: str, file: Path) -> Path:
    """Write the poses of the frames of a map with independent noise."""
    metres, degrees = map(float, noise.split(':'))
    rng = np.random.default_rng(7)
    with open_source(bag) as drive:
        stamps = np.array([frame.stamp_ns for frame in drive.frames(config)], np.int64)
        poses = poses_at(find_trajectory(drive, None), stamps, 2.0)
    poses[:, :3] += rng.normal(size=(len(poses), 3)) * (metres, metres, metres / 3)
    turn = np.radians(degrees) * rng.normal(size=(len(poses), 3)) * (1 / 3, 1 / 3, 1)
    poses[:, 3:] = (Rotation.from_quat(poses[:, 3:]) * Rotation.from_rotvec(turn)).as_quat()
    lines = [tum_line(int(s), Pose.from_array(p)) for s, p in zip(stamps, poses)]
    file.write_text(''.join(lines))
    return file


def _driven(
    bag: Path, place_map: PlaceMap, config: Config, gravity: float | None, every: int = 1
) -> list[tuple[Recognition, Pose, float]]:
    """Return the recognition, the true pose and the CPU time of each frame."""
    found = []
    rng = np.random.default_rng(11)
    with open_source(bag) as drive:
        config, _ = config_of_source(drive, config)
        recognizer = Recognizer.load(place_map, config)
        truth = find_trajectory(drive, None)
        frames = list(decoded_frames(drive, drive.frames(config), config.max_pixels))[::every]
        stamps = np.array([frame.stamp_ns for frame in frames], np.int64)
        for frame, pose in zip(frames, map(Pose.from_array, poses_at(truth, stamps, 2.0))):
            if gravity is not None:
                up = pose.rotation.inv().apply([0.0, 0.0, 1.0])
                error = Rotation.from_rotvec(np.radians(gravity) * rng.normal(size=3))
                recognizer.gravity.add(frame.stamp_ns, error.apply(up))
            began = time.process_time()
            recognition = recognizer.recognize(frame)
            found.append((recognition, pose, time.process_time() - began))
    return found


def _row(
    args: argparse.Namespace,
    campus: str,
    name: str,
    found: list[tuple[Recognition, Pose, float]],
    off: bool = False,
) -> str:
    values = []
    for recognition, truth, cpu_s in found:
        metric = recognition.metric
        assert metric is not None
        values.append(
            {
                'campus': campus,
                'drive': name,
                'solved': metric.solved,
                'inliers': sum(metric.inliers.values()),
                'lead': metric.lead,
                'accepted': recognition.accepted,
                'gate': bool(recognition.measurement and recognition.measurement.accepted),
                'cpu_ms': 1000 * cpu_s,
                **(_errors(metric.pose, truth, metric.covariance) if metric.solved else {}),
            }
        )
    if args.save:
        with args.save.open('a') as file:
            file.writelines(json.dumps(each) + '\n' for each in values)
    return _table_row(campus, name, values, off)


def _errors(pose: Pose, truth: Pose, covariance: tuple[float, ...]) -> dict[str, float]:
    off = np.array([pose.x - truth.x, pose.y - truth.y])
    block = np.array(covariance).reshape(6, 6)[:2, :2]
    turned = np.degrees(np.angle(np.exp(1j * (pose.yaw - truth.yaw))))
    return {
        'off_m': float(np.hypot(*off)),
        'off_deg': float(abs(turned)),
        'squared': float(off @ np.linalg.solve(block, off)),
    }


def _table_row(campus: str, name: str, values: list[dict], off: bool) -> str:
    solved = [each for each in values if each['solved']]
    cpu = np.median([each['cpu_ms'] for each in values])
    gate = sum(each['solved'] and each['gate'] for each in values)
    cells = [campus, name, str(len(values)), f'{100 * len(solved) / len(values):.1f}']
    if off:
        cells += [f'{gate} solved and accepted by the gate', '', '', '']
    elif solved:
        metres = np.array([each['off_m'] for each in solved])
        inside = np.mean([each['squared'] < ELLIPSE for each in solved])
        degrees = np.median([each['off_deg'] for each in solved])
        cells += [
            f'{np.median(metres):.3f} / {np.percentile(metres, 90):.3f}',
            f'{degrees:.3f}',
            f'{(metres > 0.5).sum()}, {(metres > 1).sum()}',
            f'{100 * inside:.0f}',
        ]
    else:
        cells += ['-'] * 4
    leads = [each['lead'] for each in solved if each['lead'] is not None]
    inliers = np.median([each['inliers'] for each in values])
    cells += [f'{inliers:.0f}', f'{np.percentile(leads, 10):.0f}' if leads else '-', f'{cpu:.0f}']
    return '| ' + ' | '.join(cells) + ' |'


if __name__ == '__main__':
    main()
