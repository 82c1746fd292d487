"""The pose as driven: what frames measured, carried on by the motion between them."""

from __future__ import annotations

from husky_placerec.recognition.motion import Moved
from husky_placerec.recognition.track import Track
from husky_placerec.types import Pose
import numpy as np
import pytest

STEP_M = 3.0


def moved(metres=STEP_M, left=0.0, yaw=0.0):
    return Moved(Pose.planar(metres, left, yaw), abs(metres), 0.05 * abs(metres), 0.03)


def follow(track, truths, measured, turn=0.0):
    """Drive along true poses [N, 3]; return what was said of each, and if it agreed."""
    said = []
    for number, pose in enumerate(measured):
        step = moved(yaw=turn) if number else None
        agrees = track.take(step, pose)
        said.append((track.pose(None, pose), agrees))
    return said


@pytest.fixture
def track():
    return Track(STEP_M)


def test_errors_along_the_road_average_out(track):
    rng = np.random.default_rng(0)
    along = STEP_M * np.arange(60)
    off = rng.normal(0, 2.0, 60)
    said = follow(track, along, [Pose.planar(x, 0.0, 0.0) for x in along + off])
    left = np.array([pose.x for pose, _ in said]) - along
    assert all(agrees for _, agrees in said)
    assert np.abs(left[10:]).mean() < 0.5 * np.abs(off[10:]).mean()


def test_the_heading_turns_with_the_robot_where_the_road_goes_straight_on(track):
    follow(track, None, [Pose.planar(STEP_M * k, 0.0, 0.0) for k in range(10)])
    turned = [
        track.take(moved(yaw=np.radians(10)), Pose.planar(30 + 3 * k, 0.0, 0.0)) for k in range(5)
    ]
    pose = track.pose(None, Pose.planar(42.0, 0.0, 0.0))
    assert np.degrees(pose.yaw) > 20
    assert turned[0] and not turned[-1]


def test_one_pose_elsewhere_is_refused_and_a_row_of_them_is_believed(track):
    follow(track, None, [Pose.planar(STEP_M * k, 0.0, 0.0) for k in range(10)])
    far = [Pose.planar(500.0 + STEP_M * k, 80.0, 0.0) for k in range(5)]
    assert not track.take(moved(), far[0])
    assert track.pose(None, far[0]).x == pytest.approx(30.0, abs=1.0)  # driven on
    assert [track.take(moved(), pose) for pose in far[1:]] == [False, False, False, True]
    assert track.pose(None, far[4]).distance_m(far[4]) < 3


def test_between_frames_that_count_the_pose_is_driven_on(track):
    track.take(None, Pose.planar(10.0, 5.0, np.pi / 2, z=2.0))
    pose = track.pose(moved(0.5, yaw=np.pi / 2), Pose.planar(0.0, 0.0, 0.1, z=2.5))
    assert pose.x == pytest.approx(10.0) and pose.y == pytest.approx(5.5)
    assert np.cos(pose.yaw - np.pi) == pytest.approx(1.0)
    assert pose.z == 2.5


def test_height_and_tilt_are_those_of_the_place(track):
    tilted = Pose(1.0, 2.0, 3.0, 0.1, 0.0, 0.0, np.sqrt(1 - 0.01))
    track.take(None, tilted)
    assert track.pose(None, tilted).angle_deg(tilted) == pytest.approx(0.0, abs=1e-4)


def test_forgetting_is_beginning_anew(track):
    track.take(None, Pose.planar(0.0, 0.0, 0.0))
    track.forget()
    elsewhere = Pose.planar(99.0, 0.0, 0.0)
    assert track.take(moved(), elsewhere)
    assert track.pose(None, elsewhere).x == pytest.approx(99.0)
