"""A campus: its roads, terrain, textures and static scene."""

from __future__ import annotations

from functools import cached_property

from husky_placerec.campus import buildings, greenery, street
from husky_placerec.campus.network import Network
from husky_placerec.campus.route import Route, USUAL_LENGTH_M
from husky_placerec.campus.scene import Scene
from husky_placerec.campus.site import Site
from husky_placerec.campus.terrain import Terrain
from husky_placerec.campus.textures import Textures
from husky_placerec.errors import InputError
import numpy as np

_SIGN_SHEETS = 15  # textures of signs on a route of USUAL_LENGTH_M
_RANGES = {'aliasing': (0.0, 1.0), 'route_m': (USUAL_LENGTH_M, 5000.0), 'style': (0, 10**6)}


class Campus:
    """The campus of one seed; its parts are built on first access."""

    def __init__(
        self,
        seed: int,
        *,
        aliasing: float = 0.3,
        route_m: float = USUAL_LENGTH_M,
        style: int = 0,
    ) -> None:
        """
        Check the parameters; the same parameters always make the same campus.

        :param aliasing: share of the runs of houses that repeat an earlier run, 0 to 1.
        :param route_m: minimum length of the mapped route.
        :param style: another style repaints all textures; 0 has walls of the usual colours.
        :raises InputError: for a parameter out of range.
        """
        for name, value in (('aliasing', aliasing), ('route_m', route_m), ('style', style)):
            least, most = _RANGES[name]
            if not least <= value <= most:
                raise InputError(f'{name} is {value}; expected {least:g} to {most:g}')
        self.seed, self.aliasing, self.route_m, self.style = seed, aliasing, route_m, style

    @property
    def route(self) -> Route:
        """The mapped route, which drives follow except on detours."""
        return self.network.route

    @cached_property
    def network(self) -> Network:
        """All roads."""
        return Network(self.seed, self.route_m)

    @cached_property
    def terrain(self) -> Terrain:
        """The height of the ground."""
        return Terrain(self.seed)

    @cached_property
    def textures(self) -> Textures:
        """The textures of all surfaces."""
        sheets = round(_SIGN_SHEETS * self.route_m / USUAL_LENGTH_M)
        return Textures(self.seed, self.style, sheets)

    @cached_property
    def scene(self) -> Scene:
        """All static triangles, lamps, signs and houses."""
        rng = np.random.default_rng([self.seed, 3])
        site = Site(self.network, self.terrain, self.textures, rng)
        street.build_ground(site)
        street.build_roads(site)
        buildings.build_houses(site, self.aliasing)
        greenery.plant_avenues(site)
        greenery.plant_groves(site)
        street.build_lamps(site)
        street.build_fences_and_hedges(site)
        street.build_bus_stops(site)
        mesh = self.terrain.set_foot(site.builder.mesh())
        return Scene.of(mesh, np.array(site.lamps), site.placed_signs, tuple(site.houses))

    def is_mapped(self, x: float, y: float) -> bool:
        """Tell whether a point is on the mapped route; the detour of a drive is not."""
        return self.network.is_mapped(x, y)
