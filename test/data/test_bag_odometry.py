"""The odometry of a drive: which topic or table has it, and what is said where none is used."""

from __future__ import annotations

from husky_placerec.config import make_config
from husky_placerec.data.bag import Bag
from husky_placerec.data.frames import is_base_frame, is_odometry_frame
from husky_placerec.data.odometry_table import odometry_sentence, write_odometry_table
from husky_placerec.data.source import find_trajectory, open_source, steady_topics
from husky_placerec.data.trajectory import Trajectory
from husky_placerec.errors import InputError
from husky_placerec.types import SECOND_NS
import numpy as np
import pytest
from support.builders import (
    BACK,
    FRONT,
    planar,
    START_NS,
    track_rows,
    write_bag,
    write_track_folder,
)
from support.camera_bags import camera_bag, images, PIXELS, poses, seconds

COUNT = 8


def odometry(topic='/odom', frame_id='odom', child='base_link', count=COUNT):
    found = poses(count, topic, 'Odometry')
    for _, message in found:
        message.header.frame_id = frame_id
        message.child_frame_id = child
    return found


@pytest.mark.parametrize(
    'frame', ['odom', '/odom', 'a200_0000/odom', 'odom_combined', 'robot_odom']
)
def test_odometry_in_the_frame_of_a_robot_is_used(tmp_path, frame):
    child = 'a200_0000/base_link' if '/' in frame else 'base_link'
    with Bag(write_bag(tmp_path / 'drive', odometry(frame_id=frame, child=child))) as bag:
        found = bag.odometry()
        assert bag.pose_topics() == ['/odom']
        assert steady_topics(bag) == []
    assert len(found.stamps_ns) == COUNT + 2
    assert found.child_frame_id == 'base_link'


@pytest.mark.parametrize('frame', ['map', 'a200_0000/map', 'odometry', 'world'])
def test_poses_in_another_frame_are_no_odometry(tmp_path, frame):
    with Bag(write_bag(tmp_path / 'drive', odometry(frame_id=frame))) as bag:
        assert bag.odometry() is None
        assert bag.pose_topics() == ['/odom']
    assert not is_odometry_frame(frame)


def test_the_named_topic_is_used_whatever_its_frame(tmp_path):
    messages = [*odometry('/a'), *odometry('/b', 'world')]
    with Bag(write_bag(tmp_path / 'drive', messages)) as bag:
        assert bag.odometry('b').source.endswith('/b')
        assert bag.odometry().source.endswith('/a')
        assert bag.problems.lines() == []


def test_a_named_topic_that_is_not_there_is_said(tmp_path):
    with Bag(write_bag(tmp_path / 'drive', odometry('/a'))) as bag:
        assert bag.odometry('/wheels').source.endswith('/a')
        (line,) = bag.problems.lines()
    assert line.startswith(
        'odometry_topic: no /wheels of nav_msgs/msg/Odometry; the odometry of /a'
    )


def test_of_several_the_first_is_used_and_the_others_are_named(tmp_path):
    with Bag(write_bag(tmp_path / 'drive', [*odometry('/b'), *odometry('/a')])) as bag:
        assert bag.odometry().source.endswith('/a')
        assert 'there is also /b: --set odometry_topic=TOPIC' in bag.problems.lines()[0]


@pytest.mark.parametrize(('frame', 'is_base'), [('base_link', True), ('r/base_link', True)])
def test_the_base_of_a_robot(frame, is_base):
    assert is_base_frame(frame) is is_base
    assert not is_base_frame('camera_link')


def trajectory(count, frame_id='odom'):
    stamps = [START_NS + i * SECOND_NS for i in range(count)]
    values = [planar(float(i), 0.1 * i, 3.0 * i).as_array().tolist() for i in range(count)]
    return Trajectory.make(stamps, values, '/odom', frame_id)


def test_the_sentence_says_how_much_of_the_drive_is_covered():
    stamps = START_NS + np.arange(10) * SECOND_NS
    said = odometry_sentence(trajectory(5), stamps, 2.0)
    assert said == 'odometry of /odom covers 50% of the drive (5 of 10 frames)'
    assert odometry_sentence(None, stamps, 2.0) == 'no odometry'


@pytest.mark.parametrize('layout', ['track', 'hackathon', 'folder'])
def test_a_table_beside_the_frames_has_the_odometry(tmp_path, layout):
    from support.builders import TRACK_HEADER, write_csv
    from support.folder_drives import folder_drive

    path = tmp_path / 'drive'
    beside = folder_drive(path, 0) if layout == 'folder' else write_track_folder(path)
    if layout == 'hackathon':
        beside = path / '00_day'
        write_csv(
            path / 'test.csv', ['track', *TRACK_HEADER], [['00_day', *r] for r in track_rows()]
        )
        (path / 'track.csv').unlink()
        beside.mkdir()
        for camera in ('front_cam', 'back_cam'):
            (path / camera).rename(beside / camera)
    with open_source(path) as source:
        assert source.odometry() is None
    write_odometry_table(trajectory(5), beside)
    with open_source(path) as source:
        found = source.odometry()
        assert source.pose_topics() != ['odometry.csv']
    np.testing.assert_array_equal(found.poses, trajectory(5).poses)
    np.testing.assert_array_equal(found.stamps_ns, trajectory(5).stamps_ns)
    assert found.frame_id == 'odom'


def test_a_table_that_cannot_be_used_is_said(tmp_path):
    path = write_track_folder(tmp_path / 'track')
    (path / 'odometry.csv').write_text('a,b\n1,2\n')
    with open_source(path) as source:
        assert source.odometry() is None
        assert source.problems.lines()[0].startswith('odometry not used: ')


def test_drifting_odometry_becomes_no_map_unless_it_is_named(tmp_path):
    path = write_bag(tmp_path / 'drive', odometry(frame_id='a200_0000/odom'))
    with Bag(path) as bag:
        with pytest.raises(InputError, match=r'poses in odom drift.*--poses /odom'):
            find_trajectory(bag, None)
        assert len(find_trajectory(bag, '/odom').stamps_ns) == COUNT + 2


def test_a_map_of_drifting_odometry_is_refused_and_named_it_is_made(placerec, tmp_path):
    both = images(FRONT, seconds(COUNT)), images(BACK, seconds(COUNT, 3)), odometry()
    path = write_bag(
        tmp_path / 'drive',
        sorted(
            (m for stream in both for m in stream),
            key=lambda m: (m[1].header.stamp.sec, m[1].header.stamp.nanosec),
        ),
    )
    for words in (('map', 'build', path, tmp_path / 'map', *PIXELS),):
        refused = placerec(*words)
        assert refused.returncode == 2
        assert '--poses /odom' in refused.stderr
        assert not (tmp_path / 'map').exists()
        made = placerec(*words, '--poses', '/odom')
        assert made.returncode == 0, made.stderr
        assert 'frame odom drift' in made.stderr


def test_convert_keeps_poses_and_odometry_apart(placerec, tmp_path):
    both = images(FRONT, seconds(COUNT)), images(BACK, seconds(COUNT, 3))
    drifting = odometry(count=COUNT)
    for _, message in drifting:
        message.pose.pose.position.y += 1.0
    path = camera_bag(tmp_path / 'drive', *both, drifting, count=COUNT)
    track, again = tmp_path / 'track', tmp_path / 'again'
    made = placerec('convert', path, track)
    assert made.returncode == 0, made.stderr
    assert f'{COUNT + 2} poses of odometry' in made.stdout
    assert placerec('convert', track, again).returncode == 0
    for source_path in (track, again):
        with open_source(source_path) as source:
            wheels, truth = source.odometry(), find_trajectory(source, None)
            assert list(source.frames(make_config({})))
        assert (wheels.poses[:, 1] == 1.0).all()
        assert (truth.poses[:, 1] == 0.0).all()
        assert wheels.stamps_ns.tolist() == [
            START_NS + i * SECOND_NS for i in range(-1, COUNT + 1)
        ]


def test_a_replay_uses_the_odometry_that_is_named(placerec, tmp_path):
    both = images(FRONT, seconds(COUNT)), images(BACK, seconds(COUNT, 3))
    path = camera_bag(tmp_path / 'drive', *both, odometry('/w', 'a200_0000/odom'), count=COUNT)
    assert placerec('map', 'build', path, tmp_path / 'map', *PIXELS).returncode == 0
    done = placerec('replay', path, '--map', tmp_path / 'map', '-o', tmp_path / 'out')
    assert '/w covers 100% of the drive (8 of 8 frames)' in done.stdout, done.stderr
