"""The static triangles of a drive, sorted by tile so that a view can omit most of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from husky_placerec.campus.mesh import Mesh
from husky_placerec.campus.signs import Sign
from husky_placerec.campus.site import House
import numpy as np
from numpy.typing import NDArray

TILE_M = 32.0


@dataclass(frozen=True)
class Scene:
    """
    Triangles that are sorted by square tiles of the ground.

    The triangles of tile k are `mesh[starts[k] : starts[k + 1]]`.
    """

    mesh: Mesh
    centres: NDArray[np.float64]  # [tiles, 2], metres
    starts: NDArray[np.int64]  # [tiles + 1]
    lamps: NDArray[np.float64]  # [lamps, 3], metres
    signs: Mapping[int, Sign]  # by the number of the object
    houses: tuple[House, ...]

    @classmethod
    def of(
        cls,
        mesh: Mesh,
        lamps: NDArray[np.float64],
        signs: Mapping[int, Sign],
        houses: tuple[House, ...],
    ) -> Scene:
        """Make a scene of triangles in any order."""
        tile = np.floor(mesh['points'][:, :, :2].mean(axis=1) / TILE_M).astype(np.int64)
        tiles, number = np.unique(tile, axis=0, return_inverse=True)
        number = number.reshape(-1)
        order = np.argsort(number, kind='stable')
        starts = np.concatenate([[0], np.cumsum(np.bincount(number))])
        return cls(mesh[order], (tiles + 0.5) * TILE_M, starts, lamps, signs, houses)
