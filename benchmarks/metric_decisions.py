"""
Decisions with landmarks and without, on simulated campuses under nine conditions.

Each campus is mapped on a summer day, with local descriptors and landmarks. One drive calibrates
the map (`--calibrate`, a condition); the others are tested, a third of each off the map. A pose is
right within 10 m and 30 degrees. "Metric" are the accepted poses that landmarks gave.

The drives are those of decision_drives.py.

Example: python benchmarks/metric_decisions.py --drives drives --seeds 108 --protocols hard
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from decision_drives import campus, decoded, recorded
from decision_judging import decided, Frames, judged, SEQUENCE, SINGLE
from decision_tables import interval
from decision_worlds import lenses, moved_away, World, world
from husky_placerec.cameras.known import cameras_of, with_cameras
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.protocols import PROTOCOLS
from husky_placerec.config import Config, read_config
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.metric.building import build_landmarks
from husky_placerec.metric.drive_sights import DriveSights
from husky_placerec.metric.key_points import KeyPointFinder, load_key_points
from husky_placerec.metric.rig import Rig
from husky_placerec.metric.scale import measured_scale
from husky_placerec.metric.sight import Observer
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.progress import bar
from husky_placerec.recognition.calibrating.calibrate import calibrate
from husky_placerec.recognition.calibrating.leave_out import Setting
from husky_placerec.recognition.calibrating.samples import DescribedDrive
from husky_placerec.recognition.prior import shipped_prior
from husky_placerec.types import Frame, Mask, Recognition
import numpy as np
from rich.console import Console
from rich.table import Table


def main() -> None:
    """Calibrate, decide and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--drives', type=Path, default=Path('drives'), help='kept here')
    parser.add_argument('--seeds', type=int, nargs='+', default=[108, 109])
    parser.add_argument('--protocols', nargs='+', choices=list(PROTOCOLS), default=list(PROTOCOLS))
    parser.add_argument('--calibrate', default='autumn_rain', help='condition of the drive')
    parser.add_argument('--set', dest='settings', action='append', default=[], help='NAME=VALUE')
    args = parser.parse_args()
    shown = Table(title='Decisions', title_justify='left')
    for name in (
        'campus',
        'landmarks',
        'right of accepted, %',
        'on the map accepted, %',
        'from 15 m on',
        'single frames; right',
        'off the map',
        'another campus',
        'metric of accepted, %',
        'error m, median / p90',
        'in 95 % ellipse, %',
    ):
        shown.add_column(name)
    for protocol in args.protocols:
        mapped = {seed: _seen(protocol, seed, args) for seed in args.seeds}
        for seed, (each, drives) in mapped.items():
            others = [d for s, (_, found) in mapped.items() if s != seed for d in found.values()]
            for landmarks in (False, True):
                shown.add_row(*_row(protocol, each, drives, others, landmarks, args))
    Console(width=200).print(shown)


def _configured(args: argparse.Namespace) -> Config:
    config = read_config(None, [*lenses(), 'local=true', 'threads=1', *args.settings])
    drive = DriveConfig()
    known = {camera.name: camera.known(640, 360) for camera in drive.rig}
    return with_cameras(config, known)


def _seen(
    protocol: str, seed: int, args: argparse.Namespace
) -> tuple[World, dict[str, DescribedDrive]]:
    """Return a campus whose map has landmarks, and its drives with key points, by condition."""
    config, plan = _configured(args), campus(protocol, seed)
    found = world(plan, load_extractor(config), config, args.drives)
    finder = load_key_points(config, 2)
    rig = _rig(config, found.place_map)
    sights = _sights(plan.mapped, args.drives, finder, rig)
    poses, tracks = found.place_map.places.poses, found.place_map.places.tracks
    made = build_landmarks(poses, tracks, sights.frames, rig, finder.spec, 'map').landmarks
    scale, _ = measured_scale(made, poses, tracks, sights.frames, rig)
    made = replace(made, spec=replace(made.spec, scale=round(scale, 2)))
    drives = {}
    for name, group in (('', found.driven), ('reverse ', found.reversed)):
        for each in group:
            seen = _sights(each.config, args.drives, finder, rig)
            drives[name + each.config.condition] = replace(each.described, sights=seen)
    return replace(found, place_map=replace(found.place_map, landmarks=made)), drives


def _rig(config: Config, place_map: PlaceMap) -> Rig:
    return Rig.of(place_map.spec.sees, cameras_of(config), 'simulation')


def _sights(drive: DriveConfig, folder: Path, finder: KeyPointFinder, rig: Rig) -> DriveSights:
    observer = Observer(finder.detector, rig, finder.spec.input_width, finder.spec.size)
    frames = []
    kept = recorded(drive, folder)
    with bar(f'Key points {drive.seed} {drive.condition}', len(kept.jpegs), ' frames') as shown:
        for jpegs in kept.jpegs:
            images = {name: decoded(jpeg) for name, jpeg in jpegs.items()}
            frames.append(observer.see(Frame(0, images, dict.fromkeys(images, 0))))
            shown.update()
    return DriveSights(rig, frames)


def _row(
    protocol: str,
    each: World,
    drives: dict[str, DescribedDrive],
    others: Sequence[DescribedDrive],
    landmarks: bool,
    args: argparse.Namespace,
) -> list[str]:
    config = replace(_configured(args), metric='auto' if landmarks else 'off')
    place_map = each.place_map if landmarks else replace(each.place_map, landmarks=None)
    first = drives[args.calibrate]
    made = calibrate([Setting(place_map, (first,))], config, prior=shipped_prior())
    for added in made.gate.added:
        print(added.model.names, added.model.weights, added.model.bias)
    print(protocol, place_map.name, landmarks, made.grade, made.proof, made.weakness)
    frames, said_all, truths = [], [], []
    for name, drive in drives.items():
        if name == args.calibrate:
            continue
        said = decided(place_map, drive, config, made, wheels=True)
        judgement = judged(said, drive, place_map, 1.0)
        frames.append(judgement)
        said_all += said
        truths += list(drive.poses)
        on = judgement.on_map
        print(f'   {name}: accepted {100 * judgement.accepted[SEQUENCE][on].mean():.1f} %')
    far = moved_away(place_map)
    away = [judged(decided(far, d, config, made, True), d, far, 1.0) for d in others]
    return [
        f'{protocol} {place_map.name}',
        'yes' if landmarks else 'no',
        _share(frames, lambda f: (f.right[SEQUENCE], f.accepted[SEQUENCE])),
        _share(frames, lambda f: (f.accepted[SEQUENCE], f.on_map)),
        _share(frames, lambda f: (f.accepted[SEQUENCE], f.settled)),
        _share(frames, lambda f: (f.accepted[SINGLE], f.on_map))
        + '; '
        + _share(frames, lambda f: (f.right[SINGLE], f.accepted[SINGLE])),
        _counted(frames),
        _counted(away),
        *_metric(said_all, truths),
    ]


def _share(frames: Sequence[Frames], parts: Callable[[Frames], tuple[Mask, Mask]]) -> str:
    sums = [(float((hit & among).sum()), float(among.sum())) for hit, among in map(parts, frames)]
    return interval(sums)


def _counted(frames: Sequence[Frames]) -> str:
    """Return how many frames off the map are accepted though their pose is wrong."""
    wrong = sum(int((f.accepted[SEQUENCE] & ~f.on_map & ~f.right[SEQUENCE]).sum()) for f in frames)
    return f'{wrong} of {sum(int((~f.on_map).sum()) for f in frames)}'


def _metric(said: Sequence[Recognition], truths: Sequence[np.ndarray]) -> list[str]:
    """Return the share of metric poses among the accepted ones, their errors and ellipses."""
    accepted = [(r, t) for r, t in zip(said, truths) if r.accepted and r.pose is not None]
    solved = [(r, t) for r, t in accepted if r.metric is not None and r.metric.solved]
    if not solved:
        return ['0', '-', '-']
    errors = np.array([[t[0] - r.pose.x, t[1] - r.pose.y] for r, t in solved])
    blocks = np.array([r.covariance_xy for r, _ in solved])[:, [0, 1, 1, 2]].reshape(-1, 2, 2)
    inside = np.einsum('ni,nij,nj->n', errors, np.linalg.inv(blocks), errors) <= 5.991
    off = np.hypot(*errors.T)
    return [
        f'{100 * len(solved) / len(accepted):.1f}',
        f'{np.median(off):.3f} / {np.percentile(off, 90):.3f}',
        f'{100 * inside.mean():.0f}',
    ]


if __name__ == '__main__':
    main()
