"""Trees along the roads, groves and bushes; each plant is three crossed cut-outs."""

from __future__ import annotations

import math

from husky_placerec.campus import labels
from husky_placerec.campus.materials import CONIFER, LEAF
from husky_placerec.campus.mesh import Look, Point
from husky_placerec.campus.road import Road
from husky_placerec.campus.site import random_tint, Site
from husky_placerec.campus.textures import CONIFERS, LEAFY_TREES
import numpy as np

_FROM_ROAD_M = 9.0
_TREES_PER_M2 = 0.0035
_GROVES_BEYOND_M = 60.0  # how far groves extend beyond the roads
_FARTHEST_TREE_M = 90.0


def plant_avenues(site: Site) -> None:
    """Plant rows of trees behind the pavements; the species changes every 30 to 80 m."""
    for road in site.network.roads:
        _line_with_trees(site, road)


def _line_with_trees(site: Site, road: Road) -> None:
    rng, arc = site.rng, 0.0
    while arc < road.length_m - 6:
        kind = str(rng.choice(['leaf', 'leaf', 'conifer', 'none']))
        run, spacing = rng.uniform(30, 80), rng.uniform(7, 13)
        sides = [(1, -1), (1,), (-1,)][int(rng.integers(3))]
        for tree in np.arange(arc, min(arc + run, road.length_m), spacing):
            for side in sides:
                station = road.at(tree + rng.uniform(-1, 1))
                spot = station.beside(side * (8.0 + rng.uniform(-0.4, 1.2)))
                if kind != 'none' and site.is_free(spot.x, spot.y, 7):
                    _plant(site, spot.x, spot.y, kind)
        arc += run


def plant_groves(site: Site) -> None:
    """Scatter trees and bushes over the free ground that is visible from a road."""
    half_side_m = site.network.extent_m + _GROVES_BEYOND_M
    for _ in range(round(_TREES_PER_M2 * (2 * half_side_m) ** 2)):
        x, y = site.rng.uniform(-half_side_m, half_side_m, 2)
        near = site.network.distance_m((x, y)) < _FARTHEST_TREE_M
        if near and site.is_free(x, y, _FROM_ROAD_M):
            _plant(site, x, y, str(site.rng.choice(['leaf', 'conifer', 'leaf', 'bush', 'bush'])))


def _plant(site: Site, x: float, y: float, kind: str) -> None:
    rng = site.rng
    height = rng.uniform(1.2, 2.2) if kind == 'bush' else rng.uniform(6, 11)
    half_width = height * (0.55 if kind == 'conifer' else 0.8) / 2
    ground = float(site.terrain.height(x, y))
    # A bush is a tree whose trunk is below the ground.
    bottom = ground - 0.45 * height if kind == 'bush' else ground
    look = _look(site, kind)
    # All three cut-outs have a normal that points up: equal light hides that they are flat.
    normal: Point = (0, 0, 1) if kind == 'conifer' else (0, 0, 0.9)
    first = rng.uniform(0, math.pi)
    for angle in (first, first + math.pi / 3, first + 2 * math.pi / 3):
        dx, dy = half_width * math.cos(angle), half_width * math.sin(angle)
        top = bottom + height
        corners = [
            (x - dx, y - dy, bottom),
            (x + dx, y + dy, bottom),
            (x + dx, y + dy, top),
            (x - dx, y - dy, top),
        ]
        site.builder.quad(corners, look, normal=normal)


def _look(site: Site, kind: str) -> Look:
    rng, thing = site.rng, site.new_thing()
    tint = random_tint(rng, 0.8, 1.2)
    if kind == 'conifer':
        layer = site.textures.layer('conifer', int(rng.integers(CONIFERS)))
        return Look(layer, labels.VEGETATION, CONIFER, tint, thing)
    layer = site.textures.layer('leaf', int(rng.integers(LEAFY_TREES)))
    return Look(layer, labels.VEGETATION, LEAF, tint, thing)
