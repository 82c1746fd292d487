"""The pose as driven: what frames measured, carried on by the motion between them."""

from __future__ import annotations

from husky_placerec.recognition.motion import Motion
from husky_placerec.recognition.pose_filter import PoseFilter
from husky_placerec.types import Pose
import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from support.builders import planar

STEP_M = 3.0
CHI_SQUARE = 16.3  # quantile 0.999 with 3 degrees of freedom


def moved(metres=STEP_M, left=0.0, yaw=0.0, spread_m=None, turn_spread=0.03):
    spread_m = 0.05 * abs(metres) if spread_m is None else spread_m
    return Motion(Pose.planar(metres, left, yaw), abs(metres), spread_m, turn_spread)


STILL = moved(0.0, spread_m=0.0, turn_spread=0.0)


def follow(pose_filter, truths, measured, turn=0.0):
    """Drive along true poses [N, 3]; return what was said of each, and if it agreed."""
    said = []
    for number, pose in enumerate(measured):
        step = moved(yaw=turn) if number else None
        agrees = pose_filter.update(step, pose)
        said.append((pose_filter.pose(None, pose), agrees))
    return said


@pytest.fixture
def pose_filter():
    return PoseFilter(STEP_M)


@pytest.fixture
def driven(pose_filter):
    """Return a filter that has followed ten poses along the x axis, to x = 27."""
    follow(pose_filter, None, [Pose.planar(STEP_M * k, 0.0, 0.0) for k in range(10)])
    return pose_filter


def test_errors_along_the_road_average_out(pose_filter):
    rng = np.random.default_rng(0)
    along = STEP_M * np.arange(60)
    off = rng.normal(0, 2.0, 60)
    said = follow(pose_filter, along, [Pose.planar(x, 0.0, 0.0) for x in along + off])
    left = np.array([pose.x for pose, _ in said]) - along
    assert all(agrees for _, agrees in said)
    assert np.abs(left[10:]).mean() < 0.5 * np.abs(off[10:]).mean()


def test_the_heading_turns_with_the_robot_where_the_road_goes_straight_on(driven):
    turned = [
        driven.update(moved(yaw=np.radians(10)), Pose.planar(30 + 3 * k, 0.0, 0.0))
        for k in range(5)
    ]
    pose = driven.pose(None, Pose.planar(42.0, 0.0, 0.0))
    assert np.degrees(pose.yaw) > 20
    assert turned[0] and not turned[-1]


def test_one_pose_elsewhere_is_refused_and_a_row_of_them_is_believed(driven):
    far = [Pose.planar(500.0 + STEP_M * k, 80.0, 0.0) for k in range(5)]
    assert not driven.update(moved(), far[0])
    assert driven.pose(None, far[0]).x == pytest.approx(30.0, abs=1.0)  # driven on
    assert [driven.update(moved(), pose) for pose in far[1:]] == [False, False, False, True]
    assert driven.pose(None, far[4]).distance_m(far[4]) < 3


def test_the_second_contradiction_in_a_row_begins_with_its_pose(driven):
    driven.update(moved(), planar(500.0))
    assert driven.pose(None, planar(500.0)).x == pytest.approx(30.0, abs=1.0)
    driven.update(moved(), planar(503.0))
    assert driven.pose(None, planar(503.0)).x == pytest.approx(503.0)


def test_contradictions_that_are_not_in_a_row_do_not_add_up(driven):
    for number, x in enumerate([500.0, 33.0, 500.0, 39.0]):
        driven.update(moved(), planar(x))
        assert driven.pose(None, planar(x)).x == pytest.approx(30.0 + 3 * number, abs=1.0)


def test_after_a_new_beginning_it_takes_two_contradictions_again(driven):
    for x in (500.0, 503.0, 900.0):
        driven.update(moved(), planar(x))
    assert driven.pose(None, planar(900.0)).x == pytest.approx(506.0, abs=1.0)


def test_after_one_contradiction_three_poses_have_to_agree(driven):
    poses = [500.0, 33.0, 36.0, 39.0, 42.0]
    said = [driven.update(moved(), planar(x)) for x in poses]
    assert said == [False, False, False, True, True]


def test_a_contradiction_on_the_way_starts_the_count_of_agreeing_poses_again(driven):
    poses = [500.0, 33.0, 36.0, 500.0, 42.0, 45.0, 48.0]
    said = [driven.update(moved(), planar(x)) for x in poses]
    assert said == [False] * 6 + [True]


@pytest.mark.parametrize(('spacing_m', 'deviation_m'), [(1.0, 3.0), (3.0, 3.0), (8.0, 8.0)])
@pytest.mark.parametrize('yaw_deg', [0.0, 90.0])
def test_along_the_road_poses_contradict_beyond_the_gate(spacing_m, deviation_m, yaw_deg):
    """Two poses of equal variance differ by `2 * deviation^2`."""
    limit_m = np.sqrt(CHI_SQUARE * 2) * deviation_m
    road = planar(0.0, 0.0, yaw_deg)
    for off_m, agrees in ((limit_m - 0.01, True), (limit_m + 0.01, False)):
        pose_filter = PoseFilter(spacing_m)
        pose_filter.update(None, road)
        assert pose_filter.update(STILL, road @ planar(off_m)) == agrees


@pytest.mark.parametrize('yaw_deg', [0.0, 90.0])
def test_across_the_road_poses_contradict_beyond_the_gate(yaw_deg):
    limit_m = np.sqrt(CHI_SQUARE * 2) * 1.5
    road = planar(0.0, 0.0, yaw_deg)
    for off_m, agrees in ((limit_m - 0.01, True), (limit_m + 0.01, False)):
        pose_filter = PoseFilter(8.0)
        pose_filter.update(None, road)
        assert pose_filter.update(STILL, road @ planar(0.0, off_m)) == agrees


def test_a_heading_contradicts_beyond_the_gate():
    limit_deg = np.sqrt(CHI_SQUARE * 2) * 15.0
    for off_deg, kept_deg in ((limit_deg - 0.1, (limit_deg - 0.1) / 2), (limit_deg + 0.1, 0.0)):
        pose_filter = PoseFilter(STEP_M)
        pose_filter.update(None, planar(0.0))
        assert not pose_filter.update(STILL, planar(0.0, 0.0, off_deg))  # it has turned off
        found = pose_filter.pose(None, planar(0.0, 0.0, off_deg))
        assert np.degrees(found.yaw) == pytest.approx(kept_deg, abs=1e-6)


@pytest.mark.parametrize(('off_deg', 'agrees'), [(39.9, True), (40.1, False)])
@pytest.mark.parametrize('side', [1, -1])
def test_a_robot_has_turned_off_the_road_from_twenty_degrees(off_deg, agrees, side):
    """The mean of two headings of equal variance lies 20 degrees off each, 40 degrees apart."""
    pose_filter = PoseFilter(STEP_M)
    pose_filter.update(None, planar(0.0))
    assert pose_filter.update(STILL, planar(0.0, 0.0, side * off_deg)) == agrees


def test_headings_on_both_sides_of_half_a_turn_are_near_each_other(pose_filter):
    pose_filter.update(None, planar(0.0, 0.0, 175.0))
    assert pose_filter.update(STILL, planar(0.0, 0.0, -175.0))
    found = pose_filter.pose(None, planar(0.0))
    assert np.cos(found.yaw) == pytest.approx(-1.0)


def test_two_poses_are_weighed_by_their_covariances():
    """The first pose has moved on a bend, so that its errors are no longer along the road."""
    road = planar(0.0, 0.0, 30.0)
    pose_filter = PoseFilter(STEP_M)
    pose_filter.update(None, road)
    motion = Motion(planar(4.0, 1.0, 25.0), 4.2, 0.7, 0.2)
    measured = planar(3.5, 4.0, 50.0)
    assert pose_filter.update(motion, measured)

    def turned(yaw, *deviations):
        axes = Rotation.from_euler('z', yaw).as_matrix()
        return axes @ np.diag(np.square(deviations)) @ axes.T

    expected = road @ motion.pose
    mean = np.array([expected.x, expected.y, expected.yaw])
    lever = np.eye(3)  # by which an error of the heading moves the position
    lever[:2, 2] = -(expected.y - road.y), expected.x - road.x
    own = turned(road.yaw, 3.0, 1.5, np.radians(15))
    predicted = lever @ own @ lever.T + turned(expected.yaw, 0.7, 0.7, 0.2)
    theirs = turned(measured.yaw, 3.0, 1.5, np.radians(15))
    information = np.linalg.inv(predicted), np.linalg.inv(theirs)
    seen = np.array([measured.x, measured.y, measured.yaw])
    both = np.linalg.solve(sum(information), information[0] @ mean + information[1] @ seen)
    found = pose_filter.pose(None, measured)
    assert [found.x, found.y, found.yaw] == pytest.approx(both.tolist())


def test_between_frames_that_count_the_pose_is_driven_on(pose_filter):
    pose_filter.update(None, Pose.planar(10.0, 5.0, np.pi / 2, z=2.0))
    pose = pose_filter.pose(moved(0.5, yaw=np.pi / 2), Pose.planar(0.0, 0.0, 0.1, z=2.5))
    assert pose.x == pytest.approx(10.0) and pose.y == pytest.approx(5.5)
    assert np.cos(pose.yaw - np.pi) == pytest.approx(1.0)
    assert pose.z == 2.5
    aside = pose_filter.pose(moved(0.5, left=0.25), Pose.planar(0.0, 0.0, 0.1))
    assert (aside.x, aside.y) == pytest.approx((9.75, 5.5))


def test_before_the_first_frame_the_pose_is_the_measured_one(pose_filter):
    measured = planar(3.0, 4.0, 50.0)
    assert pose_filter.pose(moved(), measured) is measured


def test_a_pose_without_a_motion_begins_the_filter(driven):
    assert driven.update(None, planar(900.0))
    assert driven.pose(None, planar(900.0)).x == 900.0


def test_height_and_tilt_are_those_of_the_place(pose_filter):
    tilted = Pose(1.0, 2.0, 3.0, 0.1, 0.0, 0.0, np.sqrt(1 - 0.01))
    pose_filter.update(None, tilted)
    assert pose_filter.pose(None, tilted).angle_deg(tilted) == pytest.approx(0.0, abs=1e-4)
