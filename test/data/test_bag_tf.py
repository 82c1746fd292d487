"""Poses from TF alone (AMCL, slam_toolbox) and from messages with one transform."""

from __future__ import annotations

from husky_placerec.data.bag import Bag
from husky_placerec.data.source import find_trajectory
from husky_placerec.errors import InputError
from husky_placerec.types import Pose, SECOND_NS
import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer
from support.builders import header, MS, planar, START_NS, TYPES

TF, STAMPED = 'tf2_msgs/msg/TFMessage', 'geometry_msgs/msg/TransformStamped'
MAKE = {name.split('/')[-1]: message for name, message in TYPES.types.items()}
MAP_TO_ODOM = planar(10.0, 5.0, 90.0)


def transform(stamp_ns, parent, child, pose):
    inside = MAKE['Transform'](
        MAKE['Vector3'](pose.x, pose.y, pose.z),
        MAKE['Quaternion'](pose.qx, pose.qy, pose.qz, pose.qw),
    )
    return MAKE['TransformStamped'](header(stamp_ns, parent), child, inside)


def write(path, messages, kind=TF):
    """Write a bag of (topic, stamp in ns, list of transforms), or one transform each."""
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        topics = dict.fromkeys(topic for topic, *_ in messages)
        made = {topic: writer.add_connection(topic, kind, typestore=TYPES) for topic in topics}
        for topic, stamp_ns, transforms in messages:
            message = MAKE['TFMessage'](transforms) if kind == TF else transforms
            writer.write(made[topic], stamp_ns, TYPES.serialize_cdr(message, kind))
    return path


def drive(names=('map', 'odom', 'base_link'), count=20, topic='/tf'):
    """Return TF of a robot that drives straight on in odom, with a correction each second."""
    messages = []
    for i in range(count):
        at = START_NS + i * 100 * MS
        messages.append((topic, at, [transform(at, names[1], names[2], planar(0.1 * i))]))
        if i % 10 == 0:
            messages.append((topic, at, [transform(at, names[0], names[1], MAP_TO_ODOM)]))
    return messages


@pytest.mark.parametrize(
    ('names', 'topic'),
    [
        (('map', 'odom', 'base_link'), '/tf'),
        (('/map', '/odom', '/base_link'), '/tf'),
        (('map', 'a200_0000/odom', 'a200_0000/base_link'), '/a200_0000/tf'),
    ],
)
def test_tf_from_map_over_odom_to_base_link_is_the_truth(tmp_path, names, topic):
    with Bag(write(tmp_path / 'drive', drive(names, 11, topic))) as bag:
        assert bag.pose_topics() == [topic]
        found = find_trajectory(bag, None)
    assert (found.frame_id, found.child_frame_id) == ('map', 'base_link')
    assert len(found.stamps_ns) == 11
    expected = [(MAP_TO_ODOM @ planar(0.1 * i)).as_array() for i in range(11)]
    np.testing.assert_allclose(found.poses, expected, atol=1e-9)


def test_static_links_and_links_that_are_told_the_other_way_count(tmp_path):
    lever = Pose(0.3, 0.0, 0.2, 0.0, 0.0, 0.0, 1.0)  # of the footprint in base_link
    messages = drive(('map', 'odom', 'base_footprint'), 11)
    messages.append(
        ('/tf_static', START_NS, [transform(START_NS, 'base_link', 'base_footprint', lever)])
    )
    with Bag(write(tmp_path / 'drive', messages)) as bag:
        found = find_trajectory(bag, '/tf')
    expected = [(MAP_TO_ODOM @ planar(0.1 * i) @ lever.inverse()).as_array() for i in range(11)]
    np.testing.assert_allclose(found.poses, expected, atol=1e-9)


def test_a_map_frame_that_is_told_once_holds_for_the_drive(tmp_path):
    with Bag(write(tmp_path / 'drive', drive(count=10))) as bag:
        assert len(find_trajectory(bag, None).stamps_ns) == 10


def test_no_pose_is_made_where_the_localization_paused(tmp_path):
    messages = [m for m in drive(count=100) if m[2][0].header.frame_id == 'odom']
    corrections = [0, 1, 2, 6, 7, 8, 9]
    for second in corrections:
        at = START_NS + second * SECOND_NS
        messages.append(('/tf', at, [transform(at, 'map', 'odom', MAP_TO_ODOM)]))
    with Bag(write(tmp_path / 'drive', messages)) as bag:
        seconds = (find_trajectory(bag, None).stamps_ns - START_NS) / SECOND_NS
    assert not ((seconds > 2) & (seconds < 6)).any()
    assert len(seconds) == 21 + 31


def test_tf_that_only_drifts_is_no_truth(tmp_path):
    messages = [m for m in drive() if m[2][0].header.frame_id == 'odom']
    with Bag(write(tmp_path / 'drive', messages)) as bag:
        assert bag.pose_topics() == []
        with pytest.raises(InputError, match='from map to base_link; there are: odom to'):
            find_trajectory(bag, '/tf')


def test_transform_stamped_is_a_source_of_poses(tmp_path):
    messages = [
        (
            '/vicon',
            START_NS + i * SECOND_NS,
            transform(START_NS + i * SECOND_NS, 'world', 'base_link', planar(float(i))),
        )
        for i in range(5)
    ]
    with Bag(write(tmp_path / 'drive', messages, STAMPED)) as bag:
        found = find_trajectory(bag, None)
    assert found.source.endswith('/vicon')
    assert (found.frame_id, found.child_frame_id) == ('world', 'base_link')
    np.testing.assert_allclose(found.poses[:, 0], range(5))
