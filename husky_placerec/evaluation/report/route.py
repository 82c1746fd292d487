"""The map of the route, with the outcome of each frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from husky_placerec.evaluation.report.case import (
    Case,
    RIGHT_ACCEPTED,
    RIGHT_REFUSED,
    UNKNOWN_REFUSED,
    WRONG_ACCEPTED,
    WRONG_REFUSED,
)
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

PANELS = 3  # pairs that are drawn, at most

# Label and mark of each outcome; the most important one is drawn last, on top.
MARKS: dict[int, tuple[str, dict[str, Any]]] = {
    UNKNOWN_REFUSED: ('unknown to the map, refused', {'marker': '+', 'color': ACCENT}),
    WRONG_REFUSED: ('wrong, but refused', {'marker': 'o', 'mfc': 'white', 'color': MISS}),
    RIGHT_REFUSED: ('right, but refused', {'marker': 'o', 'mfc': 'white', 'color': GOOD}),
    RIGHT_ACCEPTED: ('right and accepted', {'marker': 'o', 'color': GOOD}),
    WRONG_ACCEPTED: ('wrong and accepted', {'marker': 'X', 'color': BAD, 'ms': 7}),
}


def chosen_cases(cases: Sequence[Case]) -> list[Case]:
    """Return the pairs with the lowest, the median and the highest share of right matches."""
    order = sorted(cases, key=lambda case: float(case.judged.right.mean()))
    if len(order) <= PANELS:
        return list(cases)
    return [order[0], order[len(order) // 2], order[-1]]


def draw_routes(cases: Sequence[Case]) -> bytes:
    """Draw each case in a panel of its own."""
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
    outcomes = case.outcomes
    wrong = (outcomes == WRONG_ACCEPTED) & case.judged.found
    for truth, estimate in zip(case.truths[wrong], case.estimates[wrong]):
        axes.plot(*np.stack([truth, estimate]).T, '-', color=BAD, lw=0.6, alpha=0.5)
    for outcome, (label, mark) in MARKS.items():
        at = case.truths[outcomes == outcome]
        if len(at):
            axes.plot(*at.T, **{'ls': '', 'ms': 5, 'label': label, **mark})
