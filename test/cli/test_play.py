"""`placerec play`: a bag as another process hears it."""

import itertools
import os
import signal
import subprocess
import sys

from husky_placerec.data.pacing import Pacer
from husky_placerec.ros.conversions import from_stamp
from husky_placerec.types import SECOND_NS
from nav_msgs.msg import Odometry
import pytest
import rclpy
from rclpy.context import Context
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage
from support.builders import compressed, planar, pose_message, START_NS, write_bag
from support.domains import new_domain
from support.robot import HOG, node_process, Robot, scenes_of

NEEDS = 'rclpy', 'sensor_msgs'

PERIOD_NS = SECOND_NS // 20


@pytest.fixture
def bag(tmp_path):
    """Write half a second of a camera, and odometry."""
    messages = []
    for i in range(10):
        stamp_ns = START_NS + i * PERIOD_NS
        messages.append(('/zed/image/compressed', compressed(stamp_ns)))
        messages.append(('/odom', pose_message('Odometry', stamp_ns, planar(0.1 * i))))
    return write_bag(tmp_path / 'bag', messages)


@pytest.fixture
def ears():
    """Return a node that hears, its executor's spinning, and what it heard."""
    context, domain = Context(), new_domain()
    rclpy.init(context=context, domain_id=domain)
    node = rclpy.create_node('ears', context=context, use_global_arguments=False)
    executor = rclpy.executors.SingleThreadedExecutor(context=context)
    executor.add_node(node)
    yield node, executor
    executor.shutdown()
    node.destroy_node()
    rclpy.try_shutdown(context=context)


def play(*words):
    command = [sys.executable, '-m', 'husky_placerec.cli', 'play', *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def hear(ears, kind, topic):
    stamps = []
    ears[0].create_subscription(kind, topic, lambda m: stamps.append(stamp_of(m)), 50)
    return stamps


def stamp_of(message):
    return from_stamp(message.clock if isinstance(message, Clock) else message.header.stamp)


def spin(ears, process, until=lambda: False):
    while process.poll() is None and not until():
        ears[1].spin_once(timeout_sec=0.05)
    for _ in range(30):
        ears[1].spin_once(timeout_sec=0.01)


def test_a_message_is_due_as_long_after_the_first_as_it_was_recorded():
    pacer = Pacer(2.0)
    assert pacer.now_ns() == 0
    assert pacer.left_s(START_NS) <= 0
    assert pacer.left_s(START_NS + SECOND_NS) == pytest.approx(0.5, abs=0.1)
    assert pacer.now_ns() - START_NS == pytest.approx(0, abs=SECOND_NS // 5)


@pytest.mark.ros
def test_all_that_a_bag_has_is_heard_in_its_order_with_its_time(bag, ears):
    images = hear(ears, CompressedImage, '/zed/image/compressed')
    odometry = hear(ears, Odometry, '/odom')
    clock = hear(ears, Clock, '/clock')
    process = play(bag, '--clock')
    spin(ears, process)
    expected = [START_NS + i * PERIOD_NS for i in range(10)]
    assert process.wait(10) == 0, process.stderr.read()
    assert images == odometry == expected
    assert clock == sorted(clock)
    assert len(clock) > len(expected)  # it goes on between the messages
    assert min(clock) >= START_NS


@pytest.mark.ros
def test_it_loops_under_a_namespace_until_it_is_stopped(bag, ears):
    images = hear(ears, CompressedImage, '/a200_0000/zed/image/compressed')
    odometry = hear(ears, Odometry, '/a200_0000/odom')
    options = '--loop', '--rate', 4, '--namespace', 'a200_0000', '--topic', 'zed/image/compressed'
    process = play(bag, *options)
    spin(ears, process, until=lambda: len(images) >= 25)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0, process.stderr.read()
    # A busy machine may lose an image; each is of the bag, and they began anew.
    assert set(images) <= {START_NS + i * PERIOD_NS for i in range(10)}
    assert sum(after < before for before, after in itertools.pairwise(images)) >= 2
    assert not odometry


@pytest.mark.parametrize(
    ('words', 'expected'),
    [
        (['nowhere'], ['nowhere', 'no such bag']),
        (['{bag}', '--topic', 'lidar'], ['/lidar', '/odom']),
    ],
)
def test_what_cannot_be_played_is_refused(bag, placerec, words, expected):
    result = placerec('play', *(word.format(bag=bag) for word in words))
    assert result.returncode == 2
    assert all(word in result.stderr for word in expected), result.stderr
    assert 'Traceback' not in result.stderr


@pytest.mark.ros
def test_a_node_with_the_bags_time_finds_its_stamps_of_now(drives, map_path, tmp_path):
    robot = Robot(scenes_of(drives[1]), new_domain())
    values = {**HOG, 'map': str(map_path), 'max_age': 5.0}
    try:
        with node_process(tmp_path, values, '-p', 'use_sim_time:=true') as process:
            assert robot.found(), process.log()
            player = play(drives[1], '--rate', 10, '--clock', '--loop')
            try:
                assert robot.wait(lambda: len(robot.pose_stamps) >= 10, 30), robot.statuses
                assert robot.says('OK', of='front')
                assert '/clock' not in robot.message('front')
            finally:
                player.send_signal(signal.SIGINT)
                player.wait(10)
    finally:
        robot.close()
    assert os.environ['ROS_DOMAIN_ID']
