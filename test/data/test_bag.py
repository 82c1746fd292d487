"""Bags: what was recorded comes back, and what cannot be read is said to be so."""

from __future__ import annotations

from husky_placerec.config import HUSKY_CAMERAS, make_config
from husky_placerec.data.bag import Bag
from husky_placerec.data.pairing import FramePairer
from husky_placerec.data.source import decode_frame, find_trajectory, read_poses
from husky_placerec.errors import InputError
from husky_placerec.types import SECOND_NS
import numpy as np
import pytest
from support.builders import (
    BACK,
    bag_file,
    COMPRESSED,
    compressed,
    encode,
    FRONT,
    MS,
    planar,
    pose_message,
    RAW,
    raw,
    smooth_image,
    START_NS,
    SUFFIX,
    TYPES,
    write_bag,
)

RGB = smooth_image(1, 32, 24, 8)
STORAGES = pytest.mark.parametrize('storage', list(SUFFIX))
TOPIC = {name: f'/{HUSKY_CAMERAS[name].topic}' for name in (FRONT, BACK)}
POSE_KINDS = {
    '/odom': 'Odometry',
    '/pose': 'PoseStamped',
    '/amcl': 'PoseWithCovarianceStamped',
}


def stamps(count, period_ms=100, start_ms=0):
    return [START_NS + (start_ms + i * period_ms) * MS for i in range(count)]


def pictures(camera, all_stamps, data=b'not decoded'):
    return [(TOPIC[camera], compressed(stamp, data)) for stamp in all_stamps]


def poses(topic, count=3):
    return [
        (topic, pose_message(POSE_KINDS[topic], stamp, planar(x, 2 * x, 30)))
        for x, stamp in enumerate(stamps(count))
    ]


def by_stamp(*streams):
    return sorted((m for s in streams for m in s), key=lambda m: read_stamp(m[1]))


def read_stamp(message):
    return message.header.stamp.sec * SECOND_NS + message.header.stamp.nanosec


def read_all(path):
    with Bag(path) as bag:
        topics = {topic: topic for topic in bag.topics}
        counts = len(list(bag.messages(topics))), len(list(bag.serialized(topics)))
        return counts, sum(bag.message_count(topic) for topic in topics)


DRIVE = by_stamp(
    pictures(FRONT, stamps(12), encode(RGB)),
    pictures(BACK, stamps(9, 130, 3), encode(RGB)),
    poses('/odom'),
)


@STORAGES
@pytest.mark.parametrize('form', ['folder', 'file', 'compressed folder'])
def test_a_bag_is_a_folder_or_its_one_file(storage, form, tmp_path):
    path = write_bag(tmp_path / 'drive', DRIVE, storage, compress=form == 'compressed folder')
    assert bag_file(path).suffix == SUFFIX[storage]
    with Bag(bag_file(path) if form == 'file' else path) as bag:
        assert bag.topics[TOPIC[FRONT]] == COMPRESSED
        assert bag.message_count(TOPIC[FRONT]) == 12
        found = list(bag.messages({TOPIC[FRONT]: FRONT, TOPIC[BACK]: BACK}))
    expected = [(topic, message) for topic, message in DRIVE if topic != '/odom']
    assert [(TOPIC[camera], stamp) for camera, stamp, _ in found] == [
        (topic, read_stamp(message)) for topic, message in expected
    ]
    assert all(bytes(message.data) == encode(RGB) for *_, message in found)


@STORAGES
def test_a_folder_may_be_named_as_a_bag_of_ros_1(storage, tmp_path):
    assert read_all(write_bag(tmp_path / 'drive.bag', DRIVE, storage)) == ((24, 24), 24)


@STORAGES
def test_bytes_to_be_published_are_the_messages_with_their_stamps(storage, tmp_path):
    with Bag(write_bag(tmp_path / 'drive', DRIVE, storage)) as bag:
        found = list(bag.serialized(dict.fromkeys(bag.topics, 'key')))
    assert len(found) == len(DRIVE)
    for (key, stamp_ns, data), (_, message) in zip(found, DRIVE, strict=True):
        again = TYPES.deserialize_cdr(data, message.__msgtype__)
        assert (key, type(data), stamp_ns) == ('key', bytes, read_stamp(again))
        assert stamp_ns == read_stamp(message)


def test_raw_and_compressed_cameras_are_read_side_by_side(tmp_path):
    rows = RGB[..., ::-1].reshape(24, -1)
    messages = by_stamp(
        *(
            [('/a', compressed(s, encode(RGB))), ('/b', raw(s, 'bgr8', rows, 32))]
            for s in stamps(9)
        )
    )
    config = make_config(
        {'camera.front.topic': 'a', 'camera.back.topic': '/b', 'camera.back.transport': 'raw'}
    )
    with Bag(write_bag(tmp_path / 'drive', messages)) as bag:
        assert bag.camera_topics(config) == {'/a': FRONT, '/b': BACK}
        first = decode_frame(next(bag.frames(config)), 'drive')
    assert first.stamp_ns == START_NS
    np.testing.assert_array_equal(first.images[FRONT], RGB)
    np.testing.assert_array_equal(first.images[BACK], RGB)


@pytest.mark.parametrize('settings', [{}, {'slop': 0.004}, {'silence': 0.2}, {'queue_size': 2}])
def test_frames_are_those_of_the_pairer(settings, tmp_path):
    seen = [*stamps(20, 50, 3), *stamps(20, 50, 1303), *stamps(20, 50, 3303)]
    messages = by_stamp(pictures(FRONT, stamps(99, 49)), pictures(BACK, seen))
    config = make_config(settings)
    pairer = FramePairer(
        [FRONT, BACK],
        round(config.slop * SECOND_NS),
        round(config.silence * SECOND_NS),
        config.queue_size,
    )
    camera = {topic: name for name, topic in TOPIC.items()}
    expected = [
        found.image_stamps_ns
        for topic, message in messages
        for found in pairer.add(camera[topic], read_stamp(message), message)
    ]
    with Bag(write_bag(tmp_path / 'drive', messages)) as bag:
        frames = list(bag.frames(config))
    assert {len(found) for found in expected} == {1, 2}
    assert [frame.image_stamps_ns for frame in frames] == expected
    for frame in frames:
        assert {k: read_stamp(m) for k, m in frame.images.items()} == frame.image_stamps_ns


@pytest.mark.parametrize('topic', list(POSE_KINDS))
def test_poses_come_from_each_type_that_has_them(topic, tmp_path):
    with Bag(write_bag(tmp_path / 'drive', poses(topic))) as bag:
        assert bag.pose_topics() == [topic]
        trajectory = bag.trajectory(topic.lstrip('/'))
        np.testing.assert_array_equal(find_trajectory(bag, None).poses, trajectory.poses)
    assert trajectory.stamps_ns.tolist() == stamps(3)
    expected = [planar(x, 2 * x, 30).as_array() for x in range(3)]
    np.testing.assert_allclose(trajectory.poses, expected, atol=1e-15)
    child = 'base_link' if topic == '/odom' else ''
    assert (trajectory.frame_id, trajectory.child_frame_id) == ('map', child)
    assert topic in trajectory.source


def test_which_poses_to_take_is_asked_where_it_cannot_be_told(tmp_path):
    with Bag(write_bag(tmp_path / 'two', by_stamp(poses('/odom'), poses('/pose')))) as bag:
        with pytest.raises(
            InputError, match='found /odom, /pose; name a topic, a TUM or a CSV file'
        ):
            find_trajectory(bag, None)
        assert find_trajectory(bag, '/pose').source.endswith('/pose')
        with pytest.raises(InputError, match=r'there\.tum: no such file'):
            read_poses(bag, 'there.tum')
        (tmp_path / 'truth.tum').write_text('1 2 3 4 0 0 0 1')
        assert len(read_poses(bag, str(tmp_path / 'truth.tum')).poses) == 1


def test_a_bag_without_poses_says_what_it_has(tmp_path):
    path = write_bag(tmp_path / 'drive', pictures(FRONT, stamps(1)))
    expected = f'expected one topic or table with poses; there are: {TOPIC[FRONT]}'
    with Bag(path) as bag, pytest.raises(InputError, match=expected):
        find_trajectory(bag, None)


@pytest.mark.parametrize(
    ('topic', 'transport', 'expected'),
    [
        ('/nowhere', 'compressed', f'no messages on /nowhere .*/front \\({COMPRESSED}\\)'),
        ('declared', 'compressed', 'no messages on /declared'),
        ('front', 'raw', f'/front is of {COMPRESSED}; expected {RAW}'),
    ],
)
def test_a_camera_that_the_bag_lacks_is_named(topic, transport, expected, tmp_path):
    messages = [('/front', compressed(START_NS))]
    path = write_bag(tmp_path / 'drive', messages, declared={'/declared': COMPRESSED})
    values = {'camera.front.topic': topic, 'camera.front.transport': transport}
    with Bag(path) as bag:
        assert list(bag.topics) == ['/front']
        with pytest.raises(InputError, match=expected):
            list(bag.frames(make_config({'cameras': [FRONT], **values})))
        with pytest.raises(InputError, match=r'drive: /front is of .*Odometry or .*PoseStamped'):
            bag.trajectory('front')


@STORAGES
def test_a_bag_without_messages_has_no_topics(storage, tmp_path):
    path = write_bag(tmp_path / 'drive', [], storage, declared={TOPIC[FRONT]: COMPRESSED})
    with Bag(path) as bag, pytest.raises(InputError, match='there are: none at all'):
        list(bag.frames(make_config({})))


@STORAGES
@pytest.mark.parametrize('form', ['folder', 'file'])
@pytest.mark.parametrize('share', [0, 0.001, 0.02])
def test_a_bag_of_which_nothing_is_whole_is_refused(storage, form, share, tmp_path):
    path = write_bag(tmp_path / 'drive', DRIVE, storage)
    file = bag_file(path)
    assert read_all(path) == ((24, 24), 24)
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    target = path if form == 'folder' else file
    with pytest.raises(InputError, match=f'^{target}: cannot be read as a bag'):
        read_all(target)


@pytest.mark.parametrize('name', ['a.mcap', 'a.db3', 'a.txt', 'a.bag', 'a'])
@pytest.mark.parametrize('data', [b'', b'garbage' * 1000])
def test_a_file_that_is_no_bag_is_refused(name, data, tmp_path):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=rf'{name}: cannot be read as a bag'):
        read_all(tmp_path / name)


@pytest.mark.parametrize('metadata', [None, '', 'a: [', 'rosbag2_bagfile_information: 3'])
def test_a_folder_that_is_no_bag_is_refused(metadata, tmp_path):
    if metadata is not None:
        (tmp_path / 'metadata.yaml').write_text(metadata)
    with pytest.raises(InputError, match='cannot be read as a bag'):
        read_all(tmp_path)


def test_a_bag_that_is_not_there_and_one_without_its_file_are_refused(tmp_path):
    with pytest.raises(InputError, match='nothing: no such bag'):
        Bag(tmp_path / 'nothing')
    path = write_bag(tmp_path / 'drive', DRIVE)
    bag_file(path).unlink()
    with pytest.raises(InputError, match='drive: cannot be read'):
        read_all(path)


def test_a_bag_that_is_damaged_in_its_middle_does_not_pass_for_a_shorter_one(tmp_path):
    marked = [('/a', compressed(s, f'image {i} '.encode() * 9)) for i, s in enumerate(stamps(9))]
    path = write_bag(tmp_path / 'drive', marked)
    data = bytearray(bag_file(path).read_bytes())
    middle = data.index(b'image 5')
    data[middle - 70 : middle] = bytes(70)  # what stands before an image in the file
    bag_file(path).write_bytes(data)
    with pytest.raises(InputError):
        read_all(path)


def test_odometry_is_no_choice_beside_poses_that_do_not_drift(tmp_path):
    """A robot records both; asking which to take would only have one answer."""
    drifting = pose_message('Odometry', START_NS, planar(1.0))
    drifting.header.frame_id = 'odom'
    steady = pose_message('PoseStamped', START_NS, planar(2.0))
    with Bag(write_bag(tmp_path / 'both', [('/odom', drifting), ('/pose', steady)])) as bag:
        assert bag.pose_topics() == ['/pose']
        assert find_trajectory(bag, None).poses[0, 0] == 2.0
    with Bag(write_bag(tmp_path / 'odom', [('/odom', drifting)])) as bag:
        assert bag.pose_topics() == ['/odom']
