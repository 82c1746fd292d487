"""Ground, road and what stands along it: lamps, fences, hedges and bus stops."""

from __future__ import annotations

import math

from husky_placerec.campus import labels
from husky_placerec.campus.materials import CONIFER, CUTOUT, EMITTER, GRASS, ROAD
from husky_placerec.campus.route import PAVEMENT_EDGE_M, ROAD_HALF_WIDTH_M, Station
from husky_placerec.campus.site import random_tint, Site
from husky_placerec.campus.soup import Frame2D, Look, UP
import numpy as np

_TEXTURE_M = 8.0  # of road that one texture shows
_KERB_M = 0.15
_STEEL = (0.3, 0.32, 0.33)


def build_ground(site: Site) -> None:
    """Lay lawn as far as one sees."""
    look, side = Look(site.textures.layer('grass'), labels.TERRAIN, GRASS), 40
    for x in range(-320, 320, side):
        for y in range(-320, 320, side):
            ring = [(x, y), (x + side, y), (x + side, y + side), (x, y + side)]
            site.builder.quad([(*corner, -0.05) for corner in ring], look, (0, 0, 8, 8))


def build_road(site: Site) -> None:
    """Lay the road, kerbs and pavements in pieces of about 2 m."""
    layer = site.textures.layer
    edge, kerb = ROAD_HALF_WIDTH_M, ROAD_HALF_WIDTH_M + _KERB_M
    pavement = Look(layer('pavement'), labels.SIDEWALK)
    white = Look(layer('white'), labels.CURB)
    strips = [  # right and left edge, height (metres), look, share of the texture across
        (-edge, edge, 0.0, Look(layer('road'), labels.ROAD, ROAD), 1.0),
        (edge, kerb, 0.03, white, 1.0),
        (-kerb, -edge, 0.03, white, 1.0),
        (kerb, PAVEMENT_EDGE_M, 0.02, pavement, 0.35),
        (-PAVEMENT_EDGE_M, -kerb, 0.02, pavement, 0.35),
    ]
    length = site.route.length_m
    pieces, repeats = round(length / 2), round(length / _TEXTURE_M)
    stations = [site.route.at(length * piece / pieces) for piece in range(pieces)]
    for piece, here in enumerate(stations):
        there = stations[(piece + 1) % pieces]
        v0, v1 = repeats * piece / pieces, repeats * (piece + 1) / pieces
        for right, left, z, look, share in strips:
            corners = [
                _on_ground(here, left, z),
                _on_ground(here, right, z),
                _on_ground(there, right, z),
                _on_ground(there, left, z),
            ]
            site.builder.quad(corners, look, (0, v1, share, v0), normal=UP)


def build_lamps(site: Site) -> None:
    """Set street lamps at even distances, mostly on one side."""
    rng, side = site.rng, 1
    for arc in np.arange(3, site.route.length_m - 10, rng.uniform(24, 34)):
        side = side if rng.random() < 0.7 else -side
        thing = site.new_thing()
        post = site.route.at(arc).beside(4.6 * side)
        head = post.moved(0, -1.6 * side)
        across = Frame2D(post.x, post.y, post.yaw + math.pi / 2)
        arm, lantern = across.moved(-0.8 * side, 0), across.moved(-1.6 * side, 0)
        steel = site.plain(labels.POLE, _STEEL, thing)
        light = Look(
            site.textures.layer('white'), labels.STREET_LIGHT, EMITTER, (1, 0.8, 0.5), thing
        )
        site.builder.box(post, (0.16, 0.16, 6.5), steel)
        site.builder.box(arm, (1.9, 0.1, 0.1), steel, z=6.4)
        site.builder.box(lantern, (0.7, 0.3, 0.15), light, z=6.25)
        site.lamps.append((head.x, head.y, 6.3))


def build_fences_and_hedges(site: Site) -> None:
    """Set five fences and five hedges behind the pavement."""
    rng = site.rng
    for number in range(10):
        start, side = rng.uniform(0, site.route.length_m), int(rng.choice([-1, 1]))
        thing = site.new_thing()
        for arc in np.arange(start, start + rng.uniform(10, 40), 3):
            ends = [site.route.at(arc + along).beside(7.1 * side) for along in (0, 3)]
            if number % 2:
                _hedge(site, ends[0], ends[1], thing)
            else:
                _fence(site, ends[0], ends[1], thing)


def build_bus_stops(site: Site) -> None:
    """Set a few shelters, each with a wall and a roof of its own colour."""
    rng = site.rng
    for _ in range(4):
        station, side = site.route.at(rng.uniform(0, site.route.length_m)), rng.choice([-1, 1])
        paint = site.plain(labels.BUILDING, random_tint(rng, 0.2, 0.9), site.new_thing())
        site.builder.box(station.beside(6.7 * side), (4, 0.1, 2.4), paint)
        site.builder.box(station.beside(6.0 * side), (4.4, 1.8, 0.15), paint, z=2.4)


def _fence(site: Site, start: Frame2D, end: Frame2D, thing: int) -> None:
    look = Look(site.textures.layer('fence'), labels.FENCE, CUTOUT, thing=thing)
    ends = [(start, 0.0), (end, 0.0), (end, 1.5), (start, 1.5)]
    site.builder.quad([(at.x, at.y, z) for at, z in ends], look, (0, 0, 2, 1))


def _hedge(site: Site, start: Frame2D, end: Frame2D, thing: int) -> None:
    look = Look(site.textures.layer('grass'), labels.VEGETATION, CONIFER, (0.45, 0.6, 0.45), thing)
    yaw = math.atan2(end.y - start.y, end.x - start.x)
    middle = Frame2D((start.x + end.x) / 2, (start.y + end.y) / 2, yaw)
    site.builder.box(middle, (3.1, 0.9, 1.1), look, tile_m=(2, 2))


def _on_ground(station: Station, left_m: float, z: float) -> tuple[float, float, float]:
    place = station.beside(left_m)
    return place.x, place.y, z
