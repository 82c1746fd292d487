"""Static changes between drives: repainted facades, scaffolding, heaps of snow or leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
import math

from husky_placerec.campus import labels
from husky_placerec.campus.conditions import AUTUMN, WINTER
from husky_placerec.campus.materials import CUTOUT, FACADE
from husky_placerec.campus.mesh import Frame2D, Look, Mesh, MeshBuilder
from husky_placerec.campus.road import PAVEMENT_EDGE_M, Road
from husky_placerec.campus.scene import Scene
from husky_placerec.campus.site import House, random_tint
from husky_placerec.campus.textures import FACADES, GROUND_FLOORS
from husky_placerec.campus.world import Campus
import numpy as np

_FIRST_THING = 200_000  # above the object numbers of the campus and its traffic
_SCAFFOLD_OFF_M, _SCAFFOLD_TILE_M = 1.3, 6.0
_HEAP_FROM_ROAD_M = 4.9
_HEAP_M = 3.0  # length of kerb per heap
_SNOW: tuple[float, float, float] = (0.78, 0.81, 0.86)
_LEAVES: tuple[float, float, float] = (0.30, 0.16, 0.05)


@dataclass(frozen=True)
class Alterations:
    """
    The share of houses or kerb that each kind of change affects, 0 to 1.

    Drive 0 sees all houses in their original state. The heaps lie elsewhere on each drive.
    """

    changed_facades: float = 0.0  # of the houses; in another paint
    scaffolding: float = 0.0  # of the houses; behind a scaffold
    snow_banks: float = 0.0  # of the kerb; in winter only
    leaves: float = 0.0  # of the kerb, with heaps of leaves; in autumn only


def altered(campus: Campus, changes: Alterations, drive: int, season: int) -> Scene:
    """Return the scene of a campus with the changes of one drive."""
    scene, rng = campus.scene, np.random.default_rng([campus.seed, 14, drive])
    mesh, builder = scene.mesh, MeshBuilder()
    changed, covered = rng.random((2, len(scene.houses))) if drive else np.ones((2, 0))
    repainted = [h for h, at in zip(scene.houses, changed) if at < changes.changed_facades]
    if repainted:
        mesh = _repainted(mesh, repainted, campus, rng)
    for number, (house, at) in enumerate(zip(scene.houses, covered)):
        if at < changes.scaffolding:
            _build_scaffold(builder, house, campus, _FIRST_THING + number)
    heaps = {WINTER: changes.snow_banks, AUTUMN: changes.leaves}.get(season, 0.0)
    if heaps:
        _heap_up(builder, campus, heaps, season, rng)
    added = campus.terrain.set_foot(builder.mesh())
    return Scene.of(np.concatenate([mesh, added]), scene.lamps, scene.signs, scene.houses)


def _repainted(mesh: Mesh, houses: list[House], campus: Campus, rng: np.random.Generator) -> Mesh:
    mesh, textures = mesh.copy(), campus.textures
    walls = mesh['material'] == FACADE
    for house in houses:
        tint = random_tint(rng, 0.7, 1.15)
        mine = walls & (mesh['thing'] == house.thing)
        for kind, count in (('facade', FACADES), ('ground_floor', GROUND_FLOORS)):
            first = textures.layer(kind)
            part = mine & (mesh['layer'] >= first) & (mesh['layer'] < first + count)
            layer = first + int(rng.integers(count))
            mesh['layer'][part], mesh['tint'][part] = layer, tint
            mesh['columns'][part], mesh['rows'][part] = textures.windows[layer]
    return mesh


def _build_scaffold(builder: MeshBuilder, house: House, campus: Campus, thing: int) -> None:
    """Put scaffolding in front of three sides of a house: its front and both ends."""
    look = Look(campus.textures.layer('scaffold'), labels.BUILDING, CUTOUT, thing=thing)
    x, y = house.width / 2 + _SCAFFOLD_OFF_M, house.depth / 2 + _SCAFFOLD_OFF_M
    ring = [(-x, y), (-x, -y), (x, -y), (x, y)]
    for (x0, y0), (x1, y1) in pairwise(ring):
        across = max(1, round(math.hypot(x1 - x0, y1 - y0) / _SCAFFOLD_TILE_M))
        up = max(1, round(house.height / _SCAFFOLD_TILE_M))
        ends = [(x0, y0, 0.0), (x1, y1, 0.0), (x1, y1, house.height), (x0, y0, house.height)]
        builder.quad([house.base.world(*end) for end in ends], look, (0, 0, across, up))


def _heap_up(
    builder: MeshBuilder, campus: Campus, share: float, season: int, rng: np.random.Generator
) -> None:
    white = campus.textures.layer('white')
    if season == WINTER:
        look, tallest_m = Look(white, labels.SNOW, tint=_SNOW), 1.1
    else:
        look, tallest_m = Look(white, labels.TERRAIN, tint=_LEAVES), 0.6
    for road in campus.network.roads:
        for base in _heaps(campus, road, share, rng):
            height = tallest_m * rng.uniform(0.4, 1.0)
            width = rng.uniform(0.9, 1.5)
            builder.box(base, (_HEAP_M * 1.05, width, height), look, taper=rng.uniform(0.3, 0.6))


def _heaps(
    campus: Campus, road: Road, share: float, rng: np.random.Generator
) -> Iterator[Frame2D]:
    """Yield the places of heaps along a road; they lie in runs, as a snow plough leaves them."""
    for side in (1, -1):
        arc = 0.0
        while arc < road.length_m:
            run = rng.uniform(6, 30)
            if rng.random() < share:
                for at in np.arange(arc, min(arc + run, road.length_m), _HEAP_M):
                    spot = road.at(float(at)).beside(side * _HEAP_FROM_ROAD_M)
                    if campus.network.distance_m((spot.x, spot.y), road) > PAVEMENT_EDGE_M:
                        yield campus.terrain.standing(spot)
            arc += run
