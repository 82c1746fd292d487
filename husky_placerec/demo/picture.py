"""The picture of the demo: the route, where the robot was, and where the node said it was."""

from __future__ import annotations

import io
from pathlib import Path

from husky_placerec.demo.score import Score
from husky_placerec.files import write_atomic
from matplotlib.figure import Figure
import numpy as np
from numpy.typing import NDArray

GREEN, RED, GREY, BLUE = '#2a9d4a', '#d0312d', '#b4b4b4', '#3b6fb6'


def draw_route(path: Path, result: Score, map_poses: NDArray[np.float64], title: str) -> None:
    """Draw the map's places, the true positions by what became of them, and the errors."""
    figure = Figure(figsize=(9, 8), layout='constrained')
    axes = figure.add_subplot()
    axes.plot(map_poses[:, 0], map_poses[:, 1], '.', color=GREY, markersize=11, label='map')
    groups = {
        f'recognised ({len(result.right)})': (result.right, 'o', GREEN),
        'on the map, not recognised': (result.on_map - set(result.published), 'o', 'white'),
        'unknown to the map, refused': (
            set(result.truths) - result.on_map - set(result.published),
            'x',
            BLUE,
        ),
        'wrong': (set(result.published) - result.right, 'X', RED),
    }
    for label, (stamps, marker, colour) in groups.items():
        if points := [result.truths[s] for s in sorted(stamps) if s in result.truths]:
            axes.plot(
                [p.x for p in points],
                [p.y for p in points],
                marker,
                color=colour,
                markeredgecolor=GREEN if colour == 'white' else colour,
                markersize=5,
                label=label if '(' in label else f'{label} ({len(points)})',
            )
    for stamp_ns, pose in result.published.items():
        if (truth := result.truths.get(stamp_ns)) is not None:
            colour = GREEN if stamp_ns in result.right else RED
            axes.plot([truth.x, pose.x], [truth.y, pose.y], '-', color=colour, linewidth=0.8)
    if poses := list(result.published.values()):
        at = [p.x for p in poses], [p.y for p in poses]
        axes.plot(*at, '.', color='black', markersize=3, label='published pose')
    axes.set(title=title, xlabel='x, east (m)', ylabel='y, north (m)', aspect='equal')
    axes.grid(color='#eeeeee')
    axes.set_axisbelow(True)
    axes.legend(loc='best', frameon=False)
    image = io.BytesIO()
    figure.savefig(image, format='png', dpi=110)
    write_atomic(path, image.getvalue())
