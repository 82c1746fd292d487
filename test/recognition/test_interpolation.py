"""A pose between the places of a map, by how alike the places around it are."""

from __future__ import annotations

from husky_placerec.recognition.interpolation import (
    agreed_pose,
    interpolated_pose,
    SOFT_AGREEMENT,
    SOFT_M,
)
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


@pytest.mark.parametrize(
    ('start', 'middle'), [(20, 20), (19, 20), (18, 20), (22, 20), (17, 19), (23, 21)]
)
def test_the_best_place_may_be_two_steps_away(place_map, route, start, middle):
    broad = peak(route, 60.0, width=40.0)  # so that all places of the window count
    pose = interpolated_pose(place_map.places.poses, route, start, False, broad)
    window = SPACING_M * np.arange(middle - 5, middle + 6)
    weights = np.exp(-np.abs(window - 60.0) / (40.0 * SOFT_M))
    assert pose.x == pytest.approx(weights @ window / weights.sum())


def test_the_pose_is_the_mean_weighted_by_the_similarity(place_map, route):
    """The window reaches 15 m from the best place; 1.5 m of driving cost a factor of e."""
    poses = place_map.places.poses.copy()
    turns = np.radians(np.linspace(-20, 20, len(poses)))
    poses[:, 2] = 0.1 * np.arange(len(poses))
    poses[:, 5], poses[:, 6] = np.sin(turns / 2), np.cos(turns / 2)
    similarity = 0.5 + 0.02 * np.random.default_rng(6).random(len(poses))
    similarity[20] = 0.52
    similarity[[13, 14, 26, 27]] = 0.9  # two of them a step outside the window, two at its ends
    similarity[[14, 26]] = 0.3
    near = np.arange(15, 26)
    pose = interpolated_pose(poses, route, 20, False, lambda places: similarity[places])
    weights = np.exp((similarity[near] - 0.52) / (1.5 * route.similarity_loss_per_m))
    weights /= weights.sum()
    assert [pose.x, pose.z] == pytest.approx([weights @ poses[near, 0], weights @ poses[near, 2]])
    assert pose.yaw == pytest.approx(weights @ turns[near], abs=1e-3)


def test_a_place_across_the_map_is_not_stepped_to(place_map, route):
    similarity = np.full(len(route), 0.1)
    similarity[[10, 35]] = 0.5, 0.9
    pose = interpolated_pose(
        place_map.places.poses, route, 10, False, lambda places: similarity[places]
    )
    assert abs(pose.x - 10 * SPACING_M) < 1.0


def test_compared_places_give_the_pose_by_their_agreement(place_map):
    poses = place_map.places.poses[18:23]
    agreement = np.array([0.1, 0.3, 0.5, 0.5, 0.1])
    between = agreed_pose(poses, agreement, False, place_map.arm)
    assert between.x == pytest.approx(20.5 * SPACING_M, abs=0.05)
    turned = agreed_pose(poses, agreement, True, place_map.arm)
    assert turned.x == pytest.approx(between.x) and np.cos(turned.yaw) == pytest.approx(-1)


def test_an_agreement_lower_by_the_soft_one_has_a_weight_of_1_by_e(place_map):
    poses = place_map.places.poses[20:22]
    pose = agreed_pose(poses, np.array([0.5, 0.5 - SOFT_AGREEMENT]), False, place_map.arm)
    share = np.exp(-1) / (1 + np.exp(-1))
    assert pose.x == pytest.approx((20 + share) * SPACING_M)
