"""What the messages of a topic say about their poses: the frame, and the covariance."""

from __future__ import annotations

from husky_placerec.data.bag import Bag
from husky_placerec.data.source import find_trajectory, find_truth
from husky_placerec.errors import InputError
import numpy as np
import pytest
from support.builders import MS, planar, pose_message, START_NS, write_bag

COUNT = 60
KINDS = ('PoseStamped', 'PoseWithCovarianceStamped', 'Odometry')


def drive(kind='Odometry', frames=('map',) * COUNT):
    """Return messages of a drive eastwards in one frame or several."""
    messages = []
    for i, frame_id in enumerate(frames):
        message = pose_message(kind, START_NS + i * 200 * MS, planar(10 + 0.2 * i))
        message.header.frame_id = frame_id
        messages.append(('/pose', message))
    return messages


@pytest.fixture
def read(tmp_path):
    """Return a function that writes a bag and returns what another one reads of it."""

    def reading(messages, reader=lambda bag: find_trajectory(bag, None)):
        with Bag(write_bag(tmp_path / 'drive', messages)) as bag:
            return reader(bag)

    return reading


@pytest.mark.parametrize('kind', KINDS)
def test_a_slash_before_a_frame_is_left_out(read, kind):
    messages = drive(kind, ('/map',) * COUNT)
    for _, message in messages:
        if kind == 'Odometry':
            message.child_frame_id = '/base_link'
    found = read(messages)
    assert (found.frame_id, found.child_frame_id) == ('map', 'base_link' * (kind == 'Odometry'))


def test_a_truth_in_the_frame_of_the_map_with_a_slash_is_one(read):
    truth = read(drive(frames=('/map',) * COUNT), lambda bag: find_truth(bag, None, 'map'))
    assert len(truth.stamps_ns) == COUNT


def test_odometry_in_a_frame_with_a_slash_is_odometry(read):
    messages = drive(frames=('/odom',) * COUNT)
    messages += [('/truth', message) for _, message in drive('PoseStamped')]
    topics = read(messages, lambda bag: (bag.pose_topics(), bag.odometry().source))
    assert topics[0] == ['/truth']
    assert topics[1].endswith(' /pose')


@pytest.mark.parametrize('kind', KINDS)
def test_a_frame_that_changes_midway_is_refused_with_both_names(read, kind):
    messages = drive(kind, ('map',) * 40 + ('odom',) * 20)
    expected = rf'40 .*in map, 20 .*in odom.*from {START_NS + 40 * 200 * MS} on.*cut the bag'
    with pytest.raises(InputError, match=expected):
        read(messages)


def test_a_few_poses_in_another_frame_are_left_out(read):
    found = read(drive(frames=('',) + ('map',) * (COUNT - 1)))
    assert len(found.stamps_ns) == COUNT - 1
    (doubt,) = found.doubts
    assert (doubt.kind, doubt.grave) == ('frames', False)
    assert '1 of base_link in (no frame)' in doubt.what


def test_poses_that_change_their_part_of_the_robot_are_refused(read):
    messages = drive()
    for _, message in messages[30:]:
        message.child_frame_id = 'camera_link'
    with pytest.raises(InputError, match=r'30 of base_link in map, 30 of camera_link in map'):
        read(messages)


@pytest.mark.parametrize('kind', KINDS[1:])
def test_poses_whose_covariance_says_lost_are_left_out(read, kind):
    messages = drive(kind)
    for _, message in messages[:10]:
        message.pose.covariance[:] = np.diag([9999.0] * 6).ravel()
    found = read(messages)
    assert len(found.stamps_ns) == COUNT - 10
    (doubt,) = found.doubts
    assert doubt.kind == 'lost'
    assert f'10 of {COUNT} poses' in doubt.what


def test_a_drive_that_is_lost_throughout_is_refused(read):
    messages = drive()
    for _, message in messages:
        message.pose.covariance[:] = np.diag([9999.0] * 6).ravel()
    with pytest.raises(InputError, match=r'all 60 poses say that the robot is lost'):
        read(messages)


def test_the_covariance_of_the_odometry_does_not_count(read):
    """It grows without bound, and the motion is right all the same."""
    messages = drive(frames=('odom',) * COUNT)
    for _, message in messages:
        message.pose.covariance[:] = np.diag([9999.0] * 6).ravel()
    assert len(read(messages, lambda bag: bag.odometry()).stamps_ns) == COUNT
