"""A pose between the places of a map, by how alike the places around it are."""

from __future__ import annotations

from husky_placerec.recognition.interpolation import interpolated_pose
from husky_placerec.recognition.route import Route
import numpy as np
import pytest
from support.builders import SPACING_M, straight_map


@pytest.fixture(scope='module')
def place_map():
    return straight_map(40)


@pytest.fixture(scope='module')
def route(place_map):
    return Route(place_map)


def peak(route, x, width=1.0):
    """Return similarities that fall by the metre from where the robot is, as the map's do."""
    return lambda places: (
        0.9 - route.similarity_loss_per_m * np.abs(SPACING_M * places - x) / width
    )


@pytest.mark.parametrize('x', [60.0, 60.7, 61.5, 62.2])
@pytest.mark.parametrize('start', [20, 21, 22])
def test_a_robot_between_two_places_is_found_between_them(place_map, route, x, start):
    pose = interpolated_pose(place_map.places.poses, route, start, False, peak(route, x))
    assert pose.x == pytest.approx(x, abs=0.35)


def test_a_broad_peak_is_found_by_its_middle_though_another_place_is_the_highest(place_map, route):
    broad = peak(route, 60.0, width=8.0)
    places = np.arange(15, 30)
    noisy = broad(places)
    noisy[places == 22] += 0.6 * route.similarity_loss_per_m
    pose = interpolated_pose(
        place_map.places.poses, route, 22, False, lambda found: noisy[found - 15]
    )
    assert abs(pose.x - 60.0) < 4.0


def test_a_drive_the_other_way_faces_the_other_way(place_map, route):
    pose = interpolated_pose(place_map.places.poses, route, 20, True, peak(route, 60.7))
    assert np.cos(pose.yaw) == pytest.approx(-1.0)
    assert pose.x == pytest.approx(60.7, abs=0.35)


def test_where_the_track_ends_the_last_place_is_all_there_is(place_map, route):
    pose = interpolated_pose(place_map.places.poses, route, 39, False, peak(route, 130.0))
    assert pose.x == pytest.approx(39 * SPACING_M)
