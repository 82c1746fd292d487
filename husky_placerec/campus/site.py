"""The shared state while a campus is built: roads, terrain, textures, mesh and houses."""

from __future__ import annotations

from dataclasses import dataclass, field
import math

from husky_placerec.campus.mesh import Frame2D, Look, MeshBuilder
from husky_placerec.campus.network import Network
from husky_placerec.campus.signs import Sign
from husky_placerec.campus.terrain import Terrain
from husky_placerec.campus.textures import Textures
import numpy as np


@dataclass(frozen=True)
class House:
    """A house as a box; sizes in metres. Its front is at negative y and faces the road."""

    base: Frame2D
    width: float
    depth: float
    height: float
    look: int  # seed of its walls, tints and roof
    thing: int  # object number

    @property
    def radius(self) -> float:
        """Half the diagonal of the ground plan, in metres."""
        return math.hypot(self.width, self.depth) / 2


@dataclass
class Site:
    """A campus while it is built."""

    network: Network
    terrain: Terrain
    textures: Textures
    rng: np.random.Generator
    builder: MeshBuilder = field(default_factory=MeshBuilder)
    houses: list[House] = field(default_factory=list)
    lamps: list[tuple[float, float, float]] = field(default_factory=list)  # x y z, metres
    signs: int = 0
    placed_signs: dict[int, Sign] = field(default_factory=dict)  # by object number
    _things: int = 0

    def new_thing(self) -> int:
        """Return the number of a new object."""
        self._things += 1
        return self._things

    def plain(self, label: int, tint: tuple[float, float, float], thing: int) -> Look:
        """Return the look of a surface of one colour."""
        return Look(self.textures.layer('white'), label, tint=tint, thing=thing)

    def is_free(self, x: float, y: float, from_road_m: float) -> bool:
        """Tell whether a point is over `from_road_m` from all roads, and outside all houses."""
        return self.network.distance_m((x, y)) > from_road_m and all(
            math.hypot(x - house.base.x, y - house.base.y) > 0.95 * house.radius
            for house in self.houses
        )


def random_tint(rng: np.random.Generator, low: float, high: float) -> tuple[float, float, float]:
    """Return a colour whose channels are drawn independently from `low` to `high`."""
    red, green, blue = (float(channel) for channel in rng.uniform(low, high, 3))
    return red, green, blue
