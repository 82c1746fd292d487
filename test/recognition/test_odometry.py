"""The odometry: which poses it takes, what was driven, and how the robot moved in between."""

from __future__ import annotations

from husky_placerec.recognition.odometry import driven, MOST_NEW, Odometry
from husky_placerec.types import Pose, SECOND_NS
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest
from support.builders import MS, planar
from support.driving import straight

NEEDS = ('hypothesis',)


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


@pytest.mark.parametrize(
    ('metres', 'elapsed_ns', 'possible'),
    [
        (10.1, 2 * SECOND_NS, True),  # 5 m/s and 0.1 m
        (10.11, 2 * SECOND_NS, False),
        (0.1, 0, True),
        (0.11, 0, False),
        (1.0, 2 * SECOND_NS, True),
        (1.0, 2 * SECOND_NS + 1, False),
    ],
)
def test_a_robot_drives_at_most_five_metres_a_second_and_no_longer_than_a_gap(
    metres, elapsed_ns, possible
):
    metres_driven = driven((0, planar(0.0)), (elapsed_ns, planar(0.0, metres)))
    assert metres_driven == (metres if possible else None)


def test_poses_are_kept_for_ten_seconds():
    odometry = straight(seconds=20)
    assert odometry.pose_at(10 * SECOND_NS).x == pytest.approx(10.0)
    assert odometry.pose_at(10 * SECOND_NS - 1) is None
    assert odometry.motion(10 * SECOND_NS, 20 * SECOND_NS).x == pytest.approx(10.0)
    assert odometry.motion(9 * SECOND_NS, 20 * SECOND_NS) is None


def test_the_newest_pose_counts_for_a_second():
    odometry = straight(seconds=5)
    assert odometry.driven_m(6 * SECOND_NS) == pytest.approx(5.0)
    assert odometry.driven_m(6 * SECOND_NS + 1) is None
    assert odometry.driven_m(4 * SECOND_NS) == pytest.approx(5.0)
    assert odometry.driven_m(4 * SECOND_NS - 1) is None
    assert odometry.pose_at(6 * SECOND_NS).x == pytest.approx(5.0)
    assert odometry.pose_at(6 * SECOND_NS + 1) is None
    assert Odometry().driven_m(0) is None


@pytest.mark.parametrize('late_ns', [3 * SECOND_NS, 3 * SECOND_NS - 1, 2 * SECOND_NS])
def test_a_late_pose_is_ignored(late_ns):
    odometry = straight(seconds=3)
    assert odometry.add(late_ns, planar(2.0, 1.0))
    assert odometry.take_new() == []
    assert odometry.pose_at(3 * SECOND_NS).x == pytest.approx(3.0)
    assert odometry.total_m == pytest.approx(3.0)


def test_a_pose_over_a_second_late_begins_anew_and_the_distance_goes_on():
    odometry = straight(seconds=3)
    odometry.add(2 * SECOND_NS - 1, planar(50.0))
    assert odometry.pose_at(3 * SECOND_NS - 1).x == pytest.approx(50.0)
    assert odometry.pose_at(SECOND_NS) is None
    assert odometry.total_m == pytest.approx(3.0)
    odometry.add(2 * SECOND_NS, planar(50.1))
    assert odometry.total_m == pytest.approx(3.1)


@pytest.mark.parametrize(('norm', 'taken'), [(0.89, False), (0.91, True), (1.09, True), (1.11, 0)])
def test_an_orientation_is_nearly_a_unit_quaternion(norm, taken):
    assert Odometry().add(0, Pose(0, 0, 0, 0, 0, 0, norm)) == taken


@pytest.mark.parametrize('column', range(7))
def test_a_pose_has_seven_finite_numbers(column):
    values = planar(0.0).as_array()
    values[column] = np.inf
    assert not Odometry().add(0, Pose.from_array(values))


def test_poses_that_nobody_takes_are_bounded():
    odometry = Odometry()
    count = MOST_NEW + 5
    for number in range(count):  # within ten seconds
        odometry.add(number * 900_000, planar(0.0))
    waiting = odometry.take_new()
    assert len(waiting) == MOST_NEW == 10_000
    assert waiting[-1][0] == (count - 1) * 900_000


def test_poses_that_nobody_takes_are_of_the_last_ten_seconds():
    odometry = Odometry()
    for second in range(13):
        odometry.add(second * SECOND_NS, planar(float(second)))
    assert [stamp_ns // SECOND_NS for stamp_ns, _ in odometry.take_new()] == list(range(2, 13))


@pytest.mark.parametrize(('gap_ns', 'added'), [(10 * SECOND_NS - 1, 100), (10 * SECOND_NS, 1)])
def test_a_gap_of_less_than_ten_seconds_in_a_recorded_drive_is_filled(gap_ns, added):
    odometry = Odometry()
    odometry.add_recorded(0, planar(0.0))
    odometry.take_new()
    odometry.add_recorded(gap_ns, planar(5.0))
    filled = odometry.take_new()
    assert len(filled) == added
    for stamp_ns, pose in filled:
        assert pose.x == pytest.approx(5.0 * stamp_ns / gap_ns)
    assert np.diff([stamp_ns for stamp_ns, _ in filled[:-1]]).tolist() == [100 * MS] * (added - 2)


@given(st.integers(0, SECOND_NS), st.floats(-3, 3), st.floats(-3, 3))
def test_an_interpolated_pose_lies_between(stamp_ns, metres, yaw):
    odometry = Odometry()
    odometry.add(0, planar(1.0))
    odometry.add(SECOND_NS, Pose.planar(1.0 + metres, -metres / 2, yaw))
    pose = odometry.pose_at(stamp_ns)
    part = stamp_ns / SECOND_NS
    assert pose.x == pytest.approx(1.0 + part * metres)
    assert pose.y == pytest.approx(-part * metres / 2)
    assert min(0.0, yaw) - 1e-9 <= pose.yaw <= max(0.0, yaw) + 1e-9
    assert np.linalg.norm(pose.as_array()[3:]) == pytest.approx(1.0)
    if part == 0.5:
        assert pose.yaw == pytest.approx(yaw / 2)


def test_only_the_messages_between_two_stamps_have_to_be_driven():
    odometry = Odometry()
    for second, x in enumerate([0.0, 100.0, 101.0, 102.0, 202.0]):
        odometry.add(second * SECOND_NS, planar(x))
    odometry.take_new()
    assert odometry.motion(SECOND_NS, 3 * SECOND_NS).x == pytest.approx(2.0)
    assert odometry.motion(0, 3 * SECOND_NS) is None
    assert odometry.motion(SECOND_NS, 4 * SECOND_NS) is None
    assert odometry.motion(SECOND_NS, 3 * SECOND_NS + 1) is None


def test_a_motion_is_seen_from_the_earlier_pose():
    odometry = Odometry()
    odometry.add(0, planar(1.0, 2.0, 90.0))
    odometry.add(SECOND_NS, planar(1.0, 4.0, 120.0))
    odometry.take_new()
    moved = odometry.motion(0, SECOND_NS)
    assert (moved.x, moved.y) == pytest.approx((2.0, 0.0))
    assert moved.yaw == pytest.approx(np.radians(30))
