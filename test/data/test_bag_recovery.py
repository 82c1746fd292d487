"""Bags that were not closed: what is whole is read, what is lost is said, with the remedy."""

from __future__ import annotations

import shutil

from husky_placerec.config import make_config
from husky_placerec.data.bag import Bag
from husky_placerec.data.kinds import kind_of
from husky_placerec.errors import InputError
import pytest
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from support.builders import BACK, bag_file, FRONT, SUFFIX, TYPES, write_bag
from support.camera_bags import camera_bag, images, in_order, PIXELS, poses, seconds
from support.commands import assert_refused

COUNT = 40
STORAGES = pytest.mark.parametrize('storage', list(SUFFIX))
MESSAGES = in_order(images(FRONT, seconds(COUNT)), images(BACK, seconds(COUNT, 3)), poses(COUNT))


def content(path, **options):
    """Return topic, stamp and bytes of all messages, and what is said about the bag."""
    with Bag(path, **options) as bag:
        topics = {topic: topic for topic in bag.topics}
        read = [(topic, ns) for topic, ns, _ in bag.messages(topics)]
        assert len(read) == sum(map(bag.message_count, topics))
        return read, bag.problems.lines()


def stamps(messages):
    return [(t, m.header.stamp.sec * 10**9 + m.header.stamp.nanosec) for t, m in messages]


def cut(file, share):
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])


def write_chunked(path, compression=None, chunk=20):
    """Write an mcap of several chunks, with a message index each."""
    writer = Writer(path, version=9, storage_plugin=StoragePlugin.MCAP)
    if compression:
        writer.set_compression(CompressionMode.STORAGE, compression)
    kinds = {topic: message.__msgtype__ for topic, message in MESSAGES}
    with writer:
        made = {t: writer.add_connection(t, kind, typestore=TYPES) for t, kind in kinds.items()}
        for number, (topic, message) in enumerate(MESSAGES):
            data = TYPES.serialize_cdr(message, kinds[topic])
            writer.write(made[topic], stamps([(topic, message)])[0][1], data)
            if number % chunk == chunk - 1:
                writer.storage.close_chunk()
    return path


@STORAGES
@pytest.mark.parametrize('form', ['folder', 'file'])
@pytest.mark.parametrize('share', [0.5, 0.95])
def test_of_a_cut_bag_the_whole_part_is_read(storage, form, share, tmp_path):
    path = write_bag(tmp_path / 'drive', MESSAGES, storage)
    file = bag_file(path)
    cut(file, share)
    read, said = content(path if form == 'folder' else file)
    assert sorted(read) == sorted(stamps(MESSAGES)[: len(read)])  # stamps may be equal
    assert len(MESSAGES) * (share - 0.2) < len(read) < len(MESSAGES)
    assert f'{file.name} is cut' in said[0]
    assert 'mcap recover' in said[0] or '.recover' in said[0]
    if form == 'folder':
        assert said[1] == f'{len(read)} of {len(MESSAGES)} messages can be read'


@pytest.mark.parametrize('compression', [None, CompressionFormat.ZSTD])
@pytest.mark.parametrize('share', [0.3, 0.5, 0.8, 0.9, 0.99])
def test_all_chunks_before_the_cut_are_read(compression, share, tmp_path):
    path = write_chunked(tmp_path / 'drive', compression)
    assert content(path) == (stamps(MESSAGES), [])
    cut(bag_file(path), share)
    read, _ = content(path)
    assert read == stamps(MESSAGES)[: len(read)]
    assert len(read) >= 20 * int(len(MESSAGES) * (share - 0.1) / 20)


def test_a_file_that_ends_in_zeros_is_read_up_to_them(tmp_path):
    path = write_chunked(tmp_path / 'drive')
    file = bag_file(path)
    size = file.stat().st_size
    cut(file, 0.6)
    with file.open('ab') as handle:  # as after a power cut
        handle.write(bytes(size - file.stat().st_size))
    read, _ = content(path)
    assert len(MESSAGES) / 3 < len(read) < len(MESSAGES)


@STORAGES
@pytest.mark.parametrize('metadata', [None, '', 'a: [', '[' * 20_000])
def test_a_bag_without_metadata_is_read_file_by_file(storage, metadata, tmp_path):
    path = write_bag(tmp_path / 'drive', MESSAGES, storage)
    (path / 'metadata.yaml').unlink()
    if metadata is not None:
        (path / 'metadata.yaml').write_text(metadata)
    read, said = content(path)
    assert read == stamps(MESSAGES)
    assert len(said) == 1
    assert f'`ros2 bag reindex {path}` writes it' in said[0]
    assert kind_of(path) == 'bag'


def splits(tmp_path):
    """Make a bag of three splits without metadata.yaml, in the folder of the first."""
    parts = len(MESSAGES) // 3
    folder = tmp_path / 'drive'
    folder.mkdir()
    for number in range(3):
        part = MESSAGES[number * parts : (number + 1) * parts if number < 2 else None]
        made = write_bag(tmp_path / f'part_{number}', part)
        shutil.copy(bag_file(made), folder / f'drive_{number}.mcap')
    return folder, parts


def test_only_the_cut_split_loses_messages(tmp_path):
    path, parts = splits(tmp_path)
    cut(path / 'drive_2.mcap', 0.5)
    read, said = content(path)
    assert sorted(read) == sorted(stamps(MESSAGES)[: len(read)])
    assert len(read) > 2 * parts
    assert any('drive_2.mcap is cut' in line for line in said)


def test_a_split_that_metadata_names_and_that_is_missing_is_said(tmp_path):
    path, parts = splits(tmp_path)
    (path / 'metadata.yaml').write_text(
        'rosbag2_bagfile_information:\n  relative_file_paths: [drive_0.mcap, drive_1.mcap, '
        f'drive_2.mcap]\n  message_count: {len(MESSAGES)}\n'
    )
    (path / 'drive_2.mcap').unlink()
    read, said = content(path)
    assert len(read) == 2 * parts
    assert said == [
        'drive_2.mcap is missing, and with it its part of the drive',
        f'{2 * parts} of {len(MESSAGES)} messages can be read',
    ]


@STORAGES
def test_compressed_files_of_a_bag_without_metadata_are_read(storage, tmp_path):
    mode = CompressionMode.FILE
    writer = Writer(
        tmp_path / 'drive',
        version=9,
        storage_plugin={'mcap': StoragePlugin.MCAP, 'sqlite3': StoragePlugin.SQLITE3}[storage],
    )
    writer.set_compression(mode, CompressionFormat.ZSTD)
    kinds = {topic: message.__msgtype__ for topic, message in MESSAGES}
    with writer:
        made = {t: writer.add_connection(t, kind, typestore=TYPES) for t, kind in kinds.items()}
        for topic, message in MESSAGES:
            data = TYPES.serialize_cdr(message, kinds[topic])
            writer.write(made[topic], stamps([(topic, message)])[0][1], data)
    (tmp_path / 'drive' / 'metadata.yaml').unlink()
    assert kind_of(tmp_path / 'drive') == 'bag'
    read, _ = content(tmp_path / 'drive')
    assert read == stamps(MESSAGES)


def test_strict_refuses_what_is_not_whole(tmp_path):
    path = write_bag(tmp_path / 'drive', MESSAGES)
    cut(bag_file(path), 0.5)
    with pytest.raises(InputError, match=r'broken or truncated \(--strict\).*is cut'):
        content(path, max_broken=0.0)


def test_nothing_is_left_behind_and_the_bag_stays_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path / 'tmp'))
    (tmp_path / 'tmp').mkdir()
    path = write_bag(tmp_path / 'drive', MESSAGES, 'sqlite3')
    cut(bag_file(path), 0.5)
    before = bag_file(path).read_bytes()
    content(path)
    assert not list((tmp_path / 'tmp').iterdir())
    assert bag_file(path).read_bytes() == before


def test_a_map_is_built_of_a_bag_that_was_not_closed(placerec, tmp_path):
    both = images(FRONT, seconds(COUNT)), images(BACK, seconds(COUNT, 3))
    path = camera_bag(tmp_path / 'drive', *both, count=COUNT)
    (path / 'metadata.yaml').unlink()
    cut(bag_file(path), 0.7)
    built = placerec('map', 'build', path, tmp_path / 'map', *PIXELS, '--skip-unposed')
    assert built.returncode == 0, built.stderr
    assert 'mcap recover' in built.stderr
    assert 'ros2 bag reindex' in built.stderr
    refused = placerec('map', 'build', path, tmp_path / 'strict', *PIXELS, '--strict')
    assert_refused(refused, path, 'truncated', '--strict', output=tmp_path / 'strict')


def test_frames_are_those_of_the_whole_part(tmp_path):
    path = write_chunked(tmp_path / 'drive')
    cut(bag_file(path), 0.5)
    with Bag(path) as bag:
        frames = list(bag.frames(make_config({})))
    assert 0.3 * COUNT < len(frames) < 0.6 * COUNT
