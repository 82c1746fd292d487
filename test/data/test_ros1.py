"""Bags of ROS 1: their messages become those of ROS 2, with their stamps."""

from __future__ import annotations

from husky_placerec.data.bag import Bag
from husky_placerec.types import SECOND_NS
import numpy as np
import pytest
from rosbags.rosbag1 import Writer
from rosbags.typesys import get_types_from_msg, get_typestore, Stores
from support.builders import START_NS, TYPES

ROS1 = get_typestore(Stores.ROS1_NOETIC)
TF1 = 'tf/msg/tfMessage'
ROS1.register(get_types_from_msg('geometry_msgs/TransformStamped[] transforms', TF1))
MAKE = {name.split('/')[-1]: message for name, message in ROS1.types.items()}
IMAGE, ODOM, INFO = '/image/compressed', '/odom', '/camera_info'


def header(number, frame_id='odom'):
    stamp = ROS1.types['builtin_interfaces/msg/Time'](
        *divmod(START_NS + number * SECOND_NS, SECOND_NS)
    )
    return MAKE['Header'](77, stamp, frame_id)  # ROS 1 has a number before the stamp


def image(number):
    return MAKE['CompressedImage'](header(number), 'jpeg', np.arange(number + 5, dtype=np.uint8))


def odometry(number):
    pose = MAKE['Pose'](MAKE['Point'](1.0 * number, 2.0, 3.0), MAKE['Quaternion'](0, 0, 0, 1.0))
    still = MAKE['Twist'](MAKE['Vector3'](0, 0, 0), MAKE['Vector3'](0, 0, 0))
    zeros = np.zeros(36)
    return MAKE['Odometry'](
        header(number),
        'base_link',
        MAKE['PoseWithCovariance'](pose, zeros),
        MAKE['TwistWithCovariance'](still, zeros),
    )


def info(number):
    region = MAKE['RegionOfInterest'](0, 0, 0, 0, False)
    k, p = np.arange(9, dtype=np.float64), np.arange(12, dtype=np.float64)
    return MAKE['CameraInfo'](
        header(number), 48, 64, 'plumb_bob', np.arange(5.0), k, k, p, 0, 0, region
    )


def transform(number):
    turn = MAKE['Quaternion'](0, 0, 0, 1.0)
    inside = MAKE['Transform'](MAKE['Vector3'](1.0 * number, 0, 0), turn)
    return MAKE['tfMessage']([MAKE['TransformStamped'](header(number), 'base_link', inside)])


TOPICS = {IMAGE: image, ODOM: odometry, INFO: info, '/tf': transform}


@pytest.fixture
def bag(tmp_path):
    with Writer(tmp_path / 'drive.bag') as writer:
        made = {
            topic: writer.add_connection(topic, make(0).__msgtype__, typestore=ROS1)
            for topic, make in TOPICS.items()
        }
        for number in range(3):
            for topic, make in TOPICS.items():
                message = make(number)
                data = ROS1.serialize_ros1(message, message.__msgtype__)
                writer.write(made[topic], START_NS + number * SECOND_NS, data)
    with Bag(tmp_path / 'drive.bag') as opened:
        yield opened


def test_what_is_played_are_cdr_messages_of_ros_2(bag):
    read = {topic: [] for topic in TOPICS}
    for topic, recorded_ns, data in bag.recorded({topic: topic for topic in TOPICS}):
        read[topic].append((recorded_ns, TYPES.deserialize_cdr(data, bag.topics[topic])))
    assert bag.topics['/tf'] == 'tf2_msgs/msg/TFMessage'
    for number in range(3):
        at = START_NS + number * SECOND_NS
        for topic in TOPICS:
            assert read[topic][number][0] == at
        for topic in (IMAGE, ODOM, INFO):
            stamp = read[topic][number][1].header.stamp
            assert stamp.sec * SECOND_NS + stamp.nanosec == at
        np.testing.assert_array_equal(read[IMAGE][number][1].data, np.arange(number + 5))
        assert read[ODOM][number][1].pose.pose.position.x == number
        np.testing.assert_array_equal(read[INFO][number][1].k, np.arange(9))
        moved = read['/tf'][number][1].transforms[0]
        assert (moved.transform.translation.x, moved.child_frame_id) == (number, 'base_link')


def test_the_stamps_beside_the_bytes_are_those_of_the_headers(bag):
    stamps = [ns for _, ns, _ in bag.serialized({IMAGE: 'front'})]
    assert stamps == [START_NS + number * SECOND_NS for number in range(3)]


def test_its_odometry_is_read(bag):
    assert bag.odometry().poses[:, 0].tolist() == [0.0, 1.0, 2.0]
