"""
Do key points tell right places from wrong ones on real images? Two views only: no poses, no map.

Of each query two candidates are compared: its true place, and the place elsewhere that the shipped
network finds most similar. The key points of two images agree where one epipolar geometry explains
them; the dense features agree as the package ranks candidates. The AUC is the chance that a right
candidate has more than a wrong one of any query.

Example: python benchmarks/metric_real.py --every 4
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
from husky_placerec.config import make_config
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.descriptor.local.extractor import load_local
from husky_placerec.descriptor.local.features import LocalFeatures
from husky_placerec.descriptor.local.keypoints import KeyPoints
from husky_placerec.metric.key_points import load_key_points
from husky_placerec.metric.matching import matched
from husky_placerec.metric.sight import fitted
from husky_placerec.recognition.local_comparison import LocalComparison, MUTUAL, SHIFT
from husky_placerec.types import Frame, Pixels
import numpy as np
from real_sets import CAMERA, DATA, real_sets, Traverse

LEAST_MATCHES, TOLERANCE_PX, SURE, ROUNDS = 8, 1.5, 0.999, 2000
APART = 5  # places, from which a candidate is elsewhere
HEAD = '| set | queries | key points: right, wrong (median) | AUC | dense AUC |'


def main() -> None:
    """Compare candidates and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--data', type=Path, default=DATA)
    parser.add_argument('--every', type=int, default=1, help='of the queries')
    parser.add_argument('--key-points', default='shipped', help='shipped or sift')
    args = parser.parse_args()
    print('\n'.join([HEAD, '|---|---|---|---|---|']))
    for each in real_sets(args.data):
        for name, mapped, driven in each.directions():
            print(_row(name, mapped, driven, args), flush=True)


def _row(name: str, mapped: Traverse, driven: Traverse, args: argparse.Namespace) -> str:
    config = make_config({'cameras': [CAMERA], 'threads': 1, 'key_points': args.key_points})
    rows = list(range(0, len(driven.images), args.every))
    chosen = [_candidates(config, mapped, driven, row) for row in rows]
    finder = load_key_points(config, 1)
    dense = _Dense(config)
    points: list[list[float]] = [[], []]
    cells: list[list[float]] = [[], []]
    for row, pair in zip(rows, chosen):
        query = _key_points(finder.detector, driven.images[row])
        for side, place in enumerate(pair):
            other = _key_points(finder.detector, mapped.images[place])
            points[side].append(_inliers(query, other))
            cells[side].append(dense.agreement(driven.images[row], mapped.images[place]))
    medians = ', '.join(f'{np.median(side):.0f}' for side in points)
    return f'| {name} | {len(rows)} | {medians} | {_auc(*points):.3f} | {_auc(*cells):.3f} |'


def _candidates(config, mapped: Traverse, driven: Traverse, row: int) -> tuple[int, int]:
    """Return the true place of a query, and the most similar one elsewhere."""
    apart = np.abs(mapped.places - driven.places[row])
    similar = _described(config, mapped) @ _described(config, driven)[row]
    elsewhere = np.where(apart >= APART, similar, -np.inf)
    return int(apart.argmin()), int(elsewhere.argmax())


_KNOWN: dict[int, np.ndarray] = {}


def _described(config, traverse: Traverse) -> np.ndarray:
    """Return [N, D] of the shipped network, centred by the mean of the traverse."""
    if id(traverse) not in _KNOWN:
        extractor = load_extractor(config)
        found = np.array([extractor.describe(frame)[0] for frame in traverse.frames()])
        found -= found.mean(axis=0)
        _KNOWN[id(traverse)] = found / np.linalg.norm(found, axis=1, keepdims=True)
    return _KNOWN[id(traverse)]


def _key_points(detector, image: Pixels) -> KeyPoints:
    return detector(fitted(image, 640)[0])


def _inliers(one: KeyPoints, other: KeyPoints) -> int:
    rows, partners = matched(one.descriptors, other.descriptors)
    if len(rows) < LEAST_MATCHES:
        return 0
    here, there = one.positions[rows], other.positions[partners]
    method = cv2.USAC_MAGSAC
    _, good = cv2.findFundamentalMat(here, there, method, TOLERANCE_PX, SURE, ROUNDS)
    return 0 if good is None else int(good.sum())


class _Dense:
    """The agreement of the package's dense features."""

    def __init__(self, config) -> None:
        self._local = load_local(config, load_extractor(config).spec)
        self._branch = len(self._local.branches) - 1  # real images are unlike the rendered ones

    def agreement(self, one: Pixels, other: Pixels) -> float:
        values = [
            self._local.describe_each(Frame(0, {CAMERA: image}, {CAMERA: 0}))[self._branch]
            for image in (one, other)
        ]
        spec = self._local.spec_of(self._local.branches[self._branch])
        compared = LocalComparison(values[0], LocalFeatures(spec, values[1][None]), None)
        compared.compare([(0, False)])
        mutual, shift = compared.of(np.array([0]), np.array([False]))[0, :2]
        return float(MUTUAL * mutual + SHIFT * shift)


def _auc(right: Sequence[float], wrong: Sequence[float]) -> float:
    """Return the chance that a right value is greater than a wrong one; equal ones count half."""
    apart = np.subtract.outer(np.asarray(right), np.asarray(wrong))
    return float((apart > 0).mean() + 0.5 * (apart == 0).mean())


if __name__ == '__main__':
    main()
