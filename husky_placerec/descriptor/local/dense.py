"""
The agreement of two images of one place by features on a grid of cells.

Two views of one place from nearly one point show the same things in nearly the same cells. A cell
is matched with the most similar cell of the other image within a window. It counts where both
cells choose each other. A wrong place that resembles the right one in its average features rarely
resembles it cell by cell.

Sources: mutual nearest neighbours of dense features, Rocco et al., Neighbourhood Consensus
Networks, NeurIPS 2018; the best common shift, Torralba et al., Context-based vision system for
place and object recognition, ICCV 2003.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from husky_placerec.types import FloatArray, Floats, Indices, Mask
import numpy as np


@dataclass(frozen=True, eq=False)
class Agreement:
    """
    How well the features of an image agree with those of K others.

    :param mutual: [K] sum of the similarities of mutual nearest neighbours, over the cells.
    :param upper: [K] the same of the cells in the upper third of the image alone.
    :param shift: [K] mean similarity of all cells by the best common shift.
    :param flow: [K, 2] mean shift of the mutual nearest neighbours to the right and down, in
        cells, from the image to the other; 0 where there are none.
    """

    mutual: Floats
    upper: Floats
    shift: Floats
    flow: Floats

    @property
    def scores(self) -> Floats:
        """[K, 2] both agreements."""
        return np.column_stack([self.mutual, self.shift])


@dataclass(frozen=True)
class DenseMatcher:
    """
    Compares features on a grid.

    :param rows: of the grid, and `columns`.
    :param across: greatest shift to the right or left, in cells, and `along` up or down.
    """

    rows: int
    columns: int
    across: int = 5
    along: int = 2

    @property
    def cells(self) -> int:
        """The number of cells of the grid."""
        return self.rows * self.columns

    @property
    def upper_cells(self) -> int:
        """The number of cells of the upper third, in full rows."""
        return -(-self.rows // 3) * self.columns

    def agreement(self, image: FloatArray, others: FloatArray) -> Agreement:
        """
        Compare the features of one image with those of K others.

        :param image: [cells, D] unit vectors, row by row.
        :param others: [K, cells, D] unit vectors.
        """
        count, cells = len(others), self.cells
        size = others.shape[-1]
        cosines = others.reshape(-1, size) @ image.T  # [K * cells of the other, cells]
        cosines = cosines.reshape(count, cells * cells)
        to, back, _ = self._window
        number = np.arange(cells)
        forwards = np.take(cosines, to, axis=1)  # [K, cells, W]
        shift = self._best_shift(forwards)
        forwards += self._outside
        backwards = np.take(cosines, back, axis=1)
        backwards += self._outside
        choice = forwards.argmax(axis=2)
        best = np.take_along_axis(forwards, choice[..., None], axis=2)[..., 0]
        chosen = self._neighbours[number, choice]  # [K, cells] of the other image
        returned = self._neighbours[number, backwards.argmax(axis=2)]
        mutual = np.take_along_axis(returned, chosen, axis=1) == number
        score = np.maximum(best, 0.0) * mutual
        weight = np.square(score)
        shifts = self._shifts[choice]  # [K, cells, 2]
        total = np.maximum(weight.sum(axis=1), 1e-9)[:, None]
        return Agreement(
            score.sum(axis=1) / cells,
            score[:, : self.upper_cells].mean(axis=1),
            shift,
            (weight[..., None] * shifts).sum(axis=1) / total,
        )

    def _best_shift(self, forwards: Floats) -> Floats:
        _, _, there = self._window
        sums = np.einsum('kcw,cw->kw', forwards, there.astype(np.float32))
        return np.asarray((sums / there.sum(axis=0)).max(axis=1), np.float64)

    @cached_property
    def _outside(self) -> FloatArray:
        """[cells, W]: minus infinity where a shift leads out of the image, else 0."""
        _, _, there = self._window
        return np.where(there, 0.0, -np.inf).astype(np.float32)

    @cached_property
    def _shifts(self) -> Indices:
        """The shifts of the window [W, 2], to the right and down."""
        down, right = np.mgrid[-self.along : self.along + 1, -self.across : self.across + 1]
        return np.column_stack([right.ravel(), down.ravel()])

    @cached_property
    def _neighbours(self) -> Indices:
        """The cells [cells, W] that each cell is compared with; its own where there is none."""
        return self._placed[0]

    @cached_property
    def _placed(self) -> tuple[Indices, Mask]:
        row, column = np.divmod(np.arange(self.cells), self.columns)
        right = column[:, None] + self._shifts[:, 0]
        down = row[:, None] + self._shifts[:, 1]
        there = (right >= 0) & (right < self.columns) & (down >= 0) & (down < self.rows)
        neighbours = np.where(there, down * self.columns + right, np.arange(self.cells)[:, None])
        return neighbours, there

    @cached_property
    def _window(self) -> tuple[Indices, Indices, Mask]:
        """
        The compared pairs [cells, W] as flat indices of a matrix [other, image].

        The first are from cells of the image to those of the other, the second the other way.
        """
        neighbours, there = self._placed
        number = np.arange(self.cells)[:, None]
        return neighbours * self.cells + number, number * self.cells + neighbours, there
