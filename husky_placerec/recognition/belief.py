"""What may be believed of where the robot is: states with their weights and proofs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from husky_placerec.recognition.route import Places
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Turned = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Belief:
    """
    What the frames until now say together.

    :param places: [H] of the states, and `turned` [H] whether each is passed in reverse.
    :param weights: [H].
    :param proofs: [H] of each state, never below 0.
    :param elsewhere: weight of all other states.
    :param off_map: weight of being at no place of the map.
    """

    places: Places
    turned: Turned
    weights: Floats
    proofs: Floats
    elsewhere: float
    off_map: float

    @classmethod
    def nothing(cls, off_map: float) -> Belief:
        none = np.zeros(0)
        return cls(none.astype(np.int64), none.astype(np.bool_), none, none, 1 - off_map, off_map)

    @property
    def total(self) -> float:
        return float(self.weights.sum()) + self.elsewhere + self.off_map

    def normalised(self) -> Belief:
        """Return it with all weights together 1 again."""
        total = self.total
        return replace(
            self,
            weights=self.weights / total,
            elsewhere=self.elsewhere / total,
            off_map=self.off_map / total,
        )


def joined(
    places: Places, turned: Turned, weights: Floats, proofs: Floats
) -> tuple[Places, Turned, Floats, Floats]:
    """Add up the weights of equal states, and take the mean of their proofs."""
    keys, inverse = np.unique(2 * places + turned, return_inverse=True)
    added = np.bincount(inverse.ravel(), weights, len(keys)).astype(np.float64)
    total = np.bincount(inverse.ravel(), weights * proofs, len(keys)).astype(np.float64)
    proven = np.divide(total, added, out=np.zeros(len(keys)), where=added > 0)
    return keys // 2, (keys % 2).astype(np.bool_), added, proven
