"""A campus: its roads, its textures and everything on it that never moves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from husky_placerec.campus import buildings, greenery, street
from husky_placerec.campus.network import Network
from husky_placerec.campus.route import Route
from husky_placerec.campus.site import Site
from husky_placerec.campus.soup import Soup
from husky_placerec.campus.textures import Textures
from husky_placerec.errors import InputError
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
    signs: dict[int, str]  # what they say, by the number of the object


class Campus:
    """The campus of one seed; its parts are made when they are first asked for."""

    def __init__(self, seed: int, aliasing: float = 0.3) -> None:
        """
        Take the seed; the same seed makes the same campus everywhere.

        :param aliasing: the share of runs of houses that repeat an earlier one, 0 to 1.
        :raises InputError: when the share is not one.
        """
        if not 0 <= aliasing <= 1:
            raise InputError(f'aliasing is {aliasing}; expected 0 to 1')
        self.seed, self.aliasing = seed, aliasing

    @cached_property
    def route(self) -> Route:
        """The mapped road, which drives follow but for their detours."""
        return self.network.route

    @cached_property
    def network(self) -> Network:
        """All roads."""
        return Network(self.seed)

    @cached_property
    def textures(self) -> Textures:
        """What is painted on the surfaces."""
        return Textures(self.seed)

    @cached_property
    def scene(self) -> Scene:
        """Everything that never moves."""
        site = Site(self.network, self.textures, np.random.default_rng([self.seed, 3]))
        street.build_ground(site)
        street.build_roads(site)
        buildings.build_houses(site, self.aliasing)
        greenery.plant_avenues(site)
        greenery.plant_groves(site)
        street.build_lamps(site)
        street.build_fences_and_hedges(site)
        street.build_bus_stops(site)
        return _tiled(site)

    def is_mapped(self, x: float, y: float) -> bool:
        """Tell whether a point is on the mapped route, as a drive's detour is not."""
        return self.network.is_mapped(x, y)


def _tiled(site: Site) -> Scene:
    soup = site.builder.soup()
    tile = np.floor(soup['points'][:, :, :2].mean(axis=1) / TILE_M).astype(np.int64)
    tiles, number = np.unique(tile, axis=0, return_inverse=True)
    number = number.reshape(-1)
    order = np.argsort(number, kind='stable')
    starts = np.concatenate([[0], np.cumsum(np.bincount(number))])
    centres = (tiles + 0.5) * TILE_M
    return Scene(soup[order], centres, starts, np.array(site.lamps), site.sign_texts)
