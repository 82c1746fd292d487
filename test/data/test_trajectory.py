"""Poses over time: interpolated where they are known, refused where they are not."""

from __future__ import annotations

from husky_placerec.data.pose_file import read_tum
from husky_placerec.data.stamps import parse_stamp
from husky_placerec.data.trajectory import (
    poses_at,
    poses_or_none,
    Trajectory,
)
from husky_placerec.errors import InputError
from husky_placerec.types import Pose, SECOND_NS
import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from support.builders import START_NS


def yaw(degrees):
    return Rotation.from_euler('z', degrees, degrees=True).as_quat()


def drive(seconds, xs, yaws=None, start=START_NS):
    """Make a trajectory along x."""
    yaws = [0] * len(xs) if yaws is None else yaws
    stamps = [start + round(s * SECOND_NS) for s in seconds]
    return Trajectory.make(stamps, [[x, 2 * x, -x, *yaw(a)] for x, a in zip(xs, yaws)], 'source')


def at(trajectory, second):
    return trajectory.at(np.array([START_NS + round(second * SECOND_NS)]))[0]


def stamps(*seconds):
    return START_NS + np.array([round(s * SECOND_NS) for s in seconds], np.int64)


def test_positions_are_on_the_line_between_their_neighbours():
    trajectory = drive([0, 1, 3], [0, 10, 50])
    np.testing.assert_allclose(at(trajectory, 0.25)[:3], [2.5, 5, -2.5])
    np.testing.assert_allclose(at(trajectory, 2)[:3], [30, 60, -30])
    np.testing.assert_allclose(at(trajectory, 3)[:3], [50, 100, -50])


def test_a_microsecond_counts_in_stamps_of_today_and_after_a_day_of_driving():
    trajectory = drive([0, 86400, 86401], [0, 0, 1e6])
    assert at(trajectory, 86400 + 1e-6)[0] == pytest.approx(1, rel=1e-3)
    assert at(drive([0, 1], [0, 1e9]), 0.5 + 1e-9)[0] - 5e8 == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ('begin', 'end', 'share', 'expected'),
    [(0, 90, 1 / 3, 30), (170, -170, 0.5, 180), (-170, 160, 0.5, 175), (-90, 80, 0.1, -73)],
)
def test_headings_turn_at_one_speed_the_short_way(begin, end, share, expected):
    found = Rotation.from_quat(at(drive([0, 1], [0, 0], [begin, end]), share)[3:])
    assert (found.inv() * Rotation.from_quat(yaw(expected))).magnitude() < 1e-6


def test_a_quaternion_of_the_other_sign_is_the_same_heading():
    poses = [[0, 0, 0, *yaw(10)], [0, 0, 0, *-yaw(20)]]
    trajectory = Trajectory.make([START_NS, START_NS + SECOND_NS], poses, 'source')
    found = Rotation.from_quat(at(trajectory, 0.5)[3:])
    assert (found.inv() * Rotation.from_quat(yaw(15))).magnitude() < 1e-6


def test_nothing_is_extrapolated_and_gaps_are_not_bridged():
    trajectory = drive([0, 1, 4, 5], [0, 1, 4, 5])
    wanted = stamps(-1e-9, 0, 0.5, 1, 1 + 1e-9, 2.5, 4 - 1e-9, 4, 5, 5 + 1e-9)
    covered = trajectory.covers(wanted, 2 * SECOND_NS)
    assert covered.tolist() == [False, True, True, True, False, False, False, True, True, False]
    assert trajectory.covers(stamps(2.5), 3 * SECOND_NS).all()
    assert not trajectory.covers(stamps(2.5), 3 * SECOND_NS - 1).any()


def test_a_single_pose_is_for_its_own_stamp_alone():
    trajectory = drive([0], [7])
    assert trajectory.covers(stamps(-1e-9, 0, 1e-9), SECOND_NS).tolist() == [False, True, False]
    np.testing.assert_array_equal(trajectory.at(stamps(0, 0))[:, 0], [7, 7])


def test_frames_without_a_pose_are_counted_and_both_spans_named():
    trajectory = drive([0, 1], [0, 1])
    np.testing.assert_allclose(poses_at(trajectory, stamps(0.5, 1), 1.0)[:, 0], [0.5, 1])
    wanted = stamps(-2, 0.5, 3)
    with pytest.raises(InputError) as caught:
        poses_at(trajectory, wanted, 1.5)
    expected = ['source: ', '2 of 3 frames', wanted[0], wanted[2], *stamps(0, 1), 'at most 1.5 s']
    assert all(str(part) in str(caught.value) for part in expected)


def test_frames_without_a_pose_have_none_and_the_others_keep_theirs():
    found = poses_or_none(drive([0, 1, 9], [0, 1, 9]), stamps(-1, 0.5, 5, 1), 2.0)
    assert [pose and round(pose.x, 6) for pose in found] == [None, 0.5, None, 1.0]
    assert isinstance(found[1], Pose)
    assert poses_or_none(drive([0], [0]), stamps(1, 2), 2.0) == [None, None]


def test_poses_may_come_in_any_order_and_the_first_of_equal_stamps_counts():
    trajectory = drive([2, 0, 1, 0], [20, 0, 10, 99])
    assert trajectory.stamps_ns.tolist() == stamps(0, 1, 2).tolist()
    assert trajectory.poses[:, 0].tolist() == [0, 10, 20]


@pytest.mark.parametrize('column', range(7))
@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_a_value_that_is_not_finite_is_refused_with_its_stamp(column, value):
    poses = [[0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 1]]
    poses[0][column] = value
    with pytest.raises(InputError, match=rf'source: the pose at {START_NS + 1} .* not finite'):
        Trajectory.make([START_NS + 1, START_NS], poses, 'source')


@pytest.mark.parametrize(
    ('length', 'good'), [(0, False), (0.98, False), (1.02, False), (1.005, True)]
)
def test_quaternions_are_of_unit_length_or_nearly(length, good):
    poses = [[0, 0, 0, *(yaw(33) * length)]]
    if good:
        found = Trajectory.make([START_NS], poses, 'source').poses[0, 3:]
        np.testing.assert_allclose(found, yaw(33), atol=1e-12)
    else:
        with pytest.raises(InputError, match=rf'quaternion at {START_NS} has length {length:.3f}'):
            Trajectory.make([START_NS], poses, 'source')


@pytest.mark.parametrize(
    ('text', 'stamp_ns'),
    [
        ('1700000000.123456789', 1_700_000_000_123_456_789),
        ('1700000000.000000001', 1_700_000_000_000_000_001),
        ('1.7e9', 1_700_000_000_000_000_000),
        ('0.5', 500_000_000),
        ('1700000000', 1_700_000_000_000_000_000),
        ('1700000000123456', 1_700_000_000_123_456_000),
        ('1700000000123456789', 1_700_000_000_123_456_789),
    ],
)
def test_stamps_are_exact_in_seconds_microseconds_and_nanoseconds(text, stamp_ns, tmp_path):
    file = tmp_path / 'poses.tum'
    file.write_text(f'{text} 1 2 3 0 0 0 1\n')
    assert parse_stamp(text) == stamp_ns
    assert read_tum(file).stamps_ns.tolist() == [stamp_ns]


def test_a_tum_file_may_have_comments_commas_and_blank_lines(tmp_path):
    file = tmp_path / 'poses.tum'
    file.write_text('# stamp x y z\n\n1.5 1 2 3 0 0 0 1 # here\n2.5,4,5,6e0,0,0,1,0\r\n')
    trajectory = read_tum(file)
    assert trajectory.stamps_ns.tolist() == [1_500_000_000, 2_500_000_000]
    assert trajectory.poses.tolist() == [[1, 2, 3, 0, 0, 0, 1], [4, 5, 6, 0, 0, 1, 0]]
    assert trajectory.source == str(file)


@pytest.mark.parametrize(
    'line',
    [
        '1 2 3',
        '1 2 3 4 0 0 0 1 9',
        'x 1 2 3 0 0 0 1',
        '1 1 2 3 0 0 zero 1',
        '1;2;3',
        'nan 1 2 3 0 0 0 1',
        'inf 1 2 3 0 0 0 1',
        '-1 1 2 3 0 0 0 1',
        '17000000000000000 1 2 3 0 0 0 1',  # more than 64 bits in ns
        '1e12 1 2 3 0 0 0 1',
    ],
)
def test_a_bad_line_is_named_by_its_number(line, tmp_path):
    file = tmp_path / 'poses.tum'
    file.write_text(f'# head\n1 1 2 3 0 0 0 1\n{line}\n')
    with pytest.raises(InputError, match=r'poses\.tum:3: .*expected "stamp x y z qx qy qz qw"'):
        read_tum(file)


@pytest.mark.parametrize('data', [None, b'\xff\xfe', b'', b'# nothing\n'])
def test_a_file_without_poses_is_named(data, tmp_path):
    file = tmp_path / 'poses.tum'
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(InputError, match=r'poses\.tum: (cannot be read|no poses)'):
        read_tum(file)


def test_a_position_that_no_robot_has_is_a_broken_pose():
    poses = [[1e308, 0, 0, 0, 0, 0, 1], [1, 0, 0, 0, 0, 0, 1]]
    with pytest.raises(InputError, match=r'not finite, or over 1e\+12 m'):
        Trajectory.make([START_NS, START_NS + 1], poses, 'source')
