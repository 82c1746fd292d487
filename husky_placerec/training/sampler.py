"""Batches: places far from each other, a few frames of each, from different drives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from husky_placerec.training.drives import Drive
from husky_placerec.training.recipe import Recipe
import numpy as np
from numpy.typing import NDArray

TRIES = 50  # for a spot far from the others
FACED_ALIKE_DEG = 45.0


@dataclass(frozen=True)
class Sample:
    """
    A frame of a batch.

    :param turned: the robot faced the other way, so its cameras are to be exchanged.
    :param seed: of its augmentation.
    """

    group: int
    drive: int
    frame: int
    place: int
    turned: bool
    mirrored: bool
    seed: int


class PlaceSampler:
    """
    Draws places evenly over the ground, however long the robot stood there.

    The batch grows when it has become too easy, as the origin's does (after MinkLoc3D, Komorowski,
    WACV 2021).

    :param tells_direction: frames that face the other way are taken, cameras exchanged.
    """

    def __init__(
        self, groups: Sequence[Sequence[Drive]], recipe: Recipe, tells_direction: bool
    ) -> None:
        self._recipe = recipe
        self._tells_direction = tells_direction
        self.places = recipe.places
        self._positions = [[d.poses[:, :2] for d in group] for group in groups]
        self._yaws = [[yaws(d.poses) for d in group] for group in groups]
        self._cells = [_cells(group, recipe.positive_m) for group in self._positions]

    def batch(self, rng: np.random.Generator) -> list[Sample]:
        """Draw the next batch; smaller where the ground has no room for so many places."""
        spots: list[tuple[int, bool, NDArray[np.float64]]] = []
        samples: list[Sample] = []
        groups = self._groups(rng)
        for _ in range(self.places * 4):
            if len(spots) == self.places:
                break
            spot = self._spot(groups, spots, rng)
            if spot is None:
                break
            group, mirrored, drive, frame = spot
            found = self._frames(group, drive, frame, rng)
            if len(found) > 1:
                spots.append((group, mirrored, self._positions[group][drive][frame]))
                place = len(spots) - 1
                samples += [
                    Sample(group, *each, mirrored, int(rng.integers(2**31)))
                    for each in ((d, f, place, turned) for d, f, turned in found)
                ]
        return samples

    def grow(self, share_of_hard: float) -> None:
        """Make later batches larger when too few triplets still teach something."""
        if share_of_hard < self._recipe.grow_below:
            larger = int(np.ceil(self.places * self._recipe.growth))
            self.places = max(self.places, min(larger, self._recipe.most_places))

    def _groups(self, rng: np.random.Generator) -> NDArray[np.int64]:
        every, count = len(self._cells), self._recipe.groups_a_batch
        return rng.choice(every, min(count or every, every), replace=False)

    def _spot(
        self,
        groups: NDArray[np.int64],
        taken: Sequence[tuple[int, bool, NDArray]],
        rng: np.random.Generator,
    ) -> tuple[int, bool, int, int] | None:
        for _ in range(TRIES):
            group = int(rng.choice(groups))
            mirrored = self._recipe.mirror and bool(rng.random() < 0.5)
            cells = self._cells[group]
            cell = cells[int(rng.integers(len(cells)))]
            drive, frame = cell[int(rng.integers(len(cell)))]
            here = self._positions[group][drive][frame]
            near = (
                np.hypot(*(here - other)) < self._recipe.negative_m
                for g, m, other in taken
                if (g, m) == (group, mirrored)
            )
            if not any(near):
                return group, mirrored, drive, frame
        return None

    def _frames(
        self, group: int, drive: int, frame: int, rng: np.random.Generator
    ) -> list[tuple[int, int, bool]]:
        """Return drive, frame and whether it is turned, of images_a_place frames or fewer."""
        here, yaw = self._positions[group][drive][frame], self._yaws[group][drive][frame]
        found = [(drive, frame, False)]
        order = [drive, *rng.permutation(len(self._positions[group])).tolist()]
        for other in (each for each in order[1:] if each != drive):
            if len(found) == self._recipe.images_a_place:
                break
            distance = np.hypot(*(self._positions[group][other] - here).T)
            angle = np.abs(np.degrees(np.angle(np.exp(1j * (self._yaws[group][other] - yaw)))))
            turned = angle > 180 - FACED_ALIKE_DEG
            faced = (angle < FACED_ALIKE_DEG) | (turned & self._tells_direction)
            # Half the distance from the spot: then any two of them are near enough.
            near = np.flatnonzero((distance < self._recipe.positive_m / 2) & faced)
            if len(near):
                chosen = int(rng.choice(near))
                found.append((other, chosen, bool(turned[chosen])))
        return found


def yaws(poses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return [N] yaws of [N, 7] poses, radians."""
    x, y, z, w = poses[:, 3:].T
    return np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))


def _cells(positions: Sequence[NDArray[np.float64]], size_m: float) -> list[list[tuple[int, int]]]:
    """Return the frames (drive, frame) of each square of the ground that has any."""
    cells: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for drive, each in enumerate(positions):
        for frame, (x, y) in enumerate(np.floor(each / size_m).astype(int).tolist()):
            cells.setdefault((x, y), []).append((drive, frame))
    return [cells[key] for key in sorted(cells)]
