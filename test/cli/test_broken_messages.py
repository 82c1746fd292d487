"""One broken message does not stop offline work; many do, and --strict refuses any."""

from __future__ import annotations

from husky_placerec.cli.common import broken_share
from husky_placerec.data.bag import Bag
from husky_placerec.errors import InputError
from husky_placerec.placemap.storage import save_map
from husky_placerec.types import Pose, SECOND_NS, tum_line
import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer
from support.builders import BACK, FRONT, random_map, START_NS, TYPES
from support.camera_bags import (
    images,
    in_order,
    picture,
    PIXELS,
    poses,
    seconds,
    TOPIC,
    TRUTH,
)
from support.commands import assert_refused

NEEDS = 'matplotlib', 'jinja2', 'sklearn'
COUNT = 30
BAD = 7  # the number of what is broken
TRUNCATED = picture(BAD)[:200]
ODOM = '/wheels/odom'


def camera(name, broken=()):
    return images(
        name, seconds(COUNT, 0 if name == FRONT else 3), dict.fromkeys(broken, TRUNCATED)
    )


def truth(broken=(), value=0.0, topic=TRUTH, kind='PoseStamped'):
    """Return poses, some of which have a quaternion of four times `value`."""
    found = poses(COUNT, topic, kind)
    for number in broken:
        pose = getattr(found[number][1].pose, 'pose', found[number][1].pose)
        for axis in 'xyzw':
            setattr(pose.orientation, axis, value)
    return found


def wheels(broken=()):
    found = truth(broken, topic=ODOM, kind='Odometry')
    for _, message in found:
        message.header.frame_id = 'odom'
    return found


def write(path, front=(), back=(), pose=(), value=0.0, wheel=()):
    streams = camera(FRONT, front), camera(BACK, back), truth(pose, value), wheels(wheel)
    return write_messages(path, in_order(*streams))


def write_messages(path, messages, cut=None):
    """
    Write a bag.

    :param cut: topic and number of the message of which only the header is written.
    """
    seen = dict.fromkeys((topic for topic, _ in messages), 0)
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        kinds = {topic: message.__msgtype__ for topic, message in messages}
        connections = {
            topic: writer.add_connection(topic, kind, typestore=TYPES)
            for topic, kind in kinds.items()
        }
        for topic, message in messages:
            data = bytes(TYPES.serialize_cdr(message, kinds[topic]))
            if cut == (topic, seen[topic]):
                data = data[:20]
            seen[topic] += 1
            stamp = message.header.stamp
            writer.write(connections[topic], stamp.sec * SECOND_NS + stamp.nanosec, data)
    return path


@pytest.fixture(scope='module')
def sound(tmp_path_factory):
    return write(tmp_path_factory.mktemp('sound') / 'drive')


@pytest.fixture
def place_map(placerec, sound, tmp_path):
    assert placerec('map', 'build', sound, tmp_path / 'map', *PIXELS).returncode == 0
    return tmp_path / 'map'


def commands(drive, sound, place_map, out):
    return {
        'build': ('map', 'build', drive, out / 'built', *PIXELS),
        'add': ('map', 'add', place_map, drive),
        'convert': ('convert', drive, out / 'track'),
        'replay': ('replay', drive, '--map', place_map, '-o', out / 'replayed'),
        'calibrate': ('calibrate', place_map, drive),
        'evaluate': (
            *('evaluate', sound, drive, *PIXELS, '--no-cache', '--no-baselines'),
            *('-o', out / 'evaluated'),
        ),
    }


FAULTS = {
    'image': ({'front': [BAD]}, f'at {seconds(COUNT)[BAD]}'),
    'null pose': ({'pose': [BAD]}, 'has length 0.000; expected 1'),
    'NaN pose': ({'pose': [BAD], 'value': float('nan')}, 'not finite'),
}


@pytest.mark.parametrize('fault', FAULTS)
def test_every_command_goes_on_and_names_what_is_broken(
    placerec, sound, place_map, tmp_path, fault
):
    broken, words = FAULTS[fault]
    drive = write(tmp_path / 'drive', **broken)
    for verb, command in commands(drive, sound, place_map, tmp_path).items():
        done = placerec(*command)
        # A calibration of these few alike frames may fail, but not because of the broken message.
        assert done.returncode == 0 or verb == 'calibrate', (verb, done.stderr)
        assert words in done.stderr, verb
        assert 'left out' in done.stderr, verb


@pytest.mark.parametrize('fault', FAULTS)
def test_every_command_refuses_it_with_strict(placerec, sound, place_map, tmp_path, fault):
    broken, words = FAULTS[fault]
    drive = write(tmp_path / 'drive', **broken)
    for verb, command in commands(drive, sound, place_map, tmp_path).items():
        refused = placerec(*command, '--strict')
        assert_refused(refused, drive, words, '--strict'), verb
    assert not {'built', 'track', 'replayed', 'evaluated'} & {p.name for p in tmp_path.iterdir()}


def test_more_than_the_share_is_refused_and_the_option_lets_it_pass(placerec, tmp_path):
    drive = write(tmp_path / 'drive', back=[3, 4, 5, 6])
    refused = placerec('map', 'build', drive, tmp_path / 'map', *PIXELS)
    words = '2 x back image', 'of 30 at most 5 % may be broken', '--max-broken'
    assert_refused(refused, drive, *words, output=tmp_path / 'map')
    taken = placerec('map', 'build', drive, tmp_path / 'map', *PIXELS, '--max-broken', '20%')
    assert taken.returncode == 0, taken.stderr
    assert f'4 x back image that does not decode, left out: at {seconds(30, 3)[3]}' in taken.stderr


def test_null_poses_of_the_wheels_do_not_stop_a_replay(placerec, place_map, tmp_path):
    few = write(tmp_path / 'few', wheel=[BAD])
    many = write(tmp_path / 'many', wheel=range(COUNT + 2))
    for drive, words in ((few, 'broken pose of'), (many, 'odometry not used')):
        command = 'replay', drive, '--map', place_map
        done = placerec(*command, '-o', tmp_path / f'{drive.name}.out')
        assert done.returncode == 0, done.stderr
        assert words in done.stderr
        assert ODOM in done.stderr
        refused = placerec(*command, '--strict', '-o', tmp_path / 'strict')
        assert_refused(refused, ODOM, '--strict', output=tmp_path / 'strict')


@pytest.mark.parametrize('topic', [TOPIC[BACK], TRUTH])
def test_a_message_that_is_cut_short_is_left_out(placerec, tmp_path, topic):
    messages = in_order(camera(FRONT), camera(BACK), truth())
    drive = write_messages(tmp_path / 'drive', messages, cut=(topic, BAD))
    done = placerec('map', 'build', drive, tmp_path / 'map', *PIXELS)
    assert done.returncode == 0, done.stderr
    assert f'1 x broken message on {topic}, left out: recorded at' in done.stderr


def test_a_broken_pose_is_not_interpolated_from(tmp_path):
    with Bag(write(tmp_path / 'drive', pose=[BAD])) as bag:
        found = bag.trajectory(TRUTH)
    at_ns = START_NS + (BAD - 1) * SECOND_NS
    assert at_ns not in found.stamps_ns
    np.testing.assert_allclose(found.at(np.array([at_ns]))[0, 0], BAD - 1)


@pytest.mark.parametrize('name', ['poses.tum', 'poses.csv'])
def test_a_broken_line_of_a_pose_file_is_left_out(placerec, sound, tmp_path, name):
    lines = [f'{START_NS + i * SECOND_NS} {i} 0 0 0 0 0 1' for i in range(-1, COUNT + 1)]
    lines[BAD] = 'garbage 0 0 0 0 0 0 1'
    if name.endswith('.csv'):
        lines = ['stamp,x,y,z,qx,qy,qz,qw', *(line.replace(' ', ',') for line in lines)]
    file = tmp_path / name
    file.write_text('\n'.join(lines))
    words = 'map', 'build', sound, tmp_path / 'map', *PIXELS, '--poses', file
    refused = placerec(*words, '--strict')
    assert_refused(refused, file, 'garbage', output=tmp_path / 'map')
    done = placerec(*words)
    assert done.returncode == 0, done.stderr
    assert f'1 x broken line of {file}, left out: {file}:' in done.stderr


@pytest.mark.parametrize(
    ('text', 'share'), [('0.1', 0.1), ('10%', 0.1), ('10', 0.1), ('1', 1.0), ('0', 0.0)]
)
def test_the_share_is_a_number_or_a_percentage(text, share):
    assert broken_share(text, False) == pytest.approx(share)
    assert broken_share(text, True) == 0


@pytest.mark.parametrize('text', ['many', '-0.1', '101', 'nan'])
def test_what_is_no_share_is_refused(text):
    with pytest.raises(InputError, match=r'--max-broken .*expected a share'):
        broken_share(text, False)


def test_a_broken_line_does_not_stop_an_alignment(placerec, tmp_path):
    turns = np.arange(40) / 20
    way = [Pose.planar(20 * np.sin(a), 20 - 20 * np.cos(a), a).as_array() for a in turns]
    place_map = random_map(count=40).with_poses(np.array(way), 'map', None, 'today')
    save_map(place_map, tmp_path / 'map')
    lines = [
        tum_line(int(stamp_ns), Pose.from_array(values))
        for stamp_ns, values in zip(place_map.places.stamps_ns, place_map.places.poses)
    ]
    lines[BAD] = 'garbage\n'
    file = tmp_path / 'wanted.tum'
    file.write_text(''.join(lines))
    words = 'map', 'align', tmp_path / 'map', file
    assert_refused(placerec(*words, '--strict'), file, 'garbage')
    done = placerec(*words)
    assert done.returncode == 0, done.stderr
    assert f'1 x broken line of {file}, left out' in done.stderr
