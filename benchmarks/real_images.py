"""
Recall@1 of descriptors on real images, by each way to compare them.

Each set has two traverses; each of them is the map once. Ways to compare: `raw`; `map mean`, the
mean of the map subtracted from both; `running`, what the package does (`centring: on`); `own
mean`, the mean of all queries subtracted, which a robot cannot know while it drives;
`standardised`, divided by the deviations of the map besides; `low rank`, centred and whitened by a
shrunk covariance of rank 32. The interval is Wilson's, of 95 %, for `running`. The time is the
median of describing one image on one thread, with the decoding left out.

Example: python benchmarks/real_images.py --only shipped
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
import time

from husky_placerec.config import make_config
from husky_placerec.descriptor.centring import Centring, RunningMean
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.descriptor.fusion import normalize
from husky_placerec.progress import bar
from husky_placerec.types import FloatArray
import numpy as np
from real_sets import CAMERA, DATA, real_sets, RealSet, Traverse
from rich.console import Console
from rich.table import Table
from scipy.stats import binomtest

IMAGENET = {
    'extractor': 'timm',
    'backbone': 'mobilenetv2_100',
    'backbone_options': 'pad_type=same',
    'normalization': 'half',
    'weights': str(DATA / 'mobilenetv2' / 'mobilenetv2_100.pth'),
}
CUT = {**IMAGENET, 'backbone_options': 'pad_type=same stages=4'}
SMALL, USUAL = ({'input_width': w, 'input_height': h} for w, h in ((192, 112), (320, 192)))
METHODS: Mapping[str, Mapping[str, object]] = {
    'grey pixels 32x24': {'extractor': 'pixels'},
    'HOG': {'extractor': 'hog'},
    'random weights, GeM': {**IMAGENET, **USUAL, 'weights': 'random'},
    'shipped': {},
    'ImageNet MobileNetV2, GeM': {**IMAGENET, **USUAL},
    'the same, 192x112': {**IMAGENET, **SMALL},
    'the same, 3x5 grid': {**IMAGENET, **USUAL, 'pooling': 'gem:3x5'},
    'the same, 3x5 grid, 192x112': {**IMAGENET, **SMALL, 'pooling': 'gem:3x5'},
    'four stages, 3x5 grid': {**CUT, **USUAL, 'pooling': 'gem:3x5'},
    'four stages, 3x5 grid, 192x112': {**CUT, **SMALL, 'pooling': 'gem:3x5'},
    'four stages, 2x4 grid, 192x112': {**CUT, **SMALL, 'pooling': 'gem:2x4'},
    'four stages, 4x6 grid, 192x112': {**CUT, **SMALL, 'pooling': 'gem:4x6'},
}
RANK, SHRINKAGE = 32, 0.1


def running(mapped: FloatArray, driven: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return both centred as the package does."""
    seen = np.ones((len(mapped), 1), np.bool_)
    centring = Centring.fit(mapped[:, None], seen, ['map'] * len(mapped))
    session = RunningMean(centring)
    places = centring.centre(np.arange(len(mapped)), mapped[:, None])
    return places[:, 0], np.array([session.centre(query[None])[0] for query in driven])


def standardised(mapped: FloatArray, driven: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return both centred by their own means and divided by the deviations of the map."""
    scale = mapped.std(axis=0) + 1e-6
    centred = ((each - each.mean(axis=0)) / scale for each in (mapped, driven))
    return normalize(next(centred)), normalize(next(centred))


def low_rank(mapped: FloatArray, driven: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return both centred by their own means and whitened along the first RANK directions."""
    one, other = (each - each.mean(axis=0) for each in (mapped, driven))
    _, values, directions = np.linalg.svd(one, full_matrices=False)
    first, variances = directions[:RANK], values[:RANK] ** 2 / len(one)
    scales = 1 / np.sqrt((1 - SHRINKAGE) * variances + SHRINKAGE * variances.mean())
    scales /= scales.max()

    def whiten(rows: FloatArray) -> FloatArray:
        along = rows @ first.T
        return normalize(rows + (along * (scales - 1)) @ first)

    return whiten(one), whiten(other)


WAYS: Mapping[str, Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]] = {
    'raw': lambda m, d: (m, d),
    'map mean': lambda m, d: (normalize(m - m.mean(axis=0)), normalize(d - m.mean(axis=0))),
    'running': running,
    'own mean': lambda m, d: (normalize(m - m.mean(axis=0)), normalize(d - d.mean(axis=0))),
    'standardised': standardised,
    'low rank': low_rank,
}


def hits(mapped: Traverse, driven: Traverse, similarity: FloatArray, tolerance: int) -> int:
    """Return how many queries have a right best place."""
    found = mapped.places[similarity.argmax(axis=1)]
    return int((np.abs(found - driven.places) <= tolerance).sum())


def main() -> None:
    """Describe the sets by each method and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--data', type=Path, default=DATA, help='folder of the sets')
    parser.add_argument('--only', nargs='+', choices=list(METHODS), help='some methods')
    parser.add_argument('--markdown', action='store_true', help='print a table for a page')
    args = parser.parse_args()
    sets = real_sets(args.data)
    if not sets:
        raise SystemExit(f'{args.data}: no real set; expected corridor, stromovka or rtabmap')
    rows: list[list[str]] = []
    methods = {name: METHODS[name] for name in args.only or METHODS}
    with bar('Describing', len(methods), ' methods') as shown:
        for name, parameters in methods.items():
            rows += measured(name, parameters, sets)
            shown.update()
    header = ['descriptor', 'set', 'within', *WAYS, '95 %', 'ms']
    if args.markdown:
        print('\n'.join('| ' + ' | '.join(row) + ' |' for row in (header, *rows)))
        return
    table = Table(title='Recall@1 on real images, %', title_justify='left')
    for column in header:
        table.add_column(column, justify='left' if column in header[:2] else 'right')
    for row in rows:
        table.add_row(*row)
    Console(width=150).print(table)


def measured(
    name: str, parameters: Mapping[str, object], sets: Sequence[RealSet]
) -> list[list[str]]:
    """Return the rows of one method."""
    one = {'cameras': [CAMERA], 'camera.front.opposite': '', 'threads': 1}
    config = make_config({**parameters, **one})
    extractor = load_extractor(config)
    times_ms: list[float] = []

    def describe(traverse: Traverse) -> FloatArray:
        vectors = []
        for frame in traverse.frames():
            began = time.perf_counter()
            vectors.append(extractor.describe(frame)[0])
            times_ms.append(1000 * (time.perf_counter() - began))
        return np.array(vectors, np.float32)

    rows = []
    for real in sets:
        described = {id(each): describe(each) for each in (real.first, real.second)}
        for title, mapped, driven in real.directions():
            compared = {
                way: compare(described[id(mapped)], described[id(driven)])
                for way, compare in WAYS.items()
            }
            for tolerance in real.tolerances:
                found = {
                    way: hits(mapped, driven, queries @ places.T, tolerance)
                    for way, (places, queries) in compared.items()
                }
                count = len(driven.places)
                low, high = binomtest(found['running'], count).proportion_ci(method='wilson')
                shares = [f'{100 * each / count:.1f}' for each in found.values()]
                interval = f'{100 * low:.0f} to {100 * high:.0f}'
                within = f'+-{tolerance}' if tolerance else 'exact'
                rows.append([name, title, within, *shares, interval, ''])
    rows[0][-1] = f'{np.median(times_ms):.1f}'
    return rows


if __name__ == '__main__':
    main()
