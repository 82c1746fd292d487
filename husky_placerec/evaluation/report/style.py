"""The common style of the pictures of the report."""

from __future__ import annotations

import io

from husky_placerec.printable import printable_lines
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

GOOD, BAD, MISS, NEUTRAL, ACCENT, PALE = (
    '#1a7f5a',
    '#c8343f',
    '#e08b2d',
    '#9aa3ad',
    '#2f5f9e',
    '#d5dae0',
)
DPI = 110
# A decorator of what draws names: 'run_$5_and_$6^' is a name, and no formula of TeX.
literal_names = rc_context({'text.parse_math': False})


def figure(width: float, height: float) -> Figure:
    """Make a figure, its size in inches, without a display and the global state of pyplot."""
    return Figure(figsize=(width, height), layout='constrained')


def plain(axes: Axes, title: str, x: str, y: str) -> None:
    """Set title and labels, with a light grid and two spines."""
    axes.set_title(title, loc='left', fontsize=11)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.spines[['top', 'right']].set_visible(False)
    axes.grid(color='#eceff2')
    axes.set_axisbelow(True)


def png(drawn: Figure) -> bytes:
    """Return a figure as PNG."""
    for text in drawn.findobj(Text):
        text.set_text(printable_lines(text.get_text()))
    data = io.BytesIO()
    drawn.savefig(data, format='png', dpi=DPI)
    return data.getvalue()
