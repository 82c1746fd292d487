"""What every way to compare local features of images has in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

from husky_placerec.types import FloatArray, Floats, Indices
import numpy as np

Image = TypeVar('Image', contravariant=True)
Others = TypeVar('Others', contravariant=True)


class Agreeing(Protocol):
    """How well an image agrees with K others."""

    @property
    def scores(self) -> Floats:
        """[K, S] by S criteria: more is better, and 0 where nothing agrees."""

    @property
    def flow(self) -> Floats:
        """
        [K, 2] mean shift of what agrees to the right and down, from the image to the other.

        Its unit is that of the positions of the features; it is 0 where nothing agrees.
        """


class Matcher(Protocol[Image, Others]):
    """Compares the features of one image with those of K others; it keeps no state."""

    def agreement(self, image: Image, others: Others) -> Agreeing:
        """Return how well an image agrees with K others; without features all scores are 0."""


@dataclass(frozen=True, eq=False)
class SpatialAgreement:
    """
    Agreement by matches that one geometric model explains.

    :param scores: [K, 1].
    :param flow: [K, 2], as in `Agreeing`.
    """

    scores: Floats
    flow: Floats


def mutual_neighbours(one: FloatArray, other: FloatArray) -> tuple[Indices, Indices]:
    """
    Return the rows of both whose vectors are each other's most similar.

    :param one: [N, D] unit vectors, and `other` [M, D].
    """
    if not len(one) or not len(other):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    cosines = one @ other.T
    there, back = cosines.argmax(axis=1), cosines.argmax(axis=0)
    rows = np.flatnonzero(back[there] == np.arange(len(one)))
    return rows, there[rows]
