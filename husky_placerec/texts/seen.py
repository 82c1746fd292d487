"""A text that a camera saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import unicodedata

from husky_placerec.types import Floats
import numpy as np

MOST_LETTERS = 64  # of a text; what is longer is no sign
LEAST_LETTERS = 2  # letters and digits; a single one is mostly a mistake of the OCR


@dataclass(frozen=True)
class SeenText:
    """
    A text in an image.

    :param text: as `tidy` returns it.
    :param camera: name of the camera.
    :param confidence: that it was read rightly, 0 to 1.
    :param quad: x y of its corners upper left, upper right, lower right and lower left, as shares
        of the width and height of the image; None where only the words are known.
    """

    text: str
    camera: str
    confidence: float
    quad: tuple[tuple[float, float], ...] | None = None

    @property
    def middle(self) -> tuple[float, float]:
        """The centre of the corners, as shares of the image; NaN without corners."""
        if self.quad is None:
            return float('nan'), float('nan')
        x, y = np.mean(self.quad, axis=0).tolist()
        return x, y

    @property
    def height(self) -> float:
        """The mean length of the left and the right edge in image heights; NaN without corners."""
        if self.quad is None:
            return float('nan')
        (_, y0), (_, y1), (_, y2), (_, y3) = self.quad
        return (abs(y3 - y0) + abs(y2 - y1)) / 2


def tidy(text: str) -> str:
    """
    Return a text without what is no text; empty where nothing is left that may be compared.

    Characters that move the cursor or cannot be seen go, blanks are joined, and a text of more
    than MOST_LETTERS is none: an OCR returns such where it takes a pattern for writing.
    """
    if len(text) > 100 * MOST_LETTERS:
        return ''
    # A composed form has a letter in one character, however it was typed.
    shown = (
        ' ' if unicodedata.category(c)[0] in 'ZC' else c
        for c in unicodedata.normalize('NFKC', text)
    )
    joined = ' '.join(''.join(shown).split())
    if len(joined) > MOST_LETTERS or sum(map(str.isalnum, joined)) < LEAST_LETTERS:
        return ''
    return joined


def shares(
    quad: Sequence[Sequence[float]] | Floats, width: int, height: int
) -> tuple[tuple[float, float], ...]:
    """Return corners in pixels as shares of the size of the image."""
    return tuple((float(x) / width, float(y) / height) for x, y in quad)
