"""How far the robot moved: by its odometry, and without."""

from __future__ import annotations

from husky_placerec.recognition.motion import MotionIntegrator
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
    odometry.take_new()
    return odometry


def test_odometry_is_interpolated_between_two_messages():
    moved = straight().motion(15 * SECOND_NS, 17 * SECOND_NS + SECOND_NS // 20)
    assert moved.x == pytest.approx(2.05)


def test_an_odometry_that_jumps_says_nothing():
    odometry = straight(5)
    odometry.add(5 * SECOND_NS + SECOND_NS // 10, planar(400.0))
    odometry.add(5 * SECOND_NS + SECOND_NS // 5, planar(400.1))
    odometry.take_new()
    assert odometry.motion(4 * SECOND_NS, 5 * SECOND_NS + SECOND_NS // 5) is None
    assert odometry.motion(3 * SECOND_NS, 5 * SECOND_NS) is not None


def test_an_odometry_that_stopped_says_nothing():
    odometry = straight(5)
    assert odometry.motion(4 * SECOND_NS, 9 * SECOND_NS) is None
    odometry.add(8 * SECOND_NS, planar(8.0))
    odometry.take_new()
    assert odometry.motion(4 * SECOND_NS, 8 * SECOND_NS) is None


def test_an_odometry_whose_stamps_step_back_begins_anew():
    odometry = straight(5)
    odometry.add(0, planar(100.0))
    odometry.add(SECOND_NS // 2, planar(100.5))
    odometry.take_new()
    assert odometry.motion(0, SECOND_NS // 2).x == pytest.approx(0.5)
    assert odometry.motion(4 * SECOND_NS, 5 * SECOND_NS) is None


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


def test_poses_that_are_seconds_apart_lead_the_odometry_all_the_same():
    odometry = Odometry()
    for k in range(4):
        odometry.add_recorded(3 * k * SECOND_NS, Pose.planar(2.0 * k, 0.0, 0.1 * k))
    odometry.take_new()
    moved = odometry.motion(3 * SECOND_NS, 6 * SECOND_NS)
    assert moved.x == pytest.approx(2.0 * np.cos(0.1))
    assert moved.yaw == pytest.approx(0.1)
    odometry.add_recorded(30 * SECOND_NS, Pose.planar(20.0, 0.0, 0.0))
    odometry.take_new()
    assert odometry.motion(9 * SECOND_NS, 30 * SECOND_NS) is None


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


@pytest.mark.parametrize(
    ('metres', 'seconds', 'driven_m'),
    [(3.0, 0.1, 0.0), (6.0, 2.0, 6.0), (0.5, 0.1, 0.5), (100.0, 1.0, 0.0), (4.0, 3.0, 0.0)],
)
def test_one_rule_decides_what_was_driven(metres, seconds, driven_m):
    """A jump, or a gap, counts neither for the distance nor for the motion."""
    odometry, end_ns = Odometry(), SECOND_NS + round(seconds * SECOND_NS)
    odometry.add(SECOND_NS, planar(0.0))
    odometry.add(end_ns, planar(metres))
    odometry.take_new()
    assert odometry.driven_m(end_ns) == pytest.approx(driven_m)
    motion = odometry.motion(SECOND_NS, end_ns)
    assert (motion.x if motion else 0.0) == pytest.approx(driven_m)
    halfway = odometry.pose_at((SECOND_NS + end_ns) // 2)
    assert (halfway is not None) == (motion is not None)


def test_the_distance_adds_up_and_an_old_odometry_tells_nothing():
    odometry = Odometry()
    for second, x in enumerate([0.0, 1.0, 2.0, 102.0, 103.0]):
        assert odometry.add(second * SECOND_NS, planar(x))
    assert odometry.driven_m(4 * SECOND_NS) == pytest.approx(3.0)
    assert odometry.driven_m(14 * SECOND_NS) is None
    assert len(odometry.take_new()) == 5
    assert odometry.take_new() == []
    assert odometry.pose_at(SECOND_NS // 2).x == pytest.approx(0.5)
    assert odometry.pose_at(-SECOND_NS // 2) is None


@pytest.mark.parametrize(
    'pose', [planar(float('nan')), Pose(0, 0, 0, 0, 0, 0, 0), Pose(0, 0, 0, 0, 0, 2, 0)]
)
def test_what_is_no_pose_is_not_taken(pose):
    odometry = Odometry()
    assert not odometry.add(SECOND_NS, pose)
    assert odometry.take_new() == []


def test_an_orientation_and_its_negative_are_interpolated_as_one():
    """The quaternions q and -q are the same orientation."""
    odometry, turned = Odometry(), planar(1.0, 0.0, 40.0)
    negative = Pose.from_array(turned.as_array() * [1, 1, 1, -1, -1, -1, -1])
    odometry.add(0, planar(0.0, 0.0, 20.0))
    odometry.add(SECOND_NS, negative)
    assert np.degrees(odometry.pose_at(SECOND_NS // 2).yaw) == pytest.approx(30.0, abs=0.1)


def test_poses_that_were_not_taken_do_not_count_for_the_motion():
    odometry = straight(2)
    odometry.add(2 * SECOND_NS + SECOND_NS // 2, planar(2.5))
    assert odometry.motion(SECOND_NS, 2 * SECOND_NS + SECOND_NS // 2).x == pytest.approx(1.0)
    assert len(odometry.take_new()) == 1
    assert odometry.motion(SECOND_NS, 2 * SECOND_NS + SECOND_NS // 2).x == pytest.approx(1.5)


def test_after_a_reset_only_new_poses_count():
    odometry = straight(2)
    odometry.add(2 * SECOND_NS + SECOND_NS // 10, planar(2.1))
    odometry.begin_anew()
    odometry.add(2 * SECOND_NS + SECOND_NS // 5, planar(2.2))
    assert odometry.motion(SECOND_NS, 2 * SECOND_NS) is None
    assert len(odometry.take_new()) == 2
    tenth = SECOND_NS // 10
    assert odometry.motion(2 * SECOND_NS + tenth, 2 * SECOND_NS + 2 * tenth).x == pytest.approx(
        0.1
    )
