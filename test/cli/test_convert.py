"""Conversions: there and back nothing is lost, and other people's tools read what is written."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
from husky_placerec.config import make_config
from husky_placerec.data.bag import Bag
from husky_placerec.data.convert import POSE_TOPIC
from husky_placerec.data.source import decode_frame, find_trajectory, open_source
from husky_placerec.data.vpr import image_name
from husky_placerec.types import GeoOrigin, Pose
import numpy as np
import pytest
from support.builders import (
    BACK,
    COMPRESSED,
    compressed,
    encode,
    FRONT,
    MS,
    planar,
    pose_message,
    raw,
    SECOND_NS,
    smooth_image,
    START_NS,
    track_rows,
    write_bag,
    write_track_folder,
)
from support.commands import assert_refused

CONFIG = make_config({})
WIDE = make_config({'slop': 0.1})
WIDE_SLOP = '--set', 'slop=0.1'
TOPIC = {name: f'/{CONFIG.camera_config(name).topic}' for name in (FRONT, BACK)}


def content(path, config=CONFIG):
    """Return the pixels and poses of a source by stamps, in its order."""
    with open_source(path) as source:
        frames = [decode_frame(frame, str(path)) for frame in source.frames(config)]
        return frames, find_trajectory(source, None)


def assert_same(ours, theirs):
    """Check equal images at equal stamps, and equal poses at those of the frames."""
    (first, poses), (second, again) = ours, theirs
    assert [f.image_stamps_ns for f in first] == [f.image_stamps_ns for f in second]
    for one, other in zip(first, second, strict=True):
        for camera in one.images:
            np.testing.assert_array_equal(one.images[camera], other.images[camera])
        wanted = poses.at(np.array([one.stamp_ns]))
        np.testing.assert_allclose(again.at(np.array([other.stamp_ns])), wanted, atol=1e-6)


def test_a_bag_becomes_a_track_and_a_bag_again(track, placerec, tmp_path):
    bag = track / 'bag'
    assert placerec('convert', bag, tmp_path / 'track').returncode == 0
    assert placerec('convert', tmp_path / 'track', tmp_path / 'bag').returncode == 0
    assert_same(content(bag), content(tmp_path / 'track'))
    assert_same(content(bag), content(tmp_path / 'bag'))
    with Bag(tmp_path / 'bag') as again:
        assert again.topics[TOPIC[FRONT]] == COMPRESSED
        assert again.pose_topics() == [POSE_TOPIC]
        assert again.trajectory(POSE_TOPIC).frame_id == 'map'
        formats = {m.format for _, _, m in again.images(CONFIG)}
    assert formats == {'png'}


def test_a_track_as_itlp_campus_has_them_becomes_a_bag_and_a_track_again(placerec, tmp_path):
    """Its images are up to 54 ms apart, and neither is at the stamp of the row."""
    source = write_track_folder(tmp_path / 'source')
    made = placerec('convert', source, tmp_path / 'bag')
    assert made.returncode == 0, made.stderr
    assert '54 ms apart, more than slop: use the bag with --set slop=0.06' in made.stderr
    back = placerec('convert', tmp_path / 'bag', tmp_path / 'again', *WIDE_SLOP)
    assert back.returncode == 0, back.stderr
    assert_same(content(source), content(tmp_path / 'bag', WIDE))
    assert_same(content(source), content(tmp_path / 'again'))
    assert 'without a pose' not in back.stderr  # though rows are 5 s apart


def test_raw_images_lose_no_pixel(placerec, tmp_path):
    rgb = smooth_image(1, 32, 24, 8)
    rows = np.ascontiguousarray(rgb[..., ::-1]).reshape(24, -1)
    messages = [
        ('/pose', pose_message('PoseStamped', START_NS, planar(1.0))),
        *((TOPIC[name], raw(START_NS, 'bgr8', rows, 32)) for name in (FRONT, BACK)),
    ]
    transports = [
        word for name in (FRONT, BACK) for word in ('--set', f'camera.{name}.transport=raw')
    ]
    path = write_bag(tmp_path / 'bag', messages)
    assert placerec('convert', path, tmp_path / 'track', *transports).returncode == 0
    (frame,), _ = content(tmp_path / 'track')
    np.testing.assert_array_equal(frame.images[BACK], rgb)


def test_a_source_without_poses_is_converted_and_said_to_have_none(placerec, tmp_path):
    data = encode(smooth_image(1))
    messages = [(TOPIC[name], compressed(START_NS, data)) for name in (FRONT, BACK)]
    path = write_bag(tmp_path / 'bag', messages)
    made = placerec('convert', path, tmp_path / 'track')
    assert made.returncode == 0
    assert 'has no poses' in made.stderr
    with open_source(tmp_path / 'track') as source:
        assert len(list(source.frames(CONFIG))) == 1
        assert source.pose_topics() == []
    for form in ('vpr', 'tum'):
        refused = placerec('convert', path, tmp_path / form, '--to', form)
        assert refused.returncode == 2
        assert '--poses' in refused.stderr
        assert not (tmp_path / form).exists()


def test_broken_and_missing_images_are_named_and_the_rest_converted(placerec, tmp_path):
    rows = track_rows()
    source = write_track_folder(tmp_path / 'source', rows)
    (source / 'front_cam' / f'{rows[2][1]}.png').write_bytes(b'no image')
    (source / 'back_cam' / f'{rows[4][2]}.png').unlink()
    for form in ('bag', 'track', 'vpr'):
        words = 'convert', source, tmp_path / form, '--to', form
        refused = placerec(*words, '--strict')
        assert_refused(refused, f'{rows[2][1]}.png', output=tmp_path / form)
        made = placerec(*words)
        assert made.returncode == 0, made.stderr
        assert f'{rows[2][1]}.png' in made.stderr
        assert f'{rows[4][2]}.png' in made.stderr
    frames, _ = content(tmp_path / 'track')
    assert [len(frame.images) for frame in frames] == [2, 2, 1, 2, 1, 2]
    assert len(list((tmp_path / 'vpr' / 'front').iterdir())) == 5
    with Bag(tmp_path / 'bag') as bag:
        assert [bag.message_count(TOPIC[name]) for name in (FRONT, BACK)] == [5, 5]


@pytest.mark.parametrize('form', ['track', 'bag', 'vpr', 'tum'])
def test_what_is_in_the_way_is_not_overwritten_nor_anything_half_written(placerec, tmp_path, form):
    source = write_track_folder(tmp_path / 'source')
    (tmp_path / 'out').mkdir()
    words = 'convert', source, tmp_path / 'out', '--to', form
    assert '--overwrite' in placerec(*words).stderr
    assert not list((tmp_path / 'out').iterdir())
    into_itself = placerec('convert', source, source, '--to', form, '--overwrite')
    assert into_itself.returncode == 2
    assert 'is what is to be converted' in into_itself.stderr
    assert (source / 'track.csv').is_file()
    for file in source.rglob('*.png'):
        file.unlink()
    if form != 'tum':
        refused = placerec('convert', source, tmp_path / 'new', '--to', form)
        assert refused.returncode == 2
        assert 'no frames' in refused.stderr
        assert {path.name for path in tmp_path.iterdir()} == {'source', 'out'}


def test_an_unknown_format_is_refused(placerec, tmp_path):
    source = write_track_folder(tmp_path / 'source')
    refused = placerec('convert', source, tmp_path / 'out', '--to', 'kitti')
    assert refused.returncode == 2
    assert 'expected track, bag, vpr or tum' in refused.stderr


def read_vpr(folder):
    """Read a folder by the rules of VPR-methods-evaluation's `test_dataset.py`."""
    paths = sorted(str(path) for path in Path(folder).rglob('*') if path.is_file())
    paths = [path for path in paths if Path(path).suffix.lower() in ('.jpg', '.jpeg', '.png')]
    return paths, np.array([path.split('@')[1:3] for path in paths]).astype(float)


def test_a_vpr_folder_is_read_by_the_rules_of_its_readers(placerec, tmp_path):
    rows = track_rows()
    source = write_track_folder(tmp_path / 'source', rows)
    assert placerec('convert', source, tmp_path / 'vpr', '--to', 'vpr').returncode == 0
    for camera in (FRONT, BACK):
        paths, places = read_vpr(tmp_path / 'vpr' / camera)
        order = np.argsort(places[:, 0])
        np.testing.assert_allclose(places[order], [row[4:6] for row in rows], atol=1e-3)
        for path, number in zip(np.array(paths)[order], range(len(rows))):
            seen = cv2.imread(str(path))[..., ::-1].astype(float)
            wanted = smooth_image(100 * (1 + (camera == BACK)) + number, 64, 48, 8)
            assert abs(seen - wanted).mean() < 4  # JPEG


def test_names_have_the_fields_of_the_convention():
    name = image_name(Pose.planar(-3.5, 20.25, math.radians(90 - 30)), START_NS)
    # @ east @ north @ zone @ letter @ lat @ lon @ pano @ tile @ heading @ pitch @ roll @ height
    # @ timestamp @ note @ extension
    assert name == f'@-3.500@20.250@@@@@{START_NS}@@030@@@@20231114_221320@@.jpg'
    located = image_name(planar(0.0), START_NS, GeoOrigin(55.5, 37.25, 190.0)).split('@')
    assert located[5:7] == ['55.5000000', '37.2500000']
    assert len(located) == len(name.split('@')) == 16


def test_a_vpr_folder_cannot_be_under_an_at_sign(placerec, tmp_path):
    source = write_track_folder(tmp_path / 'source')
    refused = placerec('convert', source, tmp_path / 'a@b', '--to', 'vpr')
    assert refused.returncode == 2
    assert 'has an @' in refused.stderr


def test_a_tum_file_has_every_pose_with_all_its_digits(placerec, tmp_path):
    rows = track_rows()
    source = write_track_folder(tmp_path / 'source', rows)
    assert placerec('convert', source, tmp_path / 'a.tum', '--to', 'tum').returncode == 0
    lines = (tmp_path / 'a.tum').read_text().splitlines()
    for line, row in zip(lines, rows, strict=True):
        words = line.split(' ')
        assert len(words) == 8
        assert words[0] == f'{row[0] // SECOND_NS}.{row[0] % SECOND_NS:09d}'
        np.testing.assert_allclose([float(word) for word in words[1:]], row[4:], atol=1e-9)


def test_a_file_that_is_no_trajectory_is_never_overwritten(placerec, tmp_path):
    source = write_track_folder(tmp_path / 'source', track_rows())
    thesis, poses = tmp_path / 'thesis.txt', tmp_path / 'poses.tum'
    thesis.write_text('chapter one')
    poses.write_text('1.5 0 0 0 0 0 0 1')
    refused = placerec('convert', source, thesis, '--to', 'tum', '--overwrite')
    assert refused.returncode == 2
    assert 'no trajectory in TUM format' in refused.stderr
    assert thesis.read_text() == 'chapter one'
    assert placerec('convert', source, poses, '--to', 'tum', '--overwrite').returncode == 0


def test_evo_reads_a_tum_file(placerec, tmp_path):
    file_interface = pytest.importorskip('evo.tools.file_interface')
    rows = track_rows()
    source = write_track_folder(tmp_path / 'source', rows)
    placerec('convert', source, tmp_path / 'a.tum', '--to', 'tum')
    trajectory = file_interface.read_tum_trajectory_file(str(tmp_path / 'a.tum'))
    assert trajectory.check()[0]
    np.testing.assert_allclose(trajectory.positions_xyz, [row[4:7] for row in rows], atol=1e-9)
    np.testing.assert_allclose(trajectory.timestamps, [row[0] / 1e9 for row in rows], atol=1e-6)


def test_poses_from_elsewhere_are_written_into_the_bag(placerec, tmp_path):
    rows = track_rows()
    source = write_track_folder(tmp_path / 'source', rows)
    poses = tmp_path / 'better.csv'
    lines = [f'{START_NS + i * SECOND_NS},{i},0,0,0' for i in range(30)]
    poses.write_text('stamp,x,y,z,yaw\n' + '\n'.join(lines))
    made = placerec('convert', source, tmp_path / 'bag', '--poses', poses)
    assert made.returncode == 0, made.stderr
    frames, trajectory = content(tmp_path / 'bag', WIDE)
    assert len(trajectory.poses) == 30 + len(rows)
    at_frames = trajectory.at(np.array([frame.stamp_ns for frame in frames]))
    np.testing.assert_allclose(at_frames[:, 0], 5.0 * np.arange(6), atol=31 * MS / SECOND_NS)


@pytest.mark.parametrize('form', ['track', 'bag', 'vpr', 'tum', None])
def test_an_old_output_is_overwritten_but_not_somebodys_folder(placerec, tmp_path, form):
    source = write_track_folder(tmp_path / 'source')
    (tmp_path / 'mine').mkdir()
    (tmp_path / 'mine' / 'thesis.txt').write_text('years of work')
    words = ['--to', form] if form else []
    refused = placerec('convert', source, tmp_path / 'mine', *words, '--overwrite')
    assert refused.returncode == 2
    assert 'it is not overwritten' in refused.stderr
    assert (tmp_path / 'mine' / 'thesis.txt').is_file()
    for _ in range(2):
        made = placerec('convert', source, tmp_path / 'out', *words, '--overwrite')
        assert made.returncode == 0, made.stderr
