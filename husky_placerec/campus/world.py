"""A campus: its road, its textures and everything on it that never moves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from husky_placerec.campus import buildings, greenery, street
from husky_placerec.campus.route import Route
from husky_placerec.campus.site import Site
from husky_placerec.campus.soup import Soup
from husky_placerec.campus.textures import Textures
import numpy as np
from numpy.typing import NDArray

TILE_M = 32.0


@dataclass(frozen=True)
class Scene:
    """
    Triangles sorted by square tiles of the ground, so that a view can leave most of them out.

    Tile k has the triangles `starts[k]` to `starts[k + 1]`.
    """

    soup: Soup
    centres: NDArray[np.float64]  # [tiles, 2]
    starts: NDArray[np.int64]  # [tiles + 1]
    lamps: NDArray[np.float64]  # [lamps, 3]


class Campus:
    """The campus of one seed; its parts are made when they are first asked for."""

    def __init__(self, seed: int) -> None:
        """Take the seed; the same seed makes the same campus everywhere."""
        self.seed = seed

    @cached_property
    def route(self) -> Route:
        """The road that all drives follow."""
        return Route(self.seed)

    @cached_property
    def textures(self) -> Textures:
        """What is painted on the surfaces."""
        return Textures(self.seed)

    @cached_property
    def scene(self) -> Scene:
        """Everything that never moves."""
        site = Site(self.route, self.textures, np.random.default_rng([self.seed, 3]))
        street.build_ground(site)
        street.build_road(site)
        buildings.build_houses(site)
        greenery.plant_avenues(site)
        greenery.plant_groves(site)
        street.build_lamps(site)
        street.build_fences_and_hedges(site)
        street.build_bus_stops(site)
        return _tiled(site.builder.soup(), np.array(site.lamps))


def _tiled(soup: Soup, lamps: NDArray[np.float64]) -> Scene:
    tile = np.floor(soup['points'][:, :, :2].mean(axis=1) / TILE_M).astype(np.int64)
    tiles, number = np.unique(tile, axis=0, return_inverse=True)
    number = number.reshape(-1)
    order = np.argsort(number, kind='stable')
    starts = np.concatenate([[0], np.cumsum(np.bincount(number))])
    return Scene(soup[order], (tiles + 0.5) * TILE_M, starts, lamps)
