"""The belief of the route filter: weighted states, and the weights of all other possibilities."""

from __future__ import annotations

from dataclasses import dataclass, replace

from husky_placerec.types import Floats, Indices, Mask
import numpy as np


@dataclass(frozen=True, eq=False)
class Belief:
    """
    The posterior of the frames until now. A state is a place and a direction.

    :param places: [H] of the states.
    :param reverse: [H] whether each state passes its place in reverse.
    :param weights: [H] of the states.
    :param proofs: [H] cumulative log likelihood ratio of each state, at least 0.
    :param elsewhere: weight of all states that are not held.
    :param off_map: weight of being at no place of the map.
    """

    places: Indices
    reverse: Mask
    weights: Floats
    proofs: Floats
    elsewhere: float
    off_map: float

    @classmethod
    def prior(cls, off_map: float) -> Belief:
        """Return the belief before the first frame: no states, anywhere or off the map."""
        none = np.zeros(0)
        return cls(none.astype(np.int64), none.astype(np.bool_), none, none, 1 - off_map, off_map)

    @property
    def total(self) -> float:
        """The sum of all weights."""
        return float(self.weights.sum()) + self.elsewhere + self.off_map

    def reduced(self, most: int) -> Belief:
        """
        Return the normalised belief with the `most` likeliest states.

        The weight of the other states is added to `elsewhere`.
        """
        order = np.argsort(-self.weights, kind='stable')
        best, total = np.sort(order[:most]), self.total
        dropped = float(self.weights[order[most:]].sum())
        return replace(
            self,
            places=self.places[best],
            reverse=self.reverse[best],
            weights=self.weights[best] / total,
            proofs=self.proofs[best],
            elsewhere=(self.elsewhere + dropped) / total,
            off_map=self.off_map / total,
        )


def merge_states(
    places: Indices, reverse: Mask, weights: Floats, proofs: Floats
) -> tuple[Indices, Mask, Floats, Floats]:
    """Merge equal states: their weights add up, and their proofs are averaged by weight."""
    keys, inverse = np.unique(2 * places + reverse, return_inverse=True)
    added = np.bincount(inverse.ravel(), weights, len(keys)).astype(np.float64)
    total = np.bincount(inverse.ravel(), weights * proofs, len(keys)).astype(np.float64)
    mean = np.divide(total, added, out=np.zeros(len(keys)), where=added > 0)
    return keys // 2, (keys % 2).astype(np.bool_), added, mean
