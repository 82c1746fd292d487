"""Mutual nearest neighbours of the key points of places that are near each other on a track."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from husky_placerec.descriptor.local.matcher import mutual_neighbours
from husky_placerec.metric.sight import Sight, unit
from husky_placerec.types import FloatArray, Floats, Indices
import numpy as np
from scipy.spatial.transform import Rotation

LEAST_COSINE = {64: 0.7, 128: 0.5}  # of a match, by the length of the descriptors
NEIGHBOURS = 4  # each way along the track
LEAST_BASELINE_M = 1.0  # between neighbours that are used
LONGEST_M = 16.0  # from a place to its farthest neighbour
MOST_TURNED = np.radians(60.0)


def least_cosine(size: int) -> float:
    """Return the least cosine of a match of descriptors of a length."""
    return LEAST_COSINE.get(size, 0.6)


def neighbours(
    poses: Floats, tracks: Sequence[str], place: int, count: int = NEIGHBOURS
) -> list[int]:
    """
    Return the places of the same track around one, up to `count` each way, the nearest first.

    Two of them that follow each other are at least LEAST_BASELINE_M apart.

    :param poses: [N, 7] of the places, in the order of each track.
    """
    found: list[tuple[float, int]] = []
    turned = Rotation.from_quat(poses[place, 3:]).inv()
    for way in (-1, 1):
        last, other, taken = place, place + way, 0
        while 0 <= other < len(poses) and taken < count and tracks[other] == tracks[place]:
            apart = float(np.linalg.norm(poses[other, :3] - poses[place, :3]))
            if apart > LONGEST_M:
                break
            step = float(np.linalg.norm(poses[other, :3] - poses[last, :3]))
            if step >= LEAST_BASELINE_M:
                if (turned * Rotation.from_quat(poses[other, 3:])).magnitude() > MOST_TURNED:
                    break
                found.append((apart, other))
                last, taken = other, taken + 1
            other += way
    return [other for _, other in sorted(found)]


def matched(one: FloatArray, other: FloatArray) -> tuple[Indices, Indices]:
    """Return the rows of both whose unit vectors are each other's nearest, and alike enough."""
    rows, partners = mutual_neighbours(one, other)
    if not len(rows):
        return rows, partners
    cosines = np.einsum('nd,nd->n', one[rows], other[partners])
    alike = cosines >= least_cosine(one.shape[1])
    return rows[alike], partners[alike]


@dataclass(frozen=True, eq=False)
class PlacePairs:
    """
    The matches of one camera of one place with its neighbours.

    :param others: [J] places.
    :param rows: [J, N] the key point of each neighbour that matches each of N; -1: none.
    """

    others: tuple[int, ...]
    rows: Indices


class NeighbourMatches:
    """
    The matches between the places of a map, each pair of places compared once.

    :param sights: [N][C] of the places.
    """

    def __init__(
        self, poses: Floats, tracks: Sequence[str], sights: Sequence[Sequence[Sight]]
    ) -> None:
        self.sights = sights
        self._around = [neighbours(poses, tracks, place) for place in range(len(sights))]
        self._known: dict[tuple[int, int, int], tuple[Indices, Indices]] = {}
        self._units: dict[tuple[int, int], FloatArray] = {}

    def pairs(self, place: int, camera: int) -> PlacePairs:
        """Return the matches of one camera of a place; ask in the order of the places."""
        others = tuple(self._around[place])
        rows = np.full((len(others), len(self.sights[place][camera])), -1, np.int64)
        for number, other in enumerate(others):
            first, second = sorted((place, other))
            one, two = self._between(first, second, camera)
            mine, theirs = (one, two) if place == first else (two, one)
            rows[number, mine] = theirs
        return PlacePairs(others, rows)

    def _between(self, first: int, second: int, camera: int) -> tuple[Indices, Indices]:
        key = first, second, camera
        if key not in self._known:
            self._known[key] = matched(self._unit(first, camera), self._unit(second, camera))
        return self._known[key]

    def _unit(self, place: int, camera: int) -> FloatArray:
        key = place, camera
        if key not in self._units:
            if len(self._units) > 64:  # floats of a few places only stay in memory
                self._units.clear()
            self._units[key] = unit(self.sights[place][camera].descriptors)
        return self._units[key]
