"""The pose as driven: what frames measured, carried on by the motion between them."""

from __future__ import annotations

from husky_placerec.recognition.motion import Motion
from husky_placerec.recognition.pose_filter import PoseFilter
from husky_placerec.types import Pose
import numpy as np
import pytest

STEP_M = 3.0


def moved(metres=STEP_M, left=0.0, yaw=0.0):
    return Motion(Pose.planar(metres, left, yaw), abs(metres), 0.05 * abs(metres), 0.03)


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


def test_errors_along_the_road_average_out(pose_filter):
    rng = np.random.default_rng(0)
    along = STEP_M * np.arange(60)
    off = rng.normal(0, 2.0, 60)
    said = follow(pose_filter, along, [Pose.planar(x, 0.0, 0.0) for x in along + off])
    left = np.array([pose.x for pose, _ in said]) - along
    assert all(agrees for _, agrees in said)
    assert np.abs(left[10:]).mean() < 0.5 * np.abs(off[10:]).mean()


def test_the_heading_turns_with_the_robot_where_the_road_goes_straight_on(pose_filter):
    follow(pose_filter, None, [Pose.planar(STEP_M * k, 0.0, 0.0) for k in range(10)])
    turned = [
        pose_filter.update(moved(yaw=np.radians(10)), Pose.planar(30 + 3 * k, 0.0, 0.0))
        for k in range(5)
    ]
    pose = pose_filter.pose(None, Pose.planar(42.0, 0.0, 0.0))
    assert np.degrees(pose.yaw) > 20
    assert turned[0] and not turned[-1]


def test_one_pose_elsewhere_is_refused_and_a_row_of_them_is_believed(pose_filter):
    follow(pose_filter, None, [Pose.planar(STEP_M * k, 0.0, 0.0) for k in range(10)])
    far = [Pose.planar(500.0 + STEP_M * k, 80.0, 0.0) for k in range(5)]
    assert not pose_filter.update(moved(), far[0])
    assert pose_filter.pose(None, far[0]).x == pytest.approx(30.0, abs=1.0)  # driven on
    assert [pose_filter.update(moved(), pose) for pose in far[1:]] == [False, False, False, True]
    assert pose_filter.pose(None, far[4]).distance_m(far[4]) < 3


def test_between_frames_that_count_the_pose_is_driven_on(pose_filter):
    pose_filter.update(None, Pose.planar(10.0, 5.0, np.pi / 2, z=2.0))
    pose = pose_filter.pose(moved(0.5, yaw=np.pi / 2), Pose.planar(0.0, 0.0, 0.1, z=2.5))
    assert pose.x == pytest.approx(10.0) and pose.y == pytest.approx(5.5)
    assert np.cos(pose.yaw - np.pi) == pytest.approx(1.0)
    assert pose.z == 2.5


def test_height_and_tilt_are_those_of_the_place(pose_filter):
    tilted = Pose(1.0, 2.0, 3.0, 0.1, 0.0, 0.0, np.sqrt(1 - 0.01))
    pose_filter.update(None, tilted)
    assert pose_filter.pose(None, tilted).angle_deg(tilted) == pytest.approx(0.0, abs=1e-4)
