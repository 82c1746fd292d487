"""Draw batches: places far from each other, with a few frames of each from different drives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from husky_placerec.training.drives import Drive
from husky_placerec.training.recipe import Recipe
from husky_placerec.types import Floats, Indices
import numpy as np

TRIES = 50  # to find a place far from the others of a batch
SAME_HEADING_DEG = 45.0  # largest difference of headings that count as the same


@dataclass(frozen=True)
class Sample:
    """
    A frame of a batch.

    :param group: number of its group of drives.
    :param drive: number of its drive in the group.
    :param frame: number of the frame in the drive.
    :param place: number of its place in the batch.
    :param turned: the robot faced the other way, so opposite cameras are to be swapped.
    :param mirrored: its images are to be mirrored, as are all of its place.
    :param seed: seed of its augmentation.
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
    Draws places evenly over the ground, however long the robot stood at each.

    A batch grows once it is too easy: Komorowski, MinkLoc3D: Point Cloud Based Large-Scale Place
    Recognition, WACV 2021.

    :param swaps_cameras: also take frames that face the other way, with opposite cameras swapped.
    """

    def __init__(
        self, groups: Sequence[Sequence[Drive]], recipe: Recipe, swaps_cameras: bool
    ) -> None:
        self._recipe = recipe
        self._swaps_cameras = swaps_cameras
        self.places = recipe.places
        self._positions = [[d.poses[:, :2] for d in group] for group in groups]
        self._yaws = [[yaws(d.poses) for d in group] for group in groups]
        self._cells = [_cells(group, recipe.positive_m) for group in self._positions]

    def batch(self, rng: np.random.Generator) -> list[Sample]:
        """Draw a batch; it is smaller where the ground has no room for so many places."""
        taken: list[tuple[int, bool, Floats]] = []
        samples: list[Sample] = []
        groups = self._draw_groups(rng)
        for _ in range(self.places * 4):
            if len(taken) == self.places:
                break
            first = self._draw_first_frame(groups, taken, rng)
            if first is None:
                break
            group, mirrored, drive, frame = first
            found = self._draw_frames(group, drive, frame, rng)
            if len(found) > 1:
                taken.append((group, mirrored, self._positions[group][drive][frame]))
                place = len(taken) - 1
                samples += [
                    Sample(group, *each, mirrored, int(rng.integers(2**31)))
                    for each in ((d, f, place, turned) for d, f, turned in found)
                ]
        return samples

    def grow(self, share_of_hard: float) -> None:
        """Make the next batches larger if too few triplets violate the margin."""
        if share_of_hard < self._recipe.grow_below:
            larger = int(np.ceil(self.places * self._recipe.growth))
            self.places = max(self.places, min(larger, self._recipe.most_places))

    def _draw_groups(self, rng: np.random.Generator) -> Indices:
        every, count = len(self._cells), self._recipe.groups_a_batch
        return rng.choice(every, min(count or every, every), replace=False)

    def _draw_first_frame(
        self,
        groups: Indices,
        taken: Sequence[tuple[int, bool, Floats]],
        rng: np.random.Generator,
    ) -> tuple[int, bool, int, int] | None:
        """Return group, mirrored, drive and frame of a place far from those taken; or None."""
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

    def _draw_frames(
        self, group: int, drive: int, frame: int, rng: np.random.Generator
    ) -> list[tuple[int, int, bool]]:
        """Return (drive, frame, turned) of at most `images_a_place` frames of one place."""
        here, yaw = self._positions[group][drive][frame], self._yaws[group][drive][frame]
        found = [(drive, frame, False)]
        order = [drive, *rng.permutation(len(self._positions[group])).tolist()]
        for other in (each for each in order[1:] if each != drive):
            if len(found) == self._recipe.images_a_place:
                break
            distance = np.hypot(*(self._positions[group][other] - here).T)
            angle = np.abs(np.degrees(np.angle(np.exp(1j * (self._yaws[group][other] - yaw)))))
            turned = angle > 180 - SAME_HEADING_DEG
            comparable = (angle < SAME_HEADING_DEG) | (turned & self._swaps_cameras)
            # Within half the distance of the first frame, any two are within the whole distance.
            near = np.flatnonzero((distance < self._recipe.positive_m / 2) & comparable)
            if len(near):
                chosen = int(rng.choice(near))
                found.append((other, chosen, bool(turned[chosen])))
        return found


def yaws(poses: Floats) -> Floats:
    """Return the yaws [N] of [N, 7] poses, in radians."""
    x, y, z, w = poses[:, 3:].T
    return np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))


def _cells(positions: Sequence[Floats], size_m: float) -> list[list[tuple[int, int]]]:
    """Return the frames (drive, frame) in each square of the ground that has any."""
    cells: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for drive, each in enumerate(positions):
        for frame, (x, y) in enumerate(np.floor(each / size_m).astype(int).tolist()):
            cells.setdefault((x, y), []).append((drive, frame))
    return [cells[key] for key in sorted(cells)]
