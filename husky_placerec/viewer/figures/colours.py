"""Colours and marks that tell apart on a light and on a dark page, also without red and green."""

from __future__ import annotations

from dataclasses import dataclass
import html

from husky_placerec.evaluation.report.case import (
    RIGHT_ACCEPTED,
    RIGHT_REFUSED,
    UNKNOWN_REFUSED,
    WRONG_ACCEPTED,
    WRONG_REFUSED,
)
from husky_placerec.viewer.deciding import ACCEPTED, REFUSED


@dataclass(frozen=True)
class Mark:
    """How an outcome is drawn; marks of refused frames are hollow."""

    symbol: str
    colour: str
    size: int


# The colours are those of Okabe and Ito, whom the colour-blind can read.
GOOD, BAD, MISS, QUIET = '#009e73', '#d55e00', '#e69f00', '#8a94a6'
MARKS = {
    RIGHT_ACCEPTED: Mark('circle', GOOD, 8),
    WRONG_ACCEPTED: Mark('x', BAD, 11),
    RIGHT_REFUSED: Mark('circle-open', GOOD, 8),
    WRONG_REFUSED: Mark('x-open', MISS, 9),
    UNKNOWN_REFUSED: Mark('cross-thin-open', QUIET, 8),
    ACCEPTED: Mark('circle', GOOD, 8),
    REFUSED: Mark('circle-open', QUIET, 8),
}
TRUE, RECOGNISED = '#0072b2', '#cc79a7'
PLACES = {'light': '#c3c9d3', 'dark': '#525a67'}


def plain(text: str) -> str:
    """Return a text that plotly shows as it is; it would take `<b>` for bold and so on."""
    return html.escape(text, quote=False)
