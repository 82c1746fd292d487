"""How every picture of the report looks."""

from __future__ import annotations

import io

from matplotlib.axes import Axes
from matplotlib.figure import Figure

GOOD, BAD, MISS, NEUTRAL, ACCENT, PALE = (
    '#1a7f5a',
    '#c8343f',
    '#e08b2d',
    '#9aa3ad',
    '#2f5f9e',
    '#d5dae0',
)
DPI = 110


def figure(width: float, height: float) -> Figure:
    """Make a figure of that size in inches; no display is needed, nor pyplot's global state."""
    return Figure(figsize=(width, height), layout='constrained')


def plain(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title, loc='left', fontsize=11)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.spines[['top', 'right']].set_visible(False)
    axes.grid(color='#eceff2')
    axes.set_axisbelow(True)


def png(drawn: Figure) -> bytes:
    data = io.BytesIO()
    drawn.savefig(data, format='png', dpi=DPI)
    return data.getvalue()
