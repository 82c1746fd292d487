"""Houses on both sides of the roads, with roofs, porches and signs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
import math

from husky_placerec.campus import labels
from husky_placerec.campus.facades import GROUND_FLOOR_M, STOREYS_M, WIDTH_M
from husky_placerec.campus.house_plans import house_plans, HousePlan
from husky_placerec.campus.materials import FACADE, SIGN
from husky_placerec.campus.mesh import Frame2D, Look, Point
from husky_placerec.campus.numeric import Colour
from husky_placerec.campus.road import Road, Station
from husky_placerec.campus.signs import Sign
from husky_placerec.campus.site import House, random_tint, Site
from husky_placerec.campus.textures import FACADES, GROUND_FLOORS, sign_place
import numpy as np

_ROOF_TINTS = [(1.0, 0.55, 0.45), (1.0, 1.0, 1.0), (0.6, 0.75, 0.7), (0.7, 0.6, 0.6)]
_CLEAR_OF_ROAD_M = 8.0
_PLINTH_M = 2.0  # depth below the ground floor; visible where the ground falls away
_SHIFTS_M = (0.0, 4.0, 8.0)  # along the road, tried in turn until the house fits


def build_houses(site: Site, aliasing: float = 0.0) -> None:
    """
    Build houses on both sides of the roads, with gaps and a few open lawns.

    :param aliasing: the share of runs of houses that repeat an earlier run, 0 to 1.
    """
    plans = house_plans(site.rng, aliasing)
    for road in site.network.roads:
        for side in (1, -1):
            _line_with_houses(site, road, side, plans)


def _line_with_houses(site: Site, road: Road, side: int, plans: Iterator[HousePlan]) -> None:
    arc = site.rng.uniform(0, 10)
    while arc < road.length_m - 12:
        plan = next(plans)
        for shift_m in _SHIFTS_M:
            house = _house(site, plan, road.at(arc + shift_m + plan.width_m / 2), side)
            if _fits(site, house):
                site.houses.append(house)
                _build(site, house)
                arc += shift_m + plan.width_m + plan.gap_m
                break
        else:
            arc += _SHIFTS_M[-1]


def _house(site: Site, plan: HousePlan, station: Station, side: int) -> House:
    centre = station.beside(side * (plan.setback_m + plan.depth_m / 2))
    yaw = centre.yaw if side > 0 else centre.yaw + math.pi
    base = site.terrain.standing(Frame2D(centre.x, centre.y, yaw))
    return House(base, plan.width_m, plan.depth_m, plan.height_m, plan.look, site.new_thing())


def _fits(site: Site, house: House) -> bool:
    outline = [
        house.base.world(x * house.width / 2, y * house.depth / 2)[:2]
        for x in (-1, -0.5, 0, 0.5, 1)
        for y in (-1, 0, 1)
    ]
    if site.network.distance_m(np.array(outline)) < _CLEAR_OF_ROAD_M:
        return False
    return all(
        math.hypot(house.base.x - other.base.x, house.base.y - other.base.y)
        > 0.75 * (house.radius + other.radius)
        for other in site.houses
    )


def _build(site: Site, house: House) -> None:
    rng, textures, thing = np.random.default_rng(house.look), site.textures, house.thing
    shade = rng.uniform(0.8, 1.15)
    red, green, blue = random_tint(rng, 0.93, 1.07)
    tint = (red * shade, green * shade, blue * shade)
    roof_tint = _ROOF_TINTS[int(rng.integers(len(_ROOF_TINTS)))]
    roof = Look(textures.layer('roof'), labels.BUILDING, tint=roof_tint, thing=thing)

    def wall(kind: str, count: int) -> Look:
        layer = textures.layer(kind, int(rng.integers(count)))
        return Look(layer, labels.BUILDING, FACADE, tint, thing, textures.windows[layer])

    footprint = (house.width, house.depth)
    plinth = site.plain(labels.BUILDING, _darker(tint, 0.45), thing)
    site.builder.box(house.base, (*footprint, _PLINTH_M), plinth, z=-_PLINTH_M)
    ground_floor = wall('ground_floor', GROUND_FLOORS)
    site.builder.box(
        house.base, (*footprint, GROUND_FLOOR_M), ground_floor, tile_m=(WIDTH_M, GROUND_FLOOR_M)
    )
    site.builder.box(
        house.base,
        (*footprint, house.height - GROUND_FLOOR_M),
        wall('facade', FACADES),
        z=GROUND_FLOOR_M,
        top=roof,
        tile_m=(WIDTH_M, STOREYS_M),
    )
    _build_roof(site, house, roof, tint, rng)
    # Houses that look alike have signs of their own.
    if site.rng.random() < 0.75 and site.signs < len(site.textures.sign_texts):
        _put_sign(site, house)
    if rng.random() < 0.4:
        porch = house.base.moved(rng.uniform(-0.25, 0.25) * house.width, -house.depth / 2 - 1)
        site.builder.box(
            porch, (4, 2.4, 3.3), site.plain(labels.BUILDING, _darker(tint, 0.75), thing)
        )


def _build_roof(
    site: Site, house: House, roof: Look, tint: Colour, rng: np.random.Generator
) -> None:
    kind = rng.random()
    if kind < 0.4:  # pitched
        size = (house.width + 0.8, house.depth + 0.8, rng.uniform(2, 4.5))
        site.builder.box(house.base, size, roof, z=house.height, taper=rng.uniform(0.3, 0.6))
    elif kind < 0.8:  # flat, with a parapet and a machine room
        parapet = site.plain(labels.BUILDING, _darker(tint, 0.6), roof.thing)
        size = (house.width + 0.4, house.depth + 0.4, 0.7)
        site.builder.box(house.base, size, parapet, z=house.height)
        room = house.base.moved(*rng.uniform(-3, 3, 2))
        paint = site.plain(labels.BUILDING, (0.6, 0.6, 0.62), roof.thing)
        site.builder.box(room, (4, 3, 2.5), paint, z=house.height)


def _put_sign(site: Site, house: House) -> None:
    """Put a sign on the front and often a second one, which sticks out from a corner."""
    rng, front = site.rng, -house.depth / 2
    layer, rectangle = sign_place(site.textures, site.signs)
    width, bottom = rng.uniform(4, 8), rng.uniform(2.9, 4.0)
    left = rng.uniform(-house.width / 2, house.width / 2 - width)
    top = bottom + width / 4
    ends = [(left, bottom), (left + width, bottom), (left + width, top), (left, top)]
    corners = [house.base.world(x, front - 0.15, z) for x, z in ends]
    site.builder.quad(corners, _sign_look(site, layer, [corners]), rectangle)
    if rng.random() < 0.7:
        x = (house.width / 2 + 0.02) * float(rng.choice([-1, 1]))
        near, far = front - 0.2, front - 3.2
        faces = []
        for aside, (start, end) in ((-0.04, (near, far)), (0.04, (far, near))):
            ends = [(start, 2.6), (end, 2.6), (end, 3.4), (start, 3.4)]
            faces.append([house.base.world(x + aside, y, z) for y, z in ends])
        look = _sign_look(site, layer, faces)
        for corners in faces:
            site.builder.quad(corners, look, rectangle)
    site.signs += 1


def _sign_look(site: Site, layer: int, faces: Sequence[Sequence[Point]]) -> Look:
    """
    Return the look of the next sign as a new object, and record that object.

    :param faces: the corners of each face, in the order of `MeshBuilder.quad`.
    """
    look = Look(layer, labels.BILLBOARD, SIGN, thing=site.new_thing())
    corners = tuple(np.array(face)[::-1] for face in faces)
    site.placed_signs[look.thing] = Sign(site.textures.sign_texts[site.signs], corners)
    return look


def _darker(tint: Colour, factor: float) -> Colour:
    return tint[0] * factor, tint[1] * factor, tint[2] * factor
