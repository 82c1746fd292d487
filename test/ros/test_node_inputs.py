"""What the node takes in, what it lets through, and how that is set while it runs, over DDS."""

import json
import time

from husky_placerec.ros.conversions import to_header
from husky_placerec.types import SECOND_NS
import pytest
from sensor_msgs.msg import Image
from support.builders import planar

NEEDS = 'rclpy', 'sensor_msgs'

pytestmark = pytest.mark.ros


def test_the_encoding_changes_midway_and_what_is_no_colour_is_counted_and_named(start_robot):
    raw = {f'camera.{name}.transport': 'raw' for name in ('front', 'back')}
    robot = start_robot(raw, transport='raw')
    assert robot.found()

    def send(encoding, count=2):
        for _ in range(count):
            header = to_header(time.time_ns(), 'camera')
            message = Image(header=header, height=48, width=64, step=128, encoding=encoding)
            message.data.frombytes(bytes(48 * 128 * 3))
            for publisher in robot.cameras.values():
                publisher.publish(message)
            robot.pause(0.2)

    for encoding in ('mono16', 'bayer_rggb8', 'nv21'):
        processed = int(robot.value('frames processed') or 0)
        send(encoding)
        assert robot.counts('frames processed', processed + 1), encoding
    assert int(robot.value('images that do not decode')) == 0
    # Of no colour, unknown, and with rows that are too short for their width.
    for encoding in ('8UC3', 'nonsense', 'rgb8'):
        broken = int(robot.value('images that do not decode'))
        send(encoding)
        assert robot.says('WARN', 'image: ', encoding)
        assert robot.counts('images that do not decode', broken + 2), encoding
    send('mono8')
    assert robot.process.poll() is None


def test_it_can_be_switched_off_and_on(start_robot):
    robot = start_robot()
    assert robot.recovers()
    assert robot.enable(False)
    robot.pause(0.3)
    poses = len(robot.pose_stamps)
    robot.drive(10)
    assert len(robot.pose_stamps) == poses
    assert robot.says('OK', 'disabled by ~/enable', period_ns=SECOND_NS // 10)
    assert robot.enable(True)
    assert robot.recovers()


def test_thresholds_and_rates_change_while_it_runs(start_robot):
    robot = start_robot()
    assert robot.recovers()
    assert robot.set(max_rate=2.0) == ''
    before = len(robot.pose_stamps)
    robot.drive(20)  # two seconds
    assert 3 <= len(robot.pose_stamps) - before <= 6
    assert robot.counts('frames held back', 10)
    assert robot.set(max_rate=0.0, min_similarity=1.0) == ''
    robot.pause(0.5)
    before = len(robot.pose_stamps)
    robot.drive(10)
    assert len(robot.pose_stamps) == before
    assert robot.set(min_similarity=0.6) == ''
    assert robot.recovers()
    described = robot.describe('max_rate')
    assert described.description.endswith('[Hz]')
    assert not described.read_only
    assert described.floating_point_range[0].to_value == 1000.0
    assert robot.describe('map').read_only


def test_old_frames_are_held_back_and_a_replay_without_clock_is_named(start_robot):
    robot = start_robot({'max_age': 1.0})
    assert robot.recovers()
    late = dict.fromkeys(['front', 'back'], -3 * SECOND_NS)
    assert robot.says('stamps are 3.', 'clocks', of='front', shift_ns=late)
    assert robot.counts('   too old', 3)
    before = len(robot.pose_stamps)
    replay = dict.fromkeys(['front', 'back'], -3600 * SECOND_NS)
    words = 'WARN', 'a replay without /clock', 'use_sim_time'
    assert robot.says(*words, of='front', shift_ns=replay), robot.statuses
    assert len(robot.pose_stamps) > before


def test_a_robot_that_stands_is_recognised_once_where_that_is_asked(start_robot):
    robot = start_robot({'odometry_topic': 'platform/odom', 'min_travel': 1.0})
    assert robot.found()
    assert robot.wait(robot.odometry.get_subscription_count)
    for i in range(20):
        robot.move(time.time_ns(), planar(5.0 + 0.01 * i))
        robot.drive(1)
    assert robot.counts('   too near', 10)
    poses = len(robot.pose_stamps)
    for i in range(20):
        robot.move(time.time_ns(), planar(5.0 + 0.3 * i))
        robot.drive(1)
    assert len(robot.pose_stamps) >= poses + 3


def test_the_odometry_that_was_used_is_in_the_log(start_robot, tmp_path):
    log = tmp_path / 'log.jsonl'
    robot = start_robot({'odometry_topic': 'platform/odom', 'recognitions_file': str(log)})
    assert robot.found()
    assert robot.wait(robot.odometry.get_subscription_count)
    for i in range(20):
        robot.move(time.time_ns(), planar(0.1 * i))
        robot.drive(1)
    assert robot.counts('frames processed', 10)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    poses = [pose for line in lines for pose in line['odometry']]
    assert len(poses) >= 10
    assert [x for _, x, *_ in poses] == pytest.approx(sorted(x for _, x, *_ in poses))
