"""Two results of one drive side by side: what one gets right and the other does not."""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.evaluation.report.case import RIGHT_ACCEPTED, WRONG_ACCEPTED
from husky_placerec.types import Indices
from husky_placerec.viewer.deciding import ACCEPTED, Decided
import numpy as np

RIGHT, WRONG, REFUSED = range(3)


@dataclass(frozen=True, eq=False)
class Comparison:
    """
    The frames that two results share, by stamp.

    :param first: [S] rows of the first, and `second` of the other.
    :param verdicts: [S, 2] RIGHT, WRONG or REFUSED; frames that are accepted without a truth count
        as RIGHT, since nothing is known against them.
    """

    first: Indices
    second: Indices
    verdicts: Indices

    def __len__(self) -> int:
        return len(self.first)

    @property
    def table(self) -> Indices:
        """How many frames [3, 3] have a verdict of the first, and one of the second."""
        cells = 3 * self.verdicts[:, 0] + self.verdicts[:, 1]
        return np.bincount(cells, minlength=9).reshape(3, 3)

    def only_right(self, which: int) -> Indices:
        """Return the shared frames that one of the two alone gets right; 0: the first."""
        right = self.verdicts == RIGHT
        return np.flatnonzero(right[:, which] & ~right[:, 1 - which])


def compare(one: Decided, other: Decided) -> Comparison:
    """Compare two runs frame by frame."""
    _, first, second = np.intersect1d(one.run.stamps_ns, other.run.stamps_ns, return_indices=True)
    verdicts = [_verdicts(one)[first], _verdicts(other)[second]]
    return Comparison(first, second, np.stack(verdicts, axis=1))


def _verdicts(decided: Decided) -> Indices:
    outcomes = decided.outcomes
    return np.select(
        [np.isin(outcomes, (RIGHT_ACCEPTED, ACCEPTED)), outcomes == WRONG_ACCEPTED],
        [RIGHT, WRONG],
        REFUSED,
    )
