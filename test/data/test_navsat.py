"""Satellite fixes: local metres, a heading, and the origin that a map keeps."""

from __future__ import annotations

import json
import math

from husky_placerec.data.bag import Bag
from husky_placerec.data.source import find_trajectory, find_truth
from husky_placerec.errors import InputError
from husky_placerec.placemap.loading import load_map
import numpy as np
import pytest
from support.builders import compressed as image
from support.builders import (
    encode,
    MS,
    planar,
    pose_message,
    smooth_image,
    START_NS,
    write_bag,
)
from support.fixes import at, FIX, fix, IMU, imu, MIPT
from support.needs import needs


def fixes(places, step_ms=500):
    return [(FIX, fix(START_NS + i * step_ms * MS, *at(*place))) for i, place in enumerate(places)]


def read(tmp_path, messages, **options):
    with Bag(write_bag(tmp_path / 'drive', messages)) as bag:
        return find_trajectory(bag, None, **options)


def yaws(trajectory):
    return np.degrees(2 * np.arctan2(trajectory.poses[:, 5], trajectory.poses[:, 6]))


EAST_THEN_NORTH = [(float(x), 0.0) for x in range(11)] + [(10.0, float(y)) for y in range(1, 11)]


def test_fixes_become_metres_east_and_north_of_the_first(tmp_path):
    trajectory = read(tmp_path, fixes(EAST_THEN_NORTH))
    np.testing.assert_allclose(trajectory.poses[:, :2], EAST_THEN_NORTH, atol=2e-3)
    np.testing.assert_allclose(trajectory.poses[:, 2], 0, atol=1e-3)
    assert trajectory.origin == MIPT
    assert trajectory.frame_id == 'map'


def test_without_a_heading_it_is_that_of_the_motion_and_that_is_said(tmp_path):
    trajectory = read(tmp_path, fixes(EAST_THEN_NORTH))
    np.testing.assert_allclose(yaws(trajectory)[:9], 0, atol=0.1)
    np.testing.assert_allclose(yaws(trajectory)[12:], 90, atol=0.1)
    assert 'driven backwards' in ' '.join(trajectory.notes)


def test_a_halt_keeps_the_heading_and_jitter_does_not_turn_it(tmp_path):
    rng = np.random.default_rng(1)
    halt = [(5 + dx, dy) for dx, dy in rng.normal(0, 0.1, (20, 2))]
    places = [*EAST_THEN_NORTH[:6], *halt, *EAST_THEN_NORTH[6:11]]
    assert abs(yaws(read(tmp_path, fixes(places)))).max() < 15


def test_a_robot_that_never_moves_needs_a_heading(tmp_path):
    with pytest.raises(InputError, match=r'never moves 2 m.*--heading'):
        read(tmp_path, fixes([(0.1 * (i % 2), 0.0) for i in range(9)]))


def test_a_heading_from_an_imu_knows_that_the_robot_drives_backwards(tmp_path):
    away = [-math.pi if i <= 50 else -math.pi / 2 for i in range(-1, 102)]
    turns = [(IMU, imu(START_NS + i * 100 * MS, yaw)) for i, yaw in enumerate(away, -1)]
    trajectory = read(tmp_path, [*turns, *fixes(EAST_THEN_NORTH)], heading=IMU)
    np.testing.assert_allclose(abs(yaws(trajectory))[:11], 180, atol=1e-6)
    np.testing.assert_allclose(yaws(trajectory)[11:], -90, atol=1e-6)
    assert 'driven backwards' not in ' '.join(trajectory.notes)


def test_fixes_without_a_heading_nearby_are_left_out_and_counted(tmp_path):
    turns = [(IMU, imu(START_NS + i * 100 * MS, 0.0)) for i in range(51)]
    trajectory = read(tmp_path, [*turns, *fixes(EAST_THEN_NORTH)], heading=IMU)
    assert len(trajectory.poses) == 11  # those of the first 5 s
    assert '10 of 21 fixes' in ' '.join(trajectory.notes)


def test_an_imu_without_an_orientation_is_refused(tmp_path):
    turns = [(IMU, imu(START_NS + i * MS, 0.0, known=False)) for i in range(3)]
    with pytest.raises(InputError, match='/imu/data has no orientation'):
        read(tmp_path, [*turns, *fixes(EAST_THEN_NORTH)], heading=IMU)


@pytest.mark.parametrize('kind', ['PoseStamped', 'PoseWithCovarianceStamped', 'Odometry'])
def test_poses_take_their_heading_from_another_topic_or_from_the_motion(tmp_path, kind):
    """`/odometry/gps` of navsat_transform always has the orientation 0, 0, 0, 1; others none."""
    stamps = [START_NS + i * 500 * MS for i in range(21)]
    poses = [
        ('/gps_pose', pose_message(kind, stamp, planar(x, y)))
        for stamp, (x, y) in zip(stamps, EAST_THEN_NORTH)
    ]
    turns = [(IMU, imu(stamp, 0.0 if i <= 10 else 1.5)) for i, stamp in enumerate(stamps)]
    with pytest.raises(InputError, match=r'heading is always 0 degrees.*--heading motion'):
        read(tmp_path, poses)
    for name, heading, expected in (('imu', IMU, np.degrees(1.5)), ('motion', 'motion', 90.0)):
        trajectory = read(tmp_path / name, [*turns, *poses], heading=heading)
        np.testing.assert_allclose(trajectory.poses[:, :2], EAST_THEN_NORTH, atol=1e-9)
        np.testing.assert_allclose(yaws(trajectory)[:10], 0, atol=1e-6)
        np.testing.assert_allclose(yaws(trajectory)[12:], expected, atol=1e-6)
    found = read(tmp_path / 'poses', poses, heading='poses')
    assert [doubt.grave for doubt in found.doubts] == [False]
    np.testing.assert_allclose(yaws(found), 0, atol=1e-9)


def test_positions_with_quaternions_of_zeros_need_a_heading(tmp_path):
    poses = []
    for i, (x, y) in enumerate(EAST_THEN_NORTH):
        message = pose_message('PoseStamped', START_NS + i * 500 * MS, planar(x, y))
        message.pose.orientation.w = 0.0
        poses.append(('/gps_pose', message))
    with pytest.raises(InputError, match=r'length 0\.000; expected 1.*--heading'):
        read(tmp_path, poses)
    assert yaws(read(tmp_path / 'motion', poses, heading='motion'))[-1] == pytest.approx(90)


def test_fixes_have_no_orientations_of_their_own(tmp_path):
    with pytest.raises(InputError, match=r'--heading poses: .* are fixes'):
        read(tmp_path, fixes(EAST_THEN_NORTH), heading='poses')


def test_a_pose_file_takes_its_heading_from_the_motion_or_a_topic_of_the_bag(tmp_path):
    stamps = [START_NS + i * 500 * MS for i in range(21)]
    lines = [f'{s} {x} {y} 0 0 0 0 1' for s, (x, y) in zip(stamps, EAST_THEN_NORTH)]
    (tmp_path / 'gps.tum').write_text('\n'.join(lines))
    turns = [(IMU, imu(stamp, 0.0 if i <= 10 else 1.5)) for i, stamp in enumerate(stamps)]
    with Bag(write_bag(tmp_path / 'drive', turns)) as bag:
        file = str(tmp_path / 'gps.tum')
        with pytest.raises(InputError, match='heading is always 0 degrees'):
            find_trajectory(bag, file)
        assert yaws(find_trajectory(bag, file, 'motion'))[-1] == pytest.approx(90)
        assert yaws(find_trajectory(bag, file, IMU))[-1] == pytest.approx(np.degrees(1.5))


def test_messages_without_a_fix_do_not_count(tmp_path):
    lost = [(FIX, fix(START_NS - 9 * MS, 0.0, 0.0, status=-1))]
    blind = [(FIX, fix(START_NS - 8 * MS, math.nan, math.nan))]
    trajectory = read(tmp_path, [*lost, *blind, *fixes(EAST_THEN_NORTH)])
    assert len(trajectory.poses) == 21
    assert trajectory.origin == MIPT


def test_fixes_are_better_than_wheels_and_worse_than_localization(tmp_path):
    wheels = pose_message('Odometry', START_NS, planar(7.0))
    wheels.header.frame_id = 'odom'
    both = [('/odom', wheels), *fixes(EAST_THEN_NORTH)]
    with Bag(write_bag(tmp_path / 'both', both)) as bag:
        assert bag.pose_topics() == [FIX]
    steady = [('/pose', pose_message('PoseStamped', START_NS, planar(1.0)))]
    with Bag(write_bag(tmp_path / 'all', [*both, *steady])) as bag:
        assert bag.pose_topics() == ['/pose']


@needs('sklearn', 'matplotlib', 'jinja2')
def test_a_map_keeps_its_origin_and_a_later_drive_is_scored_in_the_same_frame(tmp_path, placerec):
    """The second drive begins 4 m on: by its own first fix all of its truth would be wrong."""
    for name, places in (('first', EAST_THEN_NORTH), ('second', EAST_THEN_NORTH[4:])):
        images = []
        for i, _ in enumerate(places):
            stamp = START_NS + i * 500 * MS
            seen = encode(smooth_image(i + (4 if name == 'second' else 0)))
            images += [('/front', image(stamp, seen)), ('/back', image(stamp, seen))]
        write_bag(tmp_path / name, [*images, *fixes(places)])
    topics = '--set', 'camera.front.topic=/front', '--set', 'camera.back.topic=/back'
    hog = '--set', 'extractor=hog'
    built = placerec('map', 'build', tmp_path / 'first', tmp_path / 'map', *topics, *hog)
    assert built.returncode == 0, built.stderr
    assert 'no --heading' in built.stderr
    assert 'positions of gps_link taken for base_link' in built.stderr
    assert load_map(tmp_path / 'map').origin == MIPT
    assert '55.9290000, 37.5180000' in placerec('map', 'info', tmp_path / 'map').stdout
    options = '--map', tmp_path / 'map', '-o', tmp_path / 'out', *topics
    replayed = placerec('replay', tmp_path / 'second', *options)
    assert replayed.returncode == 0, replayed.stderr
    numbers = json.loads((tmp_path / 'out' / 'summary.json').read_text())
    assert numbers['median_top1_distance_m'] < 0.01


def test_fixes_are_no_truth_for_a_map_that_does_not_know_its_place(tmp_path):
    with Bag(write_bag(tmp_path / 'drive', fixes(EAST_THEN_NORTH))) as bag:
        assert find_truth(bag, None, 'map') is None
        assert find_truth(bag, None, 'map', origin=MIPT) is not None
        assert find_truth(bag, FIX, 'map') is not None  # who names them wants them
