"""How hard drives on a campus are made: slopes, lanes, what changes between drives, protocols."""

from __future__ import annotations

from dataclasses import replace
import math

import cv2
from husky_placerec.campus import labels
from husky_placerec.campus.alterations import Alterations, altered
from husky_placerec.campus.avenue import crossings
from husky_placerec.campus.conditions import AUTUMN, SUMMER, WINTER
from husky_placerec.campus.drive_path import drive_poses
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.materials import CUTOUT, FACADE
from husky_placerec.campus.mesh import Frame2D
from husky_placerec.campus.network import Network
from husky_placerec.campus.protocols import drive_of, PROTOCOLS
from husky_placerec.campus.terrain import STEEPEST, Terrain
from husky_placerec.campus.traffic import Traffic
from husky_placerec.campus.world import Campus
from husky_placerec.errors import InputError
import numpy as np
import pytest

NEEDS = ('numba',)


@pytest.fixture(scope='module')
def campus() -> Campus:
    return Campus(2)


@pytest.mark.parametrize('seed', range(5))
def test_slopes_are_gentle_but_there(seed: int) -> None:
    terrain, network = Terrain(seed), Network(seed)
    heights = terrain.height(*network.route.points.T)
    assert 1.0 < np.ptp(heights) < 15.0
    slopes = [math.hypot(*terrain.slope(x, y)) for x, y in network.route.points[::10]]
    assert 0.01 < max(slopes) <= STEEPEST


def test_the_slope_is_that_of_the_height() -> None:
    terrain = Terrain(1)
    step = 1e-3
    for x, y in ((0.0, 0.0), (80.0, -35.0)):
        east = float(terrain.height(x + step, y) - terrain.height(x - step, y)) / (2 * step)
        north = float(terrain.height(x, y + step) - terrain.height(x, y - step)) / (2 * step)
        assert terrain.slope(x, y) == pytest.approx((east, north), abs=1e-6)


def test_the_robot_stands_on_the_ground_and_keeps_its_heading(campus: Campus) -> None:
    yaw = 0.7
    pose = campus.terrain.pose(40.0, -25.0, yaw)
    assert pose.rotation.as_euler('ZYX')[0] == pytest.approx(yaw)
    assert pose.z == pytest.approx(float(campus.terrain.height(40.0, -25.0)))
    ahead = pose.rotation.apply([1.0, 0.0, 0.0])
    there = campus.terrain.height(40.0 + 0.01 * ahead[0], -25.0 + 0.01 * ahead[1])
    assert float(there) == pytest.approx(pose.z + 0.01 * ahead[2], abs=1e-6)
    standing = campus.terrain.standing(Frame2D(40.0, -25.0, yaw))
    assert standing.world(0, 0, 1.5)[2] == pytest.approx(pose.z + 1.5)


@pytest.mark.parametrize('route_m', [720.0, 2000.0])
@pytest.mark.parametrize('seed', [1, 2, 3])
def test_an_avenue_makes_crossroads_of_the_route(seed: int, route_m: float) -> None:
    network = Network(seed, route_m)
    assert network.route.length_m >= route_m
    places, angles = crossings(network.avenue.points, network.route)
    assert len(places) == 2
    assert angles.min() > 45
    for place in places:
        assert network.avenue.distance_m(tuple(place)) < 1.5
        inside = [network.avenue.at(arc) for arc in (0.0, network.avenue.length_m)]
        assert all(np.hypot(at.x - place[0], at.y - place[1]) > 40 for at in inside)


def test_lanes_are_changed_there_and_back(campus: Campus) -> None:
    usual = DriveConfig(seed=2, length_m=700.0, step_m=1.0)
    changing = replace(usual, lane_change_m=2.6)
    aside = np.array(
        [
            a.pose.distance_m(b.pose)
            for a, b in zip(drive_poses(campus, usual), drive_poses(campus, changing), strict=True)
        ]
    )
    assert aside.max() == pytest.approx(2.6, abs=0.05)
    assert 0.2 < (aside > 2.0).mean() < 0.9
    assert (aside < 0.2).mean() > 0.05
    assert np.abs(np.diff(aside)).max() < 0.4  # no jumps


def test_facades_change_on_every_drive_but_the_first(campus: Campus) -> None:
    built = campus.scene
    changes = Alterations(changed_facades=0.3)
    np.testing.assert_array_equal(altered(campus, changes, 0, SUMMER).mesh, built.mesh)
    shares = []
    for drive in (1, 2):
        mesh = altered(campus, changes, drive, SUMMER).mesh
        walls = built.mesh['material'] == FACADE
        np.testing.assert_array_equal(mesh['points'], built.mesh['points'])
        other = (mesh['tint'] != built.mesh['tint']).any(axis=1)
        assert not other[~walls].any()
        houses = [set(built.mesh['thing'][chosen].tolist()) for chosen in (walls & other, walls)]
        shares.append(len(houses[0]) / len(houses[1]))
        again = altered(campus, changes, drive, SUMMER).mesh
        np.testing.assert_array_equal(mesh, again)
    assert all(0.15 < share < 0.45 for share in shares)


def test_scaffolding_stands_before_houses(campus: Campus) -> None:
    scene = altered(campus, Alterations(scaffolding=0.3), 1, SUMMER)
    added = scene.mesh[scene.mesh['thing'] >= 200_000]
    assert len(added) and (added['material'] == CUTOUT).all()
    houses = len(set(added['thing'].tolist()))
    assert 0.15 < houses / len(scene.houses) < 0.45


@pytest.mark.parametrize(
    ('season', 'label'), [(WINTER, labels.SNOW), (AUTUMN, labels.TERRAIN), (SUMMER, None)]
)
def test_heaps_lie_at_the_kerb_in_their_season(
    campus: Campus, season: int, label: int | None
) -> None:
    before = len(campus.scene.mesh)
    changes = Alterations(snow_banks=0.3, leaves=0.3)
    scene = altered(campus, changes, 0, season)
    if label is None:
        assert len(scene.mesh) == before
        return
    count = (scene.mesh['label'] == label).sum() - (campus.scene.mesh['label'] == label).sum()
    assert count == len(scene.mesh) - before > 100
    other = altered(campus, changes, 1, season)
    assert len(other.mesh) != len(scene.mesh)


def test_lorries_are_parked_on_all_roads_and_tall(campus: Campus) -> None:
    place = campus.route.at(100.0)
    without, with_them = (
        Traffic(campus, 1, 0.0, share).seen_from(place.x, place.y, 0.0) for share in (0.0, 0.5)
    )
    assert len(without) == 0
    assert set(with_them['label'].tolist()) == {labels.TRUCK}
    above = with_them['points'][..., 2] - with_them['foot'][:, None]
    assert 3.0 < above.max() < 4.5


def test_a_style_repaints_the_same_campus() -> None:
    usual, other = Campus(2), Campus(2, style=5)
    np.testing.assert_array_equal(usual.scene.mesh['points'], other.scene.mesh['points'])
    layer = usual.textures.layer('facade')
    first, second = (c.textures.layers[layer : layer + 12] for c in (usual, other))
    assert cv2.absdiff(first.reshape(-1, 512, 4), second.reshape(-1, 512, 4)).mean() > 20


def test_the_hard_protocol_is_what_it_says() -> None:
    assert list(PROTOCOLS) == ['standard', 'hard']
    standard, hard = (drive_of(name, seed=4) for name in PROTOCOLS)
    assert standard == DriveConfig(seed=4)
    hard.check()
    assert hard.campus().route.length_m >= 2000
    assert (hard.lane_change_m, hard.heading_deg, hard.traffic) == (2.6, 8.0, 3.0)
    assert hard.changed_facades == 0.1 and hard.aliasing >= 2 * standard.aliasing
    assert not hard.identical_cameras
    assert drive_of('hard', traffic=1.0).traffic == 1.0  # what is given counts


def test_an_unknown_protocol_is_refused() -> None:
    with pytest.raises(InputError, match="'easy' is unknown; expected one of standard, hard"):
        drive_of('easy')
