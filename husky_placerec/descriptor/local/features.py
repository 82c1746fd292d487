"""The local descriptors of places or frames, with what made them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from husky_placerec.descriptor.local.dense import DenseMatcher
from husky_placerec.descriptor.local.network import LocalValues, restored
from husky_placerec.descriptor.local.spec import LocalSpec
from husky_placerec.types import FloatArray, Indices
import numpy as np


@dataclass(frozen=True, eq=False)
class LocalFeatures:
    """
    The local descriptors of N places or frames.

    :param values: [N, C, cells, D] int8, zeros for an absent camera; possibly memory-mapped.
    """

    spec: LocalSpec
    values: LocalValues

    def __len__(self) -> int:
        return len(self.values)

    def chosen(self, rows: Indices | slice) -> LocalFeatures:
        """Return those of some places."""
        return replace(self, values=np.asarray(self.values[rows]))

    def joined(self, other: LocalFeatures) -> LocalFeatures:
        """Return those of both, which have one spec."""
        return replace(self, values=np.concatenate([self.values, other.values]))

    def vectors(self, rows: Indices, camera: int) -> FloatArray:
        """Return [K, cells, D] unit vectors of one camera."""
        return restored(self.values[rows, camera])

    @property
    def matcher(self) -> DenseMatcher:
        """What compares two grids."""
        return _matcher(self.spec.rows, self.spec.columns)


@lru_cache(maxsize=4)
def _matcher(rows: int, columns: int) -> DenseMatcher:
    # It computes the windows of its cells once.
    return DenseMatcher(rows, columns)
