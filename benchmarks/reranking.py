"""
Recall@1 after the first candidates are ranked again, by each way to compare local features.

The shipped global descriptor, centred where the package centres, finds ten candidates. Their local
scores are added to the similarity, times factors. Those of the dense matcher are the package's;
all others are fitted on the rendered `hard` campuses 90 and 91. None is fitted on what is
reported: `hard` campus 107 at night, in rain, at winter dusk and on a winter night, against a map
of a summer day, and the real sets in both directions. `off` does not rank again; `oracle` picks a
right candidate where there is one. Gains are in points, with a paired bootstrap interval of 95 %.
Times are process time on one thread for a query of two cameras; the places are described in the
map. XFeat needs a file that `xfeat.py` writes.

Example: python benchmarks/reranking.py --drives drives --xfeat xfeat.onnx
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
import tempfile
import time
from typing import Any

import cv2
from husky_placerec.progress import bar
from husky_placerec.recognition.local_comparison import MUTUAL, SHIFT
from husky_placerec.types import Floats, Mask, Pixels
import numpy as np
from real_sets import DATA
from reranking_methods import DENSE, families, Family, fitted_factors, load_networks, Networks
from reranking_tasks import real, simulated, Task
from rich.console import Console
from rich.table import Table

FITTED, TESTED = (90, 91), 107
FITTED_FRAMES, TESTED_FRAMES = 20, 60  # of each drive
BASIS_IMAGES = 40  # of a map, to which clusters are fitted
RESAMPLES = 4000
FITTED_TOO = ', fitted'
OFF, ORACLE = 'off', 'oracle of the first 10'


@dataclass
class Clock:
    """Process time in seconds, and how often it was taken."""

    total: float = 0.0
    count: int = 0

    def add(self, began: float) -> None:
        self.total += time.process_time() - began
        self.count += 1

    @property
    def ms(self) -> float:
        return 1000 * self.total / max(self.count, 1)


@dataclass(eq=False)
class MapFeatures:
    """The features of the places of one map that were candidates, described once."""

    task: Task
    networks: Networks
    known: dict[tuple[int, int], list[Any]] = field(default_factory=dict)
    families: list[Family] = field(init=False)

    def __post_init__(self) -> None:
        self.families = families(self.networks, basis_images(self.task))

    def of(self, family: int, place: int) -> list[Any]:
        """Return the features of a place by camera."""
        key = family, place
        if key not in self.known:
            describe = self.families[family].describe
            self.known[key] = [describe(view) for view in self.task.mapped(place)]
        return self.known[key]


@dataclass(eq=False)
class Measured:
    """Scores [Q, K, S] of a task by method, and the times of describing and matching."""

    task: Task
    scores: dict[str, Floats]


def basis_images(task: Task) -> list[Pixels]:
    rows = np.linspace(0, task.places - 1, min(task.places, BASIS_IMAGES)).astype(int)
    return [task.mapped(int(row))[0].image for row in rows]


class Measurer:
    """
    Compares the candidates of tasks by all methods.

    :ivar describing: and `matching`, by method; `image_bytes` of its features.
    """

    def __init__(self, networks: Networks) -> None:
        self.networks = networks
        self.describing: dict[str, Clock] = defaultdict(Clock)
        self.matching: dict[str, Clock] = defaultdict(Clock)
        self.image_bytes: dict[str, int] = {}

    def __call__(self, tasks: Iterable[Task]) -> Iterator[Measured]:
        features: MapFeatures | None = None
        for task in tasks:
            if features is None or features.task.mapped is not task.mapped:
                features = MapFeatures(task, self.networks)
            rows: dict[str, list[Floats]] = defaultdict(list)
            with bar(task.name, len(task.frames), ' frames') as shown:
                for query in range(len(task.frames)):
                    for name, scores in self._scores(task, features, query):
                        rows[name].append(scores)
                    shown.update()
            yield Measured(task, {name: np.array(each) for name, each in rows.items()})

    def _scores(
        self, task: Task, features: MapFeatures, query: int
    ) -> Iterator[tuple[str, Floats]]:
        views = task.driven(int(task.frames[query]))
        candidates = list(zip(task.candidates[query], task.reverse[query]))
        for number, family in enumerate(features.families):
            began = time.process_time()
            images = [family.describe(view) for view in views]
            for name in family.matchers:
                self.describing[name].add(began)
                self.image_bytes[name] = family.image_bytes
            others = [features.of(number, int(place)) for place, _ in candidates]
            partners = [
                [
                    each[task.opposites[camera] if turned else camera]
                    for each, (_, turned) in zip(others, candidates)
                ]
                for camera in range(len(images))
            ]
            for name, matcher in family.matchers.items():
                began = time.process_time()
                found = [
                    matcher.agreement(image, family.gather(each)).scores
                    for image, each in zip(images, partners)
                ]
                self.matching[name].add(began)
                yield name, np.mean(found, axis=0)


def factors_of(measured: list[Measured]) -> dict[str, Floats]:
    """Return the factors of the scores of each method."""
    (right,) = measured[0].task.right
    similarity = np.concatenate([each.task.similarity for each in measured])
    hits = np.concatenate([each.task.right[right] for each in measured])
    found = {}
    for name in measured[0].scores:
        scores = np.concatenate([each.scores[name] for each in measured])
        fitted = fitted_factors(similarity, scores, hits)
        if name == DENSE:
            found[name] = np.array([MUTUAL, SHIFT])
            name = f'{DENSE}{FITTED_TOO}'
        found[name] = fitted
    return found


def first_right(measured: Measured, right: Mask, factors: Mapping[str, Floats]) -> dict[str, Mask]:
    """Return [Q] by method whether the candidate that it puts first is right."""
    task, rows = measured.task, np.arange(len(right))
    found = {OFF: right[:, 0]}
    for name, each in factors.items():
        scores = measured.scores[name.removesuffix(FITTED_TOO)]
        found[name] = right[rows, (task.similarity + scores @ each).argmax(axis=1)]
    return {**found, ORACLE: right.any(axis=1)}


def gain(before: Mask, after: Mask) -> str:
    """Return the recall in %, and the gain in points with its interval of 95 %."""
    change = after.astype(np.float64) - before
    rows = np.random.default_rng(0).integers(0, len(change), (RESAMPLES, len(change)))
    low, high = 100 * np.percentile(change[rows].mean(axis=1), (2.5, 97.5))
    recall = f'{100 * after.mean():.1f}'
    if np.array_equal(before, after):
        return recall
    return f'{recall} {100 * change.mean():+.1f} ({low:+.1f} to {high:+.1f})'


def main() -> None:
    """Measure all methods and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--drives', type=Path, default=Path('drives'), help='rendered drives')
    parser.add_argument('--data', type=Path, default=DATA, help='folder of the real sets')
    parser.add_argument('--xfeat', type=Path, help='file that xfeat.py wrote')
    parser.add_argument('--frames', type=int, default=TESTED_FRAMES, help='of each tested drive')
    args = parser.parse_args()
    cv2.setNumThreads(1)
    fitting = [t for s in FITTED for t in simulated(s, args.drives, FITTED_FRAMES)]
    images = [image for task in fitting[:: len(fitting) // 2] for image in basis_images(task)]
    with tempfile.TemporaryDirectory() as folder:
        networks = load_networks(args.xfeat, images, Path(folder))
    factors = factors_of(list(Measurer(networks)(fitting)))
    console = Console(width=200)
    for name, each in factors.items():
        console.print(f'{name}: factors {", ".join(f"{x:.3g}" for x in each)}')
    measure = Measurer(networks)
    on_campus = list(measure(simulated(TESTED, args.drives, args.frames)))
    console.print(rendered_table(on_campus, factors, measure))
    console.print(real_table(list(Measurer(networks)(real(args.data))), factors))


def rendered_table(
    drives: list[Measured], factors: Mapping[str, Floats], measure: Measurer
) -> Table:
    hits = [first_right(each, *each.task.right.values(), factors) for each in drives]
    frames = sum(len(each.task.frames) for each in drives)
    table = Table(title=f'`hard` campus {TESTED}, recall@1 of {frames} frames, %')
    columns = ('all', *[d.task.name for d in drives], 'describe, ms', 'match, ms', 'bytes a place')
    for column in ('', *columns):
        table.add_column(column)
    for name in hits[0]:
        method = name.removesuffix(FITTED_TOO)
        before = np.concatenate([each[OFF] for each in hits])
        after = np.concatenate([each[name] for each in hits])
        each_drive = [f'{100 * each[name].mean():.1f}' for each in hits]
        cost = ['', '', '']
        if method in measure.matching:
            times = measure.describing[method].ms, measure.matching[method].ms
            cost = [*(f'{ms:.1f}' for ms in times), str(2 * measure.image_bytes[method])]
        table.add_row(name, gain(before, after), *each_drive, *cost)
    return table


def real_table(sets: list[Measured], factors: Mapping[str, Floats]) -> Table:
    table = Table(title='Real sets, recall@1, %')
    columns: dict[str, dict[str, Mask]] = {}
    for each in sets:
        for tolerance, right in each.task.right.items():
            columns[f'{each.task.name}, {tolerance}'] = first_right(each, right, factors)
    for column in ('', *columns):
        table.add_column(column)
    for name in next(iter(columns.values())):
        table.add_row(name, *[gain(hits[OFF], hits[name]) for hits in columns.values()])
    return table


if __name__ == '__main__':
    main()
