"""The picture of the demo: the mapped places, the true poses and the published poses."""

from __future__ import annotations

from collections.abc import Mapping
import io
from pathlib import Path

from husky_placerec.demo.score import Score
from husky_placerec.files import write_atomic
from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
from numpy.typing import NDArray

GREEN, RED, GREY, BLUE = '#2a9d4a', '#d0312d', '#b4b4b4', '#3b6fb6'
ARROWS = 12  # number of arrows along the drive


def draw_routes(path: Path, scores: Mapping[str, Score], map_poses: NDArray[np.float64]) -> None:
    """Draw for each drive the places, the true positions by outcome, and the position errors."""
    figure = Figure(figsize=(8.5 * len(scores), 8), layout='constrained')
    panels = figure.subplots(1, len(scores), squeeze=False)[0]
    for axes, (name, result) in zip(panels, scores.items()):
        _draw_route(axes, result, map_poses)
        axes.set_title(f'{name}: {result.recognised:.0%} of the known places recognised')
    image = io.BytesIO()
    figure.savefig(image, format='png', dpi=100)
    write_atomic(path, image.getvalue())


def _draw_route(axes: Axes, result: Score, map_poses: NDArray[np.float64]) -> None:
    axes.plot(map_poses[:, 0], map_poses[:, 1], '.', color=GREY, markersize=11, label='map')
    for label, (stamps, marker, colour) in _groups(result).items():
        if points := [result.truths[s] for s in sorted(stamps) if s in result.truths]:
            axes.plot(
                [p.x for p in points],
                [p.y for p in points],
                marker,
                color=colour,
                markeredgecolor=GREEN if colour == 'white' else colour,
                markersize=5,
                label=f'{label} ({len(points)})',
            )
    for stamp_ns, pose in result.published.items():
        if (truth := result.truths.get(stamp_ns)) is not None:
            colour = GREEN if stamp_ns in result.right else RED
            axes.plot([truth.x, pose.x], [truth.y, pose.y], '-', color=colour, linewidth=0.8)
    if poses := list(result.published.values()):
        at = [p.x for p in poses], [p.y for p in poses]
        axes.plot(*at, '.', color='black', markersize=3, label='published pose')
    _draw_direction(axes, result)
    axes.set(xlabel='x, east (m)', ylabel='y, north (m)', aspect='equal')
    axes.grid(color='#eeeeee')
    axes.set_axisbelow(True)
    axes.legend(loc='best', frameon=False)


def _groups(result: Score) -> dict[str, tuple[frozenset[int] | set[int], str, str]]:
    """Return the stamps, the marker and the colour of each outcome."""
    published = set(result.published)
    return {
        'recognised': (result.right, 'o', GREEN),
        'on the map, not recognised': (result.on_map - published, 'o', 'white'),
        'unknown to the map, refused': (
            set(result.truths) - result.on_map - published,
            'x',
            BLUE,
        ),
        'wrong': (published - result.right, 'X', RED),
    }


def _draw_direction(axes: Axes, result: Score) -> None:
    """Draw arrows in the direction of the drive."""
    way = np.array([(pose.x, pose.y) for _, pose in sorted(result.truths.items())])
    middle = way.mean(axis=0)
    for at in np.linspace(0, len(way) - 2, ARROWS).astype(int):
        ahead = (way[at + 1] - way[at]) / np.linalg.norm(way[at + 1] - way[at])
        outwards = (way[at] - middle) / np.linalg.norm(way[at] - middle)
        foot = way[at] + 7 * outwards
        axes.annotate(
            '', foot + 7 * ahead, foot, arrowprops={'arrowstyle': '->', 'color': '#666666'}
        )
