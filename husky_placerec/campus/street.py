"""The ground, the roads, and the lamps, fences, hedges and bus stops along them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
import math

from husky_placerec.campus import labels
from husky_placerec.campus.materials import CONIFER, CUTOUT, EMITTER, GRASS, ROAD
from husky_placerec.campus.mesh import Frame2D, Look, Point, UP
from husky_placerec.campus.road import PAVEMENT_EDGE_M, Road, ROAD_HALF_WIDTH_M
from husky_placerec.campus.site import random_tint, Site
import numpy as np

_TEXTURE_M = 8.0  # length of road per texture
_KERB_M = 0.15
# Lawn consists of flat squares that deviate from the terrain by a few centimetres. So it lies
# lower than the roads.
_LAWN_M = 16.0  # side of a square
_LAWN_BELOW_M = 0.12
_LAWN_BEYOND_M = 220.0  # how far lawn extends beyond the roads
_STEEL = (0.3, 0.32, 0.33)


def build_ground(site: Site) -> None:
    """Cover the visible ground with lawn."""
    look, side = Look(site.textures.layer('grass'), labels.TERRAIN, GRASS), _LAWN_M
    edge = math.ceil((site.network.extent_m + _LAWN_BEYOND_M) / side)
    for column in range(-edge, edge):
        for row in range(-edge, edge):
            x, y = column * side, row * side
            ring = np.array([(x, y), (x + side, y), (x + side, y + side), (x, y + side)])
            heights = site.terrain.height(*ring.T) - _LAWN_BELOW_M
            corners = [(*at, z) for at, z in zip(ring.tolist(), heights.tolist())]
            site.builder.quad(corners, look, (0, 0, side / 5, side / 5))


def build_roads(site: Site) -> None:
    """Build the roads with kerbs and pavements, in pieces of about 2 m."""
    for number, road in enumerate(site.network.roads):
        # At junctions asphalt hides pavements, and an earlier road hides a later one.
        _build_road(site, road, -0.005 * number)


def _build_road(site: Site, road: Road, z: float) -> None:
    pieces, repeats = round(road.length_m / 2), round(road.length_m / _TEXTURE_M)
    stations = [road.at(road.length_m * piece / pieces) for piece in range(pieces + 1)]
    strips = _strips(site)
    edges = {left_m for strip in strips for left_m in strip[:2]}
    lines = {
        left_m: [site.terrain.standing(station.beside(left_m)) for station in stations]
        for left_m in edges
    }
    for right, left, above, look, share in strips:
        for piece in range(pieces):
            v0, v1 = repeats * piece / pieces, repeats * (piece + 1) / pieces
            ends = (
                lines[left][piece],
                lines[right][piece],
                lines[right][piece + 1],
                lines[left][piece + 1],
            )
            corners = [end.world(0, 0, z + above) for end in ends]
            if look.label != labels.CURB or _is_clear(site, road, corners):
                site.builder.quad(corners, look, (0, v1, share, v0), normal=UP)


def _strips(site: Site) -> list[tuple[float, float, float, Look, float]]:
    """Return per strip: right and left edge, height (m), look, share of the texture width."""
    layer = site.textures.layer
    edge, kerb = ROAD_HALF_WIDTH_M, ROAD_HALF_WIDTH_M + _KERB_M
    pavement = Look(layer('pavement'), labels.SIDEWALK)
    white = Look(layer('white'), labels.CURB)
    return [
        (-edge, edge, 0.0, Look(layer('road'), labels.ROAD, ROAD), 1.0),
        (edge, kerb, 0.03, white, 1.0),
        (-kerb, -edge, 0.03, white, 1.0),
        (edge, PAVEMENT_EDGE_M, -0.02, pavement, 0.35),
        (-PAVEMENT_EDGE_M, -edge, -0.02, pavement, 0.35),
    ]


def _is_clear(site: Site, road: Road, corners: Sequence[Point]) -> bool:
    """Tell whether a piece of kerb is outside the asphalt of all other roads."""
    middle = np.mean(corners, axis=0)[:2]
    return site.network.distance_m(middle, without=road) > ROAD_HALF_WIDTH_M


def build_lamps(site: Site) -> None:
    """Build street lamps at regular distances, mostly on one side of a road."""
    for road in site.network.roads:
        _line_with_lamps(site, road)


def _line_with_lamps(site: Site, road: Road) -> None:
    rng, side = site.rng, 1
    for arc in np.arange(3, road.length_m - 10, rng.uniform(24, 34)):
        side = side if rng.random() < 0.7 else -side
        post = site.terrain.standing(road.at(arc).beside(4.6 * side))
        if site.network.distance_m((post.x, post.y), without=road) < PAVEMENT_EDGE_M:
            continue
        thing = site.new_thing()
        head = post.moved(0, -1.6 * side)
        across = replace(post, yaw=post.yaw + math.pi / 2)
        arm, lantern = across.moved(-0.8 * side, 0), across.moved(-1.6 * side, 0)
        steel = site.plain(labels.POLE, _STEEL, thing)
        light = Look(
            site.textures.layer('white'), labels.STREET_LIGHT, EMITTER, (1, 0.8, 0.5), thing
        )
        site.builder.box(post, (0.16, 0.16, 6.5), steel)
        site.builder.box(arm, (1.9, 0.1, 0.1), steel, z=6.4)
        site.builder.box(lantern, (0.7, 0.3, 0.15), light, z=6.25)
        site.lamps.append(head.world(0, 0, 6.3))


def build_fences_and_hedges(site: Site) -> None:
    """Build seven fences and seven hedges behind the pavements."""
    rng = site.rng
    for number in range(14):
        road, side = site.network.any_road(rng), int(rng.choice([-1, 1]))
        start, thing = rng.uniform(0, road.length_m), site.new_thing()
        for arc in np.arange(start, start + rng.uniform(10, 40), 3):
            ends = [
                site.terrain.standing(road.at(arc + along).beside(7.1 * side)) for along in (0, 3)
            ]
            places = np.array([(end.x, end.y) for end in ends])
            if site.network.distance_m(places) < PAVEMENT_EDGE_M:
                break  # at another road, or at the end of this one
            if number % 2:
                _hedge(site, ends[0], ends[1], thing)
            else:
                _fence(site, ends[0], ends[1], thing)


def build_bus_stops(site: Site) -> None:
    """Build a few shelters; each has a wall and a roof in a random colour."""
    rng = site.rng
    for _ in range(6):
        road, side = site.network.any_road(rng), rng.choice([-1, 1])
        station = road.at(rng.uniform(0, road.length_m))
        if site.network.distance_m((station.x, station.y), without=road) < 3 * PAVEMENT_EDGE_M:
            continue
        paint = site.plain(labels.BUILDING, random_tint(rng, 0.2, 0.9), site.new_thing())
        wall = site.terrain.standing(station.beside(6.7 * side))
        site.builder.box(wall, (4, 0.1, 2.4), paint)
        site.builder.box(wall.moved(0, -0.7 * side), (4.4, 1.8, 0.15), paint, z=2.4)


def _fence(site: Site, start: Frame2D, end: Frame2D, thing: int) -> None:
    look = Look(site.textures.layer('fence'), labels.FENCE, CUTOUT, thing=thing)
    ends = [(start, 0.0), (end, 0.0), (end, 1.5), (start, 1.5)]
    site.builder.quad([at.world(0, 0, z) for at, z in ends], look, (0, 0, 2, 1))


def _hedge(site: Site, start: Frame2D, end: Frame2D, thing: int) -> None:
    look = Look(site.textures.layer('grass'), labels.VEGETATION, CONIFER, (0.45, 0.6, 0.45), thing)
    yaw = math.atan2(end.y - start.y, end.x - start.x)
    middle = Frame2D((start.x + end.x) / 2, (start.y + end.y) / 2, yaw, (start.z + end.z) / 2)
    site.builder.box(middle, (3.1, 0.9, 1.1), look, tile_m=(2, 2))
