"""One frame of a drive, found by its stamp: the same that reading the whole drive gives."""

from __future__ import annotations

from husky_placerec.config import HUSKY_CAMERAS, make_config
from husky_placerec.data.source import open_source
from husky_placerec.types import SECOND_NS
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer
from support.builders import (
    BACK,
    COMPRESSED,
    compressed,
    FRONT,
    MS,
    START_NS,
    TYPES,
    write_track_folder,
)

CONFIG = make_config({})
LATE_NS = 90 * SECOND_NS  # from the stamp to the recording, as of a slow copy of a bag


def write_pairs(folder, late_ns=0, count=5):
    """Write a bag with a pair every 0.1 s; the back image is 3 ms late, and each unlike any."""
    with Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        for i in range(count):
            for camera, shift_ms in ((FRONT, 0), (BACK, 3)):
                topic, stamp_ns = (
                    f'/{HUSKY_CAMERAS[camera].topic}',
                    START_NS + (100 * i + shift_ms) * MS,
                )
                known = [c for c in writer.connections if c.topic == topic]
                made = known or [writer.add_connection(topic, COMPRESSED, typestore=TYPES)]
                data = f'{camera} {i}'.encode()
                message = TYPES.serialize_cdr(compressed(stamp_ns, data), COMPRESSED)
                writer.write(made[0], stamp_ns + late_ns, message)
    return folder


def content(frame):
    images = {name: bytes(image.data) for name, image in frame.images.items()}
    return frame.stamp_ns, dict(frame.image_stamps_ns), images


@pytest.mark.parametrize('kind', ['bag', 'late bag', 'track'])
@pytest.mark.parametrize('known', [True, False])
def test_each_frame_is_found_by_its_stamp(tmp_path, kind, known):
    if kind == 'track':
        path = write_track_folder(tmp_path / 'track')
    else:
        path = write_pairs(tmp_path / 'bag', LATE_NS if kind == 'late bag' else 0)
    with open_source(path) as source:
        frames = list(source.frames(CONFIG))
        assert len(frames) >= 5
        for frame in frames:
            stamps = frame.image_stamps_ns if known else {}
            found = source.frame_at(CONFIG, frame.stamp_ns, stamps)
            assert content(found) == content(frame)


def test_there_is_no_frame_at_another_stamp(tmp_path):
    for path in (write_pairs(tmp_path / 'bag'), write_track_folder(tmp_path / 'track')):
        with open_source(path) as source:
            far_ns = START_NS + 3600 * SECOND_NS
            assert source.frame_at(CONFIG, far_ns, {}) is None


def test_a_camera_that_the_frame_lacks_is_left_out(tmp_path):
    with open_source(write_pairs(tmp_path / 'bag')) as source:
        found = source.frame_at(make_config({'slop': 0.002}), START_NS, {})
    assert list(found.images) == [FRONT]
