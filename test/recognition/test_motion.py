"""How far the robot moved: by its odometry, and without."""

from __future__ import annotations

from husky_placerec.recognition.motion import Motion
from husky_placerec.recognition.odometry import Odometry
from husky_placerec.recognition.route import Route
from husky_placerec.types import Pose, SECOND_NS
import numpy as np
import pytest
from support.builders import planar, random_map

VIEW = np.eye(2, 16, dtype=np.float32)
OTHER = np.eye(2, 16, 5, dtype=np.float32)


def straight(seconds=20, speed=1.0, rate=10):
    odometry = Odometry()
    for tick in range(seconds * rate + 1):
        odometry.add(tick * SECOND_NS // rate, planar(speed * tick / rate))
    return odometry


def test_odometry_is_interpolated_between_two_messages():
    moved = straight().moved(15 * SECOND_NS, 17 * SECOND_NS + SECOND_NS // 20)
    assert moved.x == pytest.approx(2.05)


def test_an_odometry_that_jumps_says_nothing():
    odometry = straight(5)
    odometry.add(5 * SECOND_NS + SECOND_NS // 10, planar(400.0))
    odometry.add(5 * SECOND_NS + SECOND_NS // 5, planar(400.1))
    assert odometry.moved(4 * SECOND_NS, 5 * SECOND_NS + SECOND_NS // 5) is None
    assert odometry.moved(3 * SECOND_NS, 5 * SECOND_NS) is not None


def test_an_odometry_that_stopped_says_nothing():
    odometry = straight(5)
    assert odometry.moved(4 * SECOND_NS, 9 * SECOND_NS) is None
    odometry.add(8 * SECOND_NS, planar(8.0))
    assert odometry.moved(4 * SECOND_NS, 8 * SECOND_NS) is None


def test_an_odometry_whose_stamps_step_back_begins_anew():
    odometry = straight(5)
    odometry.add(0, planar(100.0))
    odometry.add(SECOND_NS // 2, planar(100.5))
    assert odometry.moved(0, SECOND_NS // 2).x == pytest.approx(0.5)
    assert odometry.moved(4 * SECOND_NS, 5 * SECOND_NS) is None


@pytest.fixture
def route():
    return Route(random_map())


def test_motion_adds_up_until_a_frame_counts(route):
    motion = Motion(straight(), route, speed=1.0)
    assert motion.since(12 * SECOND_NS, VIEW) is None
    assert motion.since(13 * SECOND_NS, VIEW).metres == pytest.approx(1)
    assert motion.since(14 * SECOND_NS, VIEW).metres == pytest.approx(2)
    motion.count(VIEW)
    assert motion.since(14 * SECOND_NS, VIEW).metres == 0
    assert motion.since(15 * SECOND_NS, VIEW).metres == pytest.approx(1)


def test_a_robot_that_stands_for_a_minute_has_not_moved_without_odometry_either(route):
    motion = Motion(Odometry(), route, speed=1.0)
    motion.since(0, VIEW)
    for second in range(1, 61):
        assert motion.since(second * SECOND_NS, VIEW).metres == 0


def test_without_odometry_a_new_view_is_as_far_as_the_time_allows(route):
    motion = Motion(Odometry(), route, speed=1.0)
    motion.since(0, VIEW)
    assert motion.since(3 * SECOND_NS, OTHER).metres == pytest.approx(3)


def test_stamps_that_step_back_a_little_move_nothing_and_far_begin_anew(route):
    motion = Motion(Odometry(), route, speed=1.0)
    motion.since(5 * SECOND_NS, VIEW)
    assert not motion.steps_back(5 * SECOND_NS - 1000)
    assert motion.since(5 * SECOND_NS - 1000, OTHER).metres == 0
    assert motion.steps_back(2 * SECOND_NS)
    motion.forget()
    assert motion.since(2 * SECOND_NS, VIEW) is None


def test_poses_that_are_seconds_apart_lead_the_odometry_all_the_same():
    odometry = Odometry()
    for k in range(4):
        odometry.lead(3 * k * SECOND_NS, Pose.planar(2.0 * k, 0.0, 0.1 * k))
    moved = odometry.moved(3 * SECOND_NS, 6 * SECOND_NS)
    assert moved.x == pytest.approx(2.0 * np.cos(0.1))
    assert moved.yaw == pytest.approx(0.1)
    odometry.lead(30 * SECOND_NS, Pose.planar(20.0, 0.0, 0.0))
    assert odometry.moved(9 * SECOND_NS, 30 * SECOND_NS) is None


def test_a_turn_on_the_spot_is_less_sure_the_further_it_goes(route):
    odometry = Odometry()
    motion = Motion(odometry, route, 1.0)
    odometry.lead(0, Pose.planar(0.0, 0.0, 0.0))
    motion.since(0, VIEW)
    spreads = []
    for k in range(1, 4):
        odometry.lead(k * SECOND_NS, Pose.planar(0.0, 0.0, 0.5 * k))
        spreads.append(motion.since(k * SECOND_NS, VIEW).turn_spread)
    assert spreads[0] < spreads[1] < spreads[2]
