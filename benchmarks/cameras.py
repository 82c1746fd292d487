"""
Recall with cameras as a robot has them: unlike, fisheye, four, and those of another robot.

Each map and each query drive is a bag, and nothing is set but the shipped network and, for four
cameras, their names. A cell is recall@1 in % within 5 m / 10 m, as `placerec replay` gives it, and
in brackets the number of frames. The campuses are in no training set.

Example: python benchmarks/cameras.py --seeds 341 342 --drives drives
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.protocols import drive_of, PROTOCOLS
from husky_placerec.campus.recording import write_drive
from husky_placerec.config import make_config
from husky_placerec.operations.build_map import build_map
from husky_placerec.operations.replay import replay
import numpy as np

QUERY_STEP_M = 6.0
FISHEYE = {'distortion': 'equidistant:back'}
FOUR = {'four_cameras': True}
OTHER = {'field_of_view_deg': 60.0, 'camera_height_m': 1.3}  # at half the resolution, too
# Name, map, query drive, changes of its configuration.
ROWS: tuple[tuple[str, str, str, Mapping[str, Any]], ...] = (
    ('unlike, reverse by day', 'map', 'reverse', {'drive': 1, 'reverse': True}),
    ('unlike, dusk', 'map', 'dusk', {'drive': 2, 'condition': 'winter_dusk'}),
    ('unlike, night', 'map', 'night', {'drive': 3, 'condition': 'night'}),
    ('unlike, rain', 'map', 'rain', {'drive': 4, 'condition': 'autumn_rain'}),
    ('fisheye, reverse by day', 'fish_map', 'fish_reverse', {'drive': 1, 'reverse': True}),
    ('other robot, dusk', 'map', 'other_dusk', {'drive': 2, 'condition': 'winter_dusk', **OTHER}),
    (
        'four cameras, reverse by night',
        'four_map',
        'four_reverse_night',
        {'drive': 5, 'condition': 'night', 'reverse': True},
    ),
)
RIGS: Mapping[str, Mapping[str, Any]] = {'map': {}, 'fish_map': FISHEYE, 'four_map': FOUR}


def parameters(mapped: str, pinhole: str) -> dict[str, Any]:
    """Return the settings for the cameras of a map."""
    found: dict[str, Any] = {'weights': 'shipped', 'threads': 1, 'pinhole': pinhole}
    if mapped == 'four_map':
        found['cameras'] = ['front', 'left', 'back', 'right']
    return found


def recorded(folder: Path, config: DriveConfig, workers: int) -> Path:
    """Return the bag of a drive; it is rendered once."""
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        write_drive(folder, config, workers=workers)
    return folder


def main() -> None:
    """Render what is missing, and print a line for each row."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--drives', type=Path, default=Path('drives'), help='rendered drives')
    parser.add_argument('--seeds', type=int, nargs='+', default=[341, 342])
    parser.add_argument('--length', type=float, default=360.0, help='of each drive, m')
    parser.add_argument('--width', type=int, default=640, help='of the images, px')
    parser.add_argument('--protocol', choices=list(PROTOCOLS), default='standard')
    parser.add_argument('--pinhole', choices=['auto', 'off'], default='auto')
    parser.add_argument('--rows', type=int, nargs='+', default=list(range(len(ROWS))))
    parser.add_argument('--workers', type=int, default=1, help='processes that render')
    args = parser.parse_args()
    cv2.setNumThreads(1)
    size = {'width': args.width, 'height': args.width * 9 // 16}
    for number in args.rows:
        name, mapped, query, changes = ROWS[number]
        results = []
        for seed in args.seeds:
            base = drive_of(args.protocol, seed=seed, length_m=args.length, **size, **RIGS[mapped])
            folder = args.drives / str(seed)
            config = make_config(parameters(mapped, args.pinhole))
            built = folder / f'{mapped}-{args.pinhole}.placemap'
            if not built.exists():
                build_map(recorded(folder / mapped, base, args.workers), built, config=config)
            driven = replace(base, step_m=QUERY_STEP_M, **changes)
            if query == 'other_dusk':
                half = {'width': args.width // 2, 'height': args.width // 32 * 9}
                driven = replace(driven, **half)
            bag = recorded(folder / query, driven, args.workers)
            done = replay(bag, built, config=config, tolerances_m=[5.0, 10.0])
            recall = done.summary['recall']
            results.append([100 * recall[m]['1'] for m in ('5', '10')] + [done.summary['frames']])
        near, far, frames = np.array(results).T
        print(
            f'{name}: {near.mean():.1f} / {far.mean():.1f} ({int(frames.sum())} frames; '
            f'least {near.min():.1f} / {far.min():.1f})',
            flush=True,
        )


if __name__ == '__main__':
    main()
