"""The roads of a simulated campus and what keeps clear of them: nothing is rendered."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from husky_placerec.campus import buildings, greenery, labels, street
from husky_placerec.campus.drive_path import drive_poses
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.network import Network
from husky_placerec.campus.site import Site
from husky_placerec.campus.terrain import Terrain
from husky_placerec.campus.traffic import Traffic
from husky_placerec.campus.world import Campus
import numpy as np
import pytest

NEEDS = ('numba',)

SEEDS = (0, 1, 2, 7)
DETOUR = DriveConfig(length_m=500.0, step_m=1.0, detour=True)


@pytest.fixture(scope='module')
def campus() -> Campus:
    return Campus(DETOUR.seed)


@pytest.fixture(scope='module', params=(0, 1))
def site(request: pytest.FixtureRequest, campus: Campus) -> Site:
    """Build the houses of other seeds; what is painted on them does not matter."""
    rng = np.random.default_rng(request.param)
    site = Site(Network(request.param), Terrain(request.param), campus.textures, rng)
    buildings.build_houses(site)
    return site


@pytest.mark.parametrize('seed', SEEDS)
def test_side_roads_leave_the_route_and_come_back(seed: int) -> None:
    network = Network(seed)
    assert network.route.length_m > 700
    assert len(network.roads) == 4
    for side in network.sides:
        for arc, on_route in ((0.0, side.leaves_m), (side.road.length_m, side.returns_m)):
            here, there = side.road.at(arc), network.route.at(on_route)
            assert np.hypot(here.x - there.x, here.y - there.y) < 0.5
            assert np.cos(here.yaw - there.yaw) > 0.99
        middle = side.road.at(side.road.length_m / 2)
        assert network.route.distance_m((middle.x, middle.y)) > 25
        assert side.road.least_radius_m() > 12
    chord, loop = (side.road.at(side.road.length_m / 2) for side in network.sides)
    assert np.hypot(chord.x, chord.y) < np.hypot(loop.x, loop.y)


def test_only_the_route_is_mapped(campus: Campus) -> None:
    for arc in range(0, 700, 50):
        for left_m, expected in ((0, True), (9, True), (-9, True), (30, None)):
            place = campus.route.at(arc).beside(left_m)
            assert expected is None or campus.is_mapped(place.x, place.y) == expected
    for side in campus.network.sides:
        middle = side.road.at(side.road.length_m / 2)
        assert not campus.is_mapped(middle.x, middle.y)


@pytest.mark.parametrize('reverse', [False, True])
@pytest.mark.parametrize('length_m', [90.0, 200.0, 300.0, 350.0, 500.0, 700.0])
def test_a_third_of_a_detour_is_unmapped(campus: Campus, length_m: float, reverse: bool) -> None:
    config = replace(DETOUR, length_m=length_m, reverse=reverse)
    mapped = [campus.is_mapped(at.pose.x, at.pose.y) for at in drive_poses(campus, config)]
    assert 0.25 < mapped.count(False) / len(mapped) < 0.42
    changes = sum(a != b for a, b in pairwise(mapped))
    if length_m >= 350:
        assert mapped[0] and mapped[-1]
        assert changes == 2  # leaves once, comes back once
    else:  # too short to come back
        assert changes == 1
        assert mapped[-1 if reverse else 0]


@pytest.mark.parametrize('seed', SEEDS)
@pytest.mark.parametrize('detour', [False, True])
@pytest.mark.parametrize('reverse', [False, True])
def test_the_way_is_continuous(seed: int, detour: bool, reverse: bool) -> None:
    config = DriveConfig(seed=seed, length_m=900.0, step_m=1.0, detour=detour, reverse=reverse)
    poses = [timed.pose for timed in drive_poses(Campus(seed), config)]
    for before, after in pairwise(poses):
        assert 0.7 < before.distance_m(after) < 1.2
        assert abs(np.degrees(2 * np.arcsin(_turn(before, after)))) < 35


def _turn(before, after):
    return before.qw * after.qz - before.qz * after.qw


def test_houses_are_off_all_roads_and_line_each(site: Site) -> None:
    for house in site.houses:
        sides = np.linspace(-0.5, 0.5, 25)
        points = [
            house.base.world(x * house.width, y * house.depth)[:2] for x in sides for y in sides
        ]
        assert site.network.distance_m(np.array(points)) > 7.0
    centres = np.array([(house.base.x, house.base.y) for house in site.houses])
    for road in site.network.roads:
        assert (road.distances_m(centres) < 30).sum() > road.length_m / 40


def test_what_stands_is_off_the_asphalt(site: Site) -> None:
    street.build_roads(site)
    greenery.plant_avenues(site)
    greenery.plant_groves(site)
    street.build_lamps(site)
    street.build_fences_and_hedges(site)
    street.build_bus_stops(site)
    mesh = site.builder.mesh()
    low = mesh['points'][:, :, 2].max(axis=1) < 2.3  # what is above may hang over
    standing = low & ~np.isin(mesh['label'], (labels.ROAD, labels.SIDEWALK, labels.TERRAIN))
    standing &= mesh['label'] != labels.VEGETATION  # twigs may, trunks are tested by their spots
    points = mesh['points'][standing].mean(axis=1)[:, :2].astype(float)
    assert site.network.distance_m(points) > 3.0


def test_side_roads_have_traffic(campus: Campus) -> None:
    for side in campus.network.sides:
        middle = side.road.at(side.road.length_m / 2)
        people_and_cars = Traffic(campus, 0, 2.0).seen_from(middle.x, middle.y, 0.0)
        points = people_and_cars['points'].mean(axis=1)[:, :2].astype(float)
        on_side = side.road.distances_m(points) < 7
        for kinds in ((labels.CAR, labels.TRUCK), (labels.PERSON,)):
            assert (on_side & np.isin(people_and_cars['label'], kinds)).any()
