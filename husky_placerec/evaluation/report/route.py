"""The map of the route: where the robot knew its place, where it erred, where it kept silent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from husky_placerec.evaluation.report.case import Case, HIT, MISSED, SHY, UNKNOWN, WRONG
from husky_placerec.evaluation.report.style import (
    ACCENT,
    BAD,
    figure,
    GOOD,
    MISS,
    PALE,
    plain,
    png,
)
from matplotlib.axes import Axes
import numpy as np

PANELS = 3

# How each fate is called and drawn; what matters most is drawn last.
MARKS: dict[int, tuple[str, dict[str, Any]]] = {
    UNKNOWN: ('unknown to the map, refused', {'marker': '+', 'color': ACCENT}),
    MISSED: ('wrong, but refused', {'marker': 'o', 'mfc': 'white', 'color': MISS}),
    SHY: ('right, but refused', {'marker': 'o', 'mfc': 'white', 'color': GOOD}),
    HIT: ('right and accepted', {'marker': 'o', 'color': GOOD}),
    WRONG: ('wrong and accepted', {'marker': 'X', 'color': BAD, 'ms': 7}),
}


def chosen_cases(cases: Sequence[Case]) -> list[Case]:
    """Return the worst pair, the one in the middle and the best, by what was right."""
    order = sorted(cases, key=lambda case: float(case.judged.right.mean()))
    if len(order) <= PANELS:
        return list(cases)
    return [order[0], order[len(order) // 2], order[-1]]


def draw_routes(cases: Sequence[Case]) -> bytes:
    """Draw each case on a panel of its own."""
    drawn = figure(5.2 * len(cases) if len(cases) > 1 else 8, 5.6)
    for number, case in enumerate(cases, 1):
        axes = drawn.add_subplot(1, len(cases), number)
        plain(
            axes, f'{case.queries}\nin the map of {case.database}', 'x, east (m)', 'y, north (m)'
        )
        axes.set_aspect('equal', adjustable='datalim')
        _draw(axes, case)
    handles = {
        label: handle
        for axes in drawn.axes
        for handle, label in zip(*axes.get_legend_handles_labels())
    }
    drawn.legend(handles.values(), handles, loc='outside lower center', ncols=3, frameon=False)
    return png(drawn)


def _draw(axes: Axes, case: Case) -> None:
    axes.plot(*case.route.T, '.', color=PALE, ms=10, label='places of the map')
    fates = case.fates
    wrong = (fates == WRONG) & case.judged.found
    for truth, estimate in zip(case.truths[wrong], case.estimates[wrong]):
        axes.plot(*np.stack([truth, estimate]).T, '-', color=BAD, lw=0.6, alpha=0.5)
    for fate, (label, mark) in MARKS.items():
        at = case.truths[fates == fate]
        if len(at):
            axes.plot(*at.T, **{'ls': '', 'ms': 5, 'label': label, **mark})
