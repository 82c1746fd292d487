"""
Errors of heading and sideways offset before and after they are corrected by the flow of matches.

Frames of `hard` campus 107 by night, in rain, at winter dusk and on a winter night, and the other
way round by day and night, whose best candidate after ranking again is right: within 10 m, and
facing as the frame within 30 degrees. What is corrected is the pose of the candidate. Factors are
fitted on the campuses 90 and 91.

Example: python benchmarks/flow_heading.py --drives drives
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
from husky_placerec.descriptor.local.dense import DenseMatcher
from husky_placerec.descriptor.local.network import LocalNetwork, restored
from husky_placerec.descriptor.shipped import SHIPPED
from husky_placerec.progress import bar
from husky_placerec.recognition.flow_heading import fitted_scale, pinhole_scale, SHRINKAGE
from husky_placerec.recognition.local_comparison import MUTUAL, SHIFT
from husky_placerec.types import Floats
import numpy as np
from reranking_tasks import near, simulated, Task
from rich.console import Console
from rich.table import Table

FITTED, TESTED = (90, 91), 107
FRAMES = 40  # of each drive
RIGHT_M = 10.0
PAIRS, APART = 150, 2  # places of the map, compared with those so many places on
FOCAL = 0.737  # of the shipped network's virtual pinhole


def main() -> None:
    """Measure the flow of right candidates, and print the errors."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--drives', type=Path, default=Path('drives'), help='rendered drives')
    args = parser.parse_args()
    cv2.setNumThreads(1)
    measure = Measurer()
    fitted = np.concatenate([measure.right(s, args.drives) for s in FITTED])
    tested = measure.right(TESTED, args.drives)
    columns = measure.matcher.columns
    across, turns = (tested[:, 3:].mean(axis=1), tested[:, 2])
    scale, geometry = pinhole_scale(FOCAL, columns), 1 / (FOCAL * columns)
    own = fitted_scale(fitted[:, 3:].mean(axis=1), fitted[:, 2])
    print(f'share of the true flow on {FITTED}: {geometry / own:.3f}; SHRINKAGE is {SHRINKAGE}')
    per_cell = slope(fitted[:, 4] - fitted[:, 3], fitted[:, 1])
    print(f'metres to the left for a cell of difference on {FITTED}: {per_cell:.2f}')
    map_scale = fitted_scale(*measure.neighbours(TESTED, args.drives))
    table = Table(title=f'{len(tested)} frames with a right best candidate', title_justify='left')
    for column in ('', 'median', '90 %'):
        table.add_column(column)
    degrees = {
        'heading, of the candidate': turns,
        'flow of both cameras, geometry alone': turns + across * geometry,
        'flow of both cameras': turns + across * scale,
        "the same, scale of the map's neighbours": turns + across * (map_scale or 0.0),
        'flow of the front camera alone': turns + tested[:, 3] * scale,
    }
    for name, errors in degrees.items():
        table.add_row(name, *[f'{x:.2f} degrees' for x in spread(np.degrees(errors))])
    sideways = tested[:, 1] - per_cell * (tested[:, 4] - tested[:, 3])
    for name, errors in (
        ('sideways, of the candidate', tested[:, 1]),
        ('difference of flows', sideways),
        ('position, of the candidate', np.hypot(tested[:, 0], tested[:, 1])),
        ('position with the difference of flows', np.hypot(tested[:, 0], sideways)),
    ):
        table.add_row(name, *[f'{x:.2f} m' for x in spread(errors)])
    Console(width=100).print(table)


def spread(errors: Floats) -> list[float]:
    return np.percentile(np.abs(errors), (50, 90)).tolist()


def slope(across: Floats, along: Floats) -> float:
    """Return the slope of a line through the origin."""
    return float(across @ along / (across @ across))


class Measurer:
    """Compares images cell by cell."""

    def __init__(self) -> None:
        self.network = LocalNetwork(SHIPPED, threads=1)
        self.matcher = DenseMatcher(self.network.spec.rows, self.network.spec.columns)
        self.known: dict[tuple[int, int], Floats] = {}

    def right(self, seed: int, folder: Path) -> Floats:
        """Return [N, 5]: offsets of right best candidates, and their flow by camera."""
        self.known.clear()
        tasks = list(simulated(seed, folder, FRAMES, backwards=True))
        return np.concatenate([np.array(list(self._rows(task))) for task in tasks])

    def neighbours(self, seed: int, folder: Path) -> tuple[Floats, Floats]:
        """Return the flow [N] between places of the map, and their turns."""
        self.known.clear()
        task = next(simulated(seed, folder, 1))
        rows = np.linspace(0, task.places - 1 - APART, PAIRS).astype(int)
        flows = []
        for one, other in zip(rows, rows + APART):
            pairs = zip(self._place(task, int(one)), self._place(task, int(other)))
            found = [self.matcher.agreement(a, b[None]).flow[0, 0] for a, b in pairs]
            flows.append(np.mean(found))
        facing = task.headings
        turns = (facing[rows] - facing[rows + APART] + np.pi) % (2 * np.pi) - np.pi
        return np.array(flows), turns

    def _rows(self, task: Task) -> Iterator[Floats]:
        right = near(task.offsets, RIGHT_M)
        with bar(task.name, len(task.frames), ' frames') as shown:
            for query, frame in enumerate(task.frames):
                shown.update()
                images = self._described(task.driven(int(frame)))
                others = [self._place(task, int(place)) for place in task.candidates[query]]
                partners = [
                    [e[task.opposites[c] if r else c] for e, r in zip(others, task.reverse[query])]
                    for c in range(len(images))
                ]
                found = [
                    self.matcher.agreement(image, np.array(each))
                    for image, each in zip(images, partners)
                ]
                scores = np.mean([each.scores for each in found], axis=0) @ (MUTUAL, SHIFT)
                best = int((task.similarity[query] + scores).argmax())
                if right[query, best]:
                    flows = [each.flow[best, 0] for each in found]
                    yield np.array([*task.offsets[query, best], *flows])

    def _place(self, task: Task, place: int) -> Floats:
        key = id(task.mapped), place
        if key not in self.known:
            self.known[key] = self._described(task.mapped(place))
        return self.known[key]

    def _described(self, views) -> Floats:
        branch = self.network.branches[0]
        return restored(self.network.describe([v.image for v in views], [branch])[0])


if __name__ == '__main__':
    main()
