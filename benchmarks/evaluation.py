"""
Print the time and the peak memory of an evaluation from cached descriptors.

python benchmarks/evaluation.py                               nine drives of 900 frames
python benchmarks/evaluation.py --drives 2 --frames 50000     100,000 frames
"""

from __future__ import annotations

import argparse
from pathlib import Path
import resource
import tempfile
import time

from husky_placerec.config import make_config
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.evaluation.cache import DescriptorStore
from husky_placerec.evaluation.comparison import compare
from husky_placerec.evaluation.description import Described
from husky_placerec.evaluation.output import write_evaluation
from husky_placerec.evaluation.protocol import PairProtocol
from husky_placerec.evaluation.summary import evaluation_summary
from husky_placerec.evaluation.tags import Tags
from husky_placerec.evaluation.tracks import Track
import numpy as np

STEP_M = 5.0
CAMERAS = ('front', 'back')


def make_track(number: int, frames: int) -> Track:
    """Make a drive round a ring, at positions a little apart from those of the other drives."""
    angle = 2 * np.pi * (np.arange(frames) + 0.1 * number) / frames
    radius = STEP_M * frames / (2 * np.pi)
    poses = np.zeros((frames, 7))
    poses[:, :2] = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    poses[:, 5], poses[:, 6] = np.sin(angle / 2), np.cos(angle / 2)
    stamps = 10**18 * (number + 1) + 10**9 * np.arange(frames)
    images = np.repeat(stamps[:, None], len(CAMERAS), axis=1)
    name = f'drive_{number}'
    return Track(name, Path(name), 'map', np.arange(frames), stamps, images, poses, Tags())


def fill_store(
    folder: Path, track: Track, number: int, size: int, noise: float
) -> DescriptorStore:
    """Write descriptors of places that look the same on every drive, except for noise."""
    store = DescriptorStore(folder)
    own = np.random.default_rng(number + 1)
    places = np.random.default_rng(0)  # the same for every drive
    everything = (True,) * len(CAMERAS)
    for stamp in track.stamps_ns:
        shape = len(CAMERAS), size
        vectors = places.normal(size=shape) + noise * own.normal(size=shape)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        store.add(int(stamp), vectors, everything, everything, 0.03)
    store.finish([])
    return store


def main() -> None:
    """Write synthetic descriptors, evaluate all pairs, write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--drives', type=int, default=9)
    parser.add_argument('--frames', type=int, default=900)
    parser.add_argument('--size', type=int, default=768, help='numbers for each camera')
    parser.add_argument('--noise', type=float, default=4.0)
    parser.add_argument('--methods', type=int, default=4, help='the method and its baselines')
    args = parser.parse_args()
    tracks = [make_track(i, args.frames) for i in range(args.drives)]
    config = make_config({'extractor': 'pixels'})
    protocol = PairProtocol(opposites=(1, 0))
    spec = DescriptorSpec(CAMERAS, 'pixels', size=args.size)
    names = [f'method {number}' for number in range(args.methods)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stores = [
            fill_store(folder / track.name, track, i, args.size, args.noise)
            for i, track in enumerate(tracks)
        ]
        described = [
            Described({name: store.load() for name in names}, dict.fromkeys(names, spec), [])
            for store in stores
        ]
        began, cpu_began = time.perf_counter(), time.process_time()
        evaluation = compare(tracks, described, config, protocol)
        numbers = evaluation_summary(evaluation)
        figures_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu_began
        write_evaluation(folder / 'out', evaluation, numbers, {}, lambda _: None)
        results_s = time.perf_counter() - began - figures_s
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(
        f'{args.drives} drives of {args.frames} frames, {args.methods} methods of '
        f'2 x {args.size} numbers, '
        f'{len(evaluation.pairs)} pairs, recall@1 at 5 m {numbers["recall"]["5"]["1"]:.3f}'
    )
    print(f'figures {figures_s:.1f} s ({cpu_s:.1f} s of CPU), results written {results_s:.1f} s')
    print(f'peak memory {memory:.2f} GB')


if __name__ == '__main__':
    main()
