"""What the node publishes, and to whom, over DDS."""

import time

from husky_placerec.ros.message_types import message_class
from husky_placerec.types import SECOND_NS
import pytest
from support.builders import planar
from support.needs import needs
from support.robot import ANSWER_S

NEEDS = ('rclpy',)

pytestmark = pytest.mark.ros


def test_pictures_are_made_only_while_somebody_looks(start_robot):
    count = """
from husky_placerec.ros import outputs
made = outputs.match_image
def counted(*arguments):
    print('a picture', flush=True)
    return made(*arguments)
outputs.match_image = counted
"""
    robot = start_robot(before=count)
    assert robot.recovers()
    assert 'a picture' not in robot.process.log()
    looking = robot.listen('match_image')
    assert robot.wait(lambda: robot.recovers() and 'a picture' in robot.process.log(), 30)
    robot.node.destroy_subscription(looking)
    robot.pause(0.5)
    pictures = robot.process.log().count('a picture')
    assert robot.recovers()
    assert robot.process.log().count('a picture') == pictures


def test_an_uncalibrated_map_never_gives_an_initial_pose_and_says_so(start_robot):
    robot = start_robot({'initial_pose': 'once'})
    robot.listen_to_initial_poses()
    assert robot.recovers()
    assert robot.says('WARN', 'uncalibrated', 'placerec calibrate', period_ns=SECOND_NS // 10)
    assert not robot.initial_poses
    assert not robot.heard['pose_with_covariance']


def test_a_transform_without_tf2_or_odometry_is_refused_or_warned_about(start_robot):
    robot = start_robot({'publish_tf': True})
    assert robot.process.wait(30) == 2
    assert 'odometry_topic' in robot.process.log()
    robot = start_robot(
        {'publish_tf': True, 'odometry_topic': 'odom'},
        namespace='/again',
        before="import sys; sys.modules['tf2_msgs'] = sys.modules['tf2_msgs.msg'] = None",
    )
    assert robot.recovers()
    assert 'tf2_msgs is not installed' in robot.process.log()


@needs('tf2_msgs')
def test_the_transform_from_map_to_odom_is_broadcast(start_robot):
    robot = start_robot({'publish_tf': True, 'odometry_topic': 'platform/odom'})
    heard = []
    kind = message_class('tf2_msgs/msg/TFMessage')
    robot.node.create_subscription(kind, '/tf', heard.append, 10)
    end = time.monotonic() + ANSWER_S
    while not heard and time.monotonic() < end:
        robot.move(time.time_ns(), planar(3.0))
        robot.drive(1)
    (stamped,) = heard[-1].transforms
    assert (stamped.header.frame_id, stamped.child_frame_id) == ('map', 'odom')
