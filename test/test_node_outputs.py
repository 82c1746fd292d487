"""What the node publishes, and to whom, over DDS."""

import pytest

rclpy = pytest.importorskip('rclpy')

from husky_placerec.types import SECOND_NS  # noqa: E402
import numpy as np  # noqa: E402
from robot import OUTPUTS, Robot  # noqa: E402

pytestmark = pytest.mark.ros

# A calibrated map as the node sees it: what it publishes does not depend on how good it is.
CALIBRATED = """
import dataclasses
from husky_placerec.recognition.recognizer import Recognizer
recognize = Recognizer.recognize
def sure(self, frame):
    found = recognize(self, frame)
    said = dict(accepted=True, reason=None, probability=0.99, covariance=(4.0, 1.0) + (0.1,) * 4)
    measurement = dataclasses.replace(found.measurement, **said, covariance_xy=(4.0, 0.5, 1.0))
    return dataclasses.replace(found, **said, state='LOCALIZED', measurement=measurement)
Recognizer.recognize = sure
Recognizer.calibration = 'own'
"""


def test_all_that_is_said_about_a_place(start_robot, drives, tmp_path, placerec):
    pictured = tmp_path / 'pictured.map'
    options = '--thumbnails', 160, '-s', 'extractor=hog'
    assert placerec('map', 'build', drives[0], pictured, *options).returncode == 0
    robot = start_robot({'map': str(pictured)}, before=CALIBRATED, listen=OUTPUTS)
    late = robot.heard['state']
    assert robot.found(), robot.process.log()
    robot.drive(20)
    assert robot.wait(lambda: robot.heard['match_image'])
    (pose, measured) = robot.heard['pose'][-1], robot.heard['pose_with_covariance'][-1]
    told = [robot.heard[name][-1] for name in ('candidates', 'match_image')]
    assert {message.header.frame_id for message in (pose, measured, *told)} == {'map'}
    covariance = np.array(measured.pose.covariance).reshape(6, 6)
    assert np.diag(covariance) == pytest.approx([4.0, 1.0, *[0.1] * 4])
    assert covariance[0, 1] == covariance[1, 0] == 0.5
    places = [m.pose.pose.position for m in robot.heard['pose_with_covariance']]
    steps = np.hypot(np.diff([p.x for p in places]), np.diff([p.y for p in places]))
    assert len(places) >= 3
    assert (steps >= 3.0).all()
    assert len(robot.heard['pose']) > len(places)
    assert [state.data for state in late] == ['LOCALIZED']
    assert len(robot.heard['candidates'][-1].poses) == 10
    picture = robot.heard['match_image'][-1]
    pixels = np.frombuffer(picture.data, np.uint8).reshape(picture.height, picture.width, 3)
    above, below = pixels[:90], pixels[90:180]
    assert above.std() > 10
    assert below.std() > 10
    texts = [m.text for m in robot.heard['markers'][-1].markers]
    assert 'LOCALIZED recognised 0.99' in texts

    again = Robot(robot.scenes, robot.context.get_domain_id(), listen=['state'])
    try:  # who comes late hears the state all the same
        assert again.wait(lambda: [s.data for s in again.heard['state']] == ['LOCALIZED'])
    finally:
        again.close()


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


def test_an_initial_pose_is_given_once_and_on_request(start_robot):
    robot = start_robot({'initial_pose': 'once', 'initial_pose_spacing': 6.0}, before=CALIBRATED)
    assert robot.recovers()  # nobody listens to initialpose yet: it waits
    robot.listen_to_initial_poses()
    assert robot.wait(lambda: robot.recovers() and robot.initial_poses, 30)
    robot.drive(10)
    assert len(robot.initial_poses) == 1
    given = robot.initial_poses[0]
    assert given.header.frame_id == 'map'
    covariance = np.array(given.pose.covariance).reshape(6, 6)
    assert covariance[0, 1] == 0.0  # diagonal, since AMCL refuses what is negative
    stamps = {round(s / 1e6) for s in robot.pose_stamps}
    sec, nanosec = given.header.stamp.sec, given.header.stamp.nanosec
    assert round((sec * SECOND_NS + nanosec) / 1e6) in stamps  # the image's, never now

    done, message = robot.trigger('relocalize')
    assert done
    assert 'initialpose' in message
    robot.drive(len(robot.scenes))
    assert robot.wait(lambda: len(robot.initial_poses) == 2)
    first, second = (m.pose.pose.position for m in robot.initial_poses)
    assert np.hypot(first.x - second.x, first.y - second.y) >= 6.0


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
    if pytest.importorskip('importlib.util').find_spec('tf2_msgs') is None:
        robot = start_robot({'publish_tf': True, 'odometry_topic': 'odom'}, namespace='/again')
        assert robot.recovers()
        assert 'tf2_msgs is not installed' in robot.process.log()
