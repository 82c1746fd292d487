"""How far the robot moved since the last used frame: by its odometry, and without."""

from __future__ import annotations

from husky_placerec.recognition.motion import MotionIntegrator
from husky_placerec.recognition.odometry import Odometry
from husky_placerec.recognition.route import Route
from husky_placerec.types import Pose, SECOND_NS
import numpy as np
import pytest
from support.builders import planar, random_map
from support.driving import straight

VIEW = np.eye(2, 16, dtype=np.float32)
OTHER = np.eye(2, 16, 5, dtype=np.float32)


@pytest.fixture
def route():
    return Route(random_map())


def test_motion_adds_up_until_a_frame_counts(route):
    motion = MotionIntegrator(straight(), route, speed=1.0)
    assert motion.until(12 * SECOND_NS, VIEW) is None
    assert motion.until(13 * SECOND_NS, VIEW).metres == pytest.approx(1)
    assert motion.until(14 * SECOND_NS, VIEW).metres == pytest.approx(2)
    motion.restart(VIEW)
    assert motion.until(14 * SECOND_NS, VIEW).metres == 0
    assert motion.until(15 * SECOND_NS, VIEW).metres == pytest.approx(1)


def test_a_robot_that_stands_for_a_minute_has_not_moved_without_odometry_either(route):
    motion = MotionIntegrator(Odometry(), route, speed=1.0)
    motion.until(0, VIEW)
    for second in range(1, 61):
        assert motion.until(second * SECOND_NS, VIEW).metres == 0


def test_without_odometry_a_new_view_is_as_far_as_the_time_allows(route):
    motion = MotionIntegrator(Odometry(), route, speed=1.0)
    motion.until(0, VIEW)
    assert motion.until(3 * SECOND_NS, OTHER).metres == pytest.approx(3)


def test_stamps_that_step_back_a_little_move_nothing_and_far_begin_anew(route):
    motion = MotionIntegrator(Odometry(), route, speed=1.0)
    motion.until(5 * SECOND_NS, VIEW)
    assert not motion.steps_back(5 * SECOND_NS - 1000)
    assert motion.until(5 * SECOND_NS - 1000, OTHER).metres == 0
    assert motion.steps_back(2 * SECOND_NS)


def test_a_turn_on_the_spot_is_less_sure_the_further_it_goes(route):
    odometry = Odometry()
    motion = MotionIntegrator(odometry, route, 1.0)
    odometry.add_recorded(0, Pose.planar(0.0, 0.0, 0.0))
    odometry.take_new()
    motion.until(0, VIEW)
    spreads = []
    for k in range(1, 4):
        odometry.add_recorded(k * SECOND_NS, Pose.planar(0.0, 0.0, 0.5 * k))
        odometry.take_new()
        spreads.append(motion.until(k * SECOND_NS, VIEW).turn_spread)
    assert spreads[0] < spreads[1] < spreads[2]


def test_odometry_errs_by_a_twentieth_and_its_heading_drifts(route):
    odometry = Odometry()
    for second, (x, yaw_deg) in enumerate([(0.0, 0.0), (4.0, 0.0), (4.0, 40.0)]):
        odometry.add(second * SECOND_NS, planar(x, 0.0, yaw_deg))
    odometry.take_new()
    motion = MotionIntegrator(odometry, route, speed=1.0)
    for second in range(3):
        moved = motion.until(second * SECOND_NS, VIEW)
    assert not moved.guessed
    assert moved.metres == pytest.approx(4.0)
    assert moved.spread_m == pytest.approx(0.05 * 4.0)
    drift, slip = np.radians(2.0) * 4.0**0.5, 0.05 * np.radians(40.0)
    assert moved.turn_spread == pytest.approx((drift**2 + slip**2) ** 0.5)
    assert (moved.pose.x, moved.pose.yaw) == pytest.approx((4.0, np.radians(40.0)))


@pytest.mark.parametrize(('speed', 'expected_m'), [(1.0, 2.0), (1e6, 7.5)])
def test_without_odometry_the_smaller_bound_counts(route, speed, expected_m, monkeypatch):
    """The time allows for `speed * 2 s`, and the change of the view for 7.5 m."""
    monkeypatch.setattr(route, 'metres_between', lambda one, other: 7.5)
    motion = MotionIntegrator(Odometry(), route, speed)
    motion.until(0, VIEW)
    moved = motion.until(2 * SECOND_NS, OTHER)
    assert moved.guessed
    assert (moved.pose.x, moved.pose.y, moved.pose.yaw) == (expected_m, 0.0, 0.0)
    assert moved.metres == moved.spread_m == expected_m
    assert moved.turn_spread == pytest.approx(np.radians(10.0) * expected_m)


def test_a_gap_in_the_odometry_is_guessed_and_the_rest_is_known(route, monkeypatch):
    seen = []
    monkeypatch.setattr(route, 'metres_between', lambda *views: seen.append(views) or np.inf)
    odometry = Odometry()
    motion = MotionIntegrator(odometry, route, speed=0.5)
    motion.until(0, VIEW)
    for second, pose in ((0, planar(0.0)), (1, planar(2.0, 0.0, 90.0))):
        odometry.add(second * SECOND_NS, pose)
    odometry.take_new()
    assert motion.until(SECOND_NS, VIEW).metres == pytest.approx(2.0)
    moved = motion.until(5 * SECOND_NS, OTHER)
    assert moved.guessed
    assert moved.metres == pytest.approx(2.0 + 4 * 0.5)
    assert moved.spread_m == pytest.approx(2.0)  # of the guessed part alone
    assert (moved.pose.x, moved.pose.y) == pytest.approx((2.0, 2.0))
    ((one, other),) = seen
    assert one is VIEW and other is OTHER
    motion.restart(OTHER)
    motion.until(6 * SECOND_NS, VIEW)
    assert seen[-1][0] is OTHER


def test_a_stamp_that_steps_back_a_little_is_not_counted_twice(route):
    motion = MotionIntegrator(straight(), route, speed=1.0)
    motion.until(12 * SECOND_NS, VIEW)
    assert motion.until(14 * SECOND_NS, VIEW).metres == pytest.approx(2.0)
    assert motion.until(13 * SECOND_NS, VIEW).metres == pytest.approx(2.0)
    assert motion.until(15 * SECOND_NS, VIEW).metres == pytest.approx(3.0)


def test_a_stamp_steps_back_by_more_than_a_second(route):
    motion = MotionIntegrator(Odometry(), route, speed=1.0)
    assert not motion.steps_back(-(10**18))
    motion.until(5 * SECOND_NS, VIEW)
    assert not motion.steps_back(4 * SECOND_NS)
    assert motion.steps_back(4 * SECOND_NS - 1)
