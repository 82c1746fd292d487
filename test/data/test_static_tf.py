"""Poses of another part of the robot, moved to base_link by the transforms of the bag."""

from __future__ import annotations

import math

from husky_placerec.data.bag import Bag
from husky_placerec.data.source import find_trajectory
from husky_placerec.data.static_tf import pose_in, transforms_of
from husky_placerec.types import Pose
import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from support.builders import header, MS, planar, pose_message, START_NS, TYPES, write_bag
from support.fixes import at, FIX, fix, IMU, imu

MAKE = {name.split('/')[-1]: message for name, message in TYPES.types.items()}
TF = 'tf2_msgs/msg/TFMessage'


def static(*transforms):
    """Make the message of (parent, child, pose)."""
    return MAKE['TFMessage'](
        [
            MAKE['TransformStamped'](
                header(START_NS, parent),
                child,
                MAKE['Transform'](
                    MAKE['Vector3'](pose.x, pose.y, pose.z),
                    MAKE['Quaternion'](pose.qx, pose.qy, pose.qz, pose.qw),
                ),
            )
            for parent, child, pose in transforms
        ]
    )


def bag_of(path, messages, *transforms, topic='/tf_static'):
    """Write a bag with static transforms, whose message has no header."""
    if not transforms:
        return write_bag(path, messages)
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        kinds = {name: message.__msgtype__ for name, message in messages} | {topic: TF}
        connections = {n: writer.add_connection(n, k, typestore=TYPES) for n, k in kinds.items()}
        data = TYPES.serialize_cdr(static(*transforms), TF)
        writer.write(connections[topic], START_NS, data)
        for name, message in messages:
            stamp = message.header.stamp
            data = TYPES.serialize_cdr(message, kinds[name])
            writer.write(connections[name], stamp.sec * 10**9 + stamp.nanosec, data)
    return path


def camera_poses(poses):
    messages = []
    for i, pose in enumerate(poses):
        message = pose_message('Odometry', START_NS + i * MS, pose)
        message.child_frame_id = 'camera'
        messages.append(('/vo', message))
    return messages


def read(path, **options):
    with Bag(path) as bag:
        return find_trajectory(bag, None, **options)


# A camera 0.5 m ahead of base_link, on a mast 1 m high, that looks to the left.
MAST = Pose(0.5, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
LEFT = Pose.planar(0.0, 0.0, math.pi / 2)


def test_poses_of_a_camera_become_those_of_the_robot(tmp_path):
    robot = [planar(2.0, 3.0, 30.0), planar(2.5, 3.1, 40.0)]
    seen = camera_poses([pose @ MAST @ LEFT for pose in robot])
    chain = ('base_link', 'mast', MAST), ('mast', 'camera', LEFT)
    trajectory = read(bag_of(tmp_path / 'drive', seen, *chain))
    np.testing.assert_allclose(trajectory.poses, [pose.as_array() for pose in robot], atol=1e-9)
    assert trajectory.child_frame_id == 'base_link'
    assert 'poses of camera, moved to base_link' in trajectory.notes[0]


def test_the_transforms_may_be_under_the_robots_namespace(tmp_path):
    chain = (('base_link', 'camera', MAST),)
    path = bag_of(
        tmp_path / 'drive', camera_poses([planar(1.5)]), *chain, topic='/j100_0000/tf_static'
    )
    np.testing.assert_allclose(read(path).poses[0, :3], [1.0, 0.0, -1.0])


def test_without_a_transform_the_poses_stay_as_they_are(tmp_path):
    for name, chain in (('none', ()), ('other', (('base_link', 'lidar', MAST),))):
        trajectory = read(bag_of(tmp_path / name, camera_poses([planar(1.5)]), *chain))
        assert trajectory.poses[0, 0] == 1.5
        assert trajectory.child_frame_id == 'camera'  # of which the commands warn


def test_an_antenna_at_the_back_does_not_shift_the_robot(tmp_path):
    antenna = Pose(-0.4, 0.0, 0.9, 0.0, 0.0, 0.0, 1.0)
    fixes = [(FIX, fix(START_NS + i * 500 * MS, *at(0.0, float(i)))) for i in range(9)]
    turns = [(IMU, imu(START_NS + i * 100 * MS, math.pi / 2)) for i in range(50)]
    path = bag_of(tmp_path / 'drive', [*fixes, *turns], ('base_link', 'gps_link', antenna))
    trajectory = read(path, heading=IMU)
    # The robot looks north, so base_link is 0.4 m north of its antenna.
    expected = [[0.0, i + 0.4, -0.9] for i in range(9)]
    np.testing.assert_allclose(trajectory.poses[:, :3], expected, atol=2e-3)
    assert not trajectory.notes


def test_an_imu_that_is_built_in_sideways_gives_the_heading_of_the_robot(tmp_path):
    sideways = Pose.planar(0.1, 0.0, -math.pi / 2)
    fixes = [(FIX, fix(START_NS + i * 500 * MS, *at(float(i), 0.0))) for i in range(9)]
    turns = [(IMU, imu(START_NS + i * 100 * MS, -math.pi / 2)) for i in range(50)]
    path = bag_of(tmp_path / 'drive', [*fixes, *turns], ('base_link', 'imu', sideways))
    np.testing.assert_allclose(read(path, heading=IMU).poses[:, 3:6], 0, atol=1e-9)


def test_transforms_are_followed_in_both_directions_and_round_circles():
    both = {('a', 'b'): MAST, ('b', 'a'): MAST.inverse(), ('b', 'c'): LEFT, ('c', 'b'): LEFT}
    assert pose_in(both, 'a', 'a') == planar(0.0)
    assert pose_in(both, 'b', 'a').x == -0.5
    assert pose_in(both, 'a', 'c').z == 1.0
    assert pose_in(both, 'a', 'nowhere') is None


def test_a_transform_that_is_none_counts_as_missing():
    message = static(('base_link', 'eye', Pose(0, 0, 0, 0, 0, 0, 0)))
    assert transforms_of(message) == {}
