"""The command line as a user meets it: a map, a replay, and what happens to bad input."""

import json
import shutil

from husky_placerec.data.bag import Bag
import pytest
from support.builders import (
    compressed,
    encode,
    MS,
    planar,
    pose_message,
    smooth_image,
    START_NS,
    write_bag,
)
from support.commands import assert_refused

HOG = '--set', 'extractor=hog'
FRONT_TOPIC = '/zed_node/left/image_rect_color/compressed'
BACK_TOPIC = '/realsense_back/color/image_raw/compressed'
POSES = '/robot_pose'


def test_a_drive_is_mapped_inspected_and_recognised(placerec, drives, tmp_path):
    mapped, driven = drives
    built = placerec('map', 'build', mapped, tmp_path / 'map', *HOG)
    assert built.returncode == 0, built.stderr
    assert '20 places' in built.stdout
    assert '20/20' in built.stderr  # the progress
    info = placerec('map', 'info', tmp_path / 'map')
    assert 'front, back' in info.stdout
    assert 'hog' in info.stdout
    assert placerec('map', 'verify', tmp_path / 'map').returncode == 0
    replayed = placerec('replay', driven, '--map', tmp_path / 'map', '-o', tmp_path / 'out')
    assert replayed.returncode == 0, replayed.stderr
    files = {file.name for file in (tmp_path / 'out').iterdir()}
    plain = {'recognitions.jsonl', 'poses.tum', 'summary.json', 'config.yaml'}
    assert files >= {*plain, 'report.html', 'route.png'}
    summary = json.loads((tmp_path / 'out' / 'summary.json').read_text())
    assert summary['frames'] == 19
    assert summary['recall']['10']['1'] >= 0.75  # a third by chance
    lines = (tmp_path / 'out' / 'recognitions.jsonl').read_text().splitlines()
    assert all('truth' in json.loads(line) for line in lines)


def test_a_replay_on_a_map_that_is_not_calibrated_says_so(placerec, drives, map_path, tmp_path):
    done = placerec('replay', drives[1], '--map', map_path, '-o', tmp_path / 'out')
    assert done.returncode == 0, done.stderr
    assert 'the calibration of the map is weak' in done.stderr
    assert 'run placerec calibrate' in ' '.join(done.stderr.split())


def test_a_replay_repeats_itself_to_the_byte(placerec, drives, map_path, tmp_path):
    for name in 'ab':
        placerec('replay', drives[1], '--map', map_path, '-o', tmp_path / name)
    first, second = ((tmp_path / name / 'recognitions.jsonl').read_bytes() for name in 'ab')
    assert first == second


@pytest.mark.parametrize(
    'words', ['map build', 'replay', 'demo', 'sim', 'convert', 'data check', 'download']
)
def test_help_has_examples(placerec, words):
    assert 'Example' in placerec(*words.split(), '--help').stdout


def test_a_missing_bag(placerec, tmp_path):
    result = placerec('map', 'build', tmp_path / 'none', tmp_path / 'map', *HOG)
    assert_refused(result, tmp_path / 'none', output=tmp_path / 'map')


def test_a_truncated_bag(placerec, drives, tmp_path):
    bag = tmp_path / 'bag'
    shutil.copytree(drives[0], bag)
    (file,) = bag.glob('*.mcap')
    with file.open('r+b') as handle:
        handle.truncate(file.stat().st_size // 2)
    result = placerec('map', 'build', bag, tmp_path / 'map', *HOG, '--strict')
    assert_refused(result, bag, 'truncated', output=tmp_path / 'map')
    whole = placerec('map', 'build', bag, tmp_path / 'map', *HOG)
    assert whole.returncode == 0, whole.stderr
    assert 'mcap recover' in whole.stderr
    with file.open('r+b') as handle:
        handle.truncate(100)
    result = placerec('map', 'build', bag, tmp_path / 'none', *HOG)
    assert_refused(result, bag, 'truncated', output=tmp_path / 'none')


@pytest.mark.parametrize('camera', ['front', 'back'])
def test_a_topic_that_is_not_there(placerec, drives, tmp_path, camera):
    settings = [*HOG, '--set', f'camera.{camera}.topic=/left/image']
    result = placerec('map', 'build', drives[0], tmp_path / 'map', *settings)
    # what there is, is listed
    words = '/left/image', '/zed_node/left/image_rect_color/compressed', '/ground_truth/odom'
    assert_refused(result, *words, output=tmp_path / 'map')


def test_poses_that_are_not_there(placerec, drives, tmp_path):
    result = placerec('map', 'build', drives[0], tmp_path / 'map', *HOG, '--poses', '/amcl_pose')
    assert_refused(result, '/amcl_pose', '/ground_truth/odom', output=tmp_path / 'map')


@pytest.mark.parametrize(
    ('line', 'words'),
    [
        ('{first} 0 0 0 0 0 0 1\n{middle} 9 0 0 0 0 0 1', ['no pose for', 'of 20 frames']),
        ('{first} 0 0 0 0 0 0 1\n{last} nan 0 0 0 0 0 1', ['not finite']),
        ('{first} 0 0 0 0 0 0 1\n{last} 9 0 0 0 0 0 2', ['length 2']),
        ('{first} 0 0 0 0 0 1', [':1:']),
    ],
    ids=['too few', 'NaN', 'no unit quaternion', 'too short'],
)
def test_poses_that_will_not_do(placerec, drives, tmp_path, line, words):
    with Bag(drives[0]) as bag:
        stamps = bag.trajectory('/ground_truth/odom').stamps_ns
    names = {'first': stamps[0], 'middle': stamps[len(stamps) // 2], 'last': stamps[-1]}
    poses = tmp_path / 'poses.tum'
    poses.write_text(line.format(**names))
    options = *HOG, '--poses', poses, '--max-gap', '1000'
    result = placerec('map', 'build', drives[0], tmp_path / 'map', *options)
    assert_refused(result, poses, *words, output=tmp_path / 'map')


def test_an_output_that_exists(placerec, drives, map_path, tmp_path):
    (tmp_path / 'out').mkdir()
    for words in (
        ('map', 'build', drives[0], tmp_path / 'out', *HOG),
        ('replay', drives[1], '--map', map_path, '-o', tmp_path / 'out'),
    ):
        assert_refused(placerec(*words), tmp_path / 'out', '--overwrite')
        assert not list((tmp_path / 'out').iterdir())


@pytest.mark.parametrize(
    ('setting', 'words'),
    [
        ('extractor=pixels', ['campus.map', 'extractor', 'hog', 'pixels']),
        ('cameras=[back, front]', ['campus.map', 'cameras', 'front', 'back']),
        ('cameras=[front]', ['campus.map', 'cameras']),
        ('input_width=640', ['input size', '320', '640']),
    ],
)
def test_a_map_of_another_descriptor(placerec, drives, map_path, tmp_path, setting, words):
    options = '--map', map_path, '-o', tmp_path / 'out', '--set', setting
    assert_refused(placerec('replay', drives[1], *options), *words)
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('pattern', ['places-*.csv', 'descriptors-*.npy', 'map.json'])
@pytest.mark.parametrize('harm', ['missing', 'truncated', 'altered'])
def test_a_damaged_map(placerec, drives, map_path, tmp_path, pattern, harm):
    damaged = tmp_path / 'damaged'
    shutil.copytree(map_path, damaged)
    (file,) = damaged.glob(pattern)
    data = file.read_bytes()
    if harm == 'missing':
        file.unlink()
    elif harm == 'truncated':
        file.write_bytes(data[: len(data) // 2])
    else:
        file.write_bytes(data.replace(data[40:41], bytes([data[40] ^ 1]), 1))
    for words in (
        ('map', 'verify', damaged),
        ('replay', drives[1], '--map', damaged, '-o', tmp_path / 'out'),
    ):
        assert_refused(placerec(*words), damaged)
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        (['--set', 'extractr=hog'], ['extractr', 'extractor']),
        (['--set', 'min_similarity=2'], ['min_similarity', '-1.0 to 1.0']),
        (['--set', 'extractor=sift'], ['sift', 'hog']),
        (['--config', 'nowhere.yaml'], ['nowhere.yaml']),
    ],
)
def test_a_parameter_that_will_not_do(placerec, drives, tmp_path, options, words):
    result = placerec('map', 'build', drives[0], tmp_path / 'map', *options)
    assert_refused(result, *words, output=tmp_path / 'map')


def one_pair(tmp_path, front, back=None):
    """Write a bag of one frame, with poses before and after it."""
    poses = [
        (POSES, pose_message('PoseStamped', START_NS + i * MS, planar(float(i)))) for i in (-1, 1)
    ]
    images = [(FRONT_TOPIC, compressed(START_NS, front))]
    images += [] if back is None else [(BACK_TOPIC, compressed(START_NS, back))]
    return write_bag(tmp_path / 'bag', [poses[0], *images, poses[1]])


def test_a_bag_with_one_camera_only(placerec, tmp_path):
    bag = one_pair(tmp_path, encode(smooth_image(1)))
    result = placerec('map', 'build', bag, tmp_path / 'map', *HOG)
    assert_refused(result, bag, BACK_TOPIC, FRONT_TOPIC, output=tmp_path / 'map')
    alone = placerec('map', 'build', bag, tmp_path / 'map', *HOG, '--set', 'cameras=[front]')
    assert alone.returncode == 0, alone.stderr


def test_an_image_that_does_not_decode(placerec, tmp_path):
    bag = one_pair(tmp_path, encode(smooth_image(1)), b'no image')
    result = placerec('map', 'build', bag, tmp_path / 'map', *HOG)
    assert_refused(result, bag, 'back image', START_NS, output=tmp_path / 'map')


def test_weights_that_do_not_fit(placerec, drives, tmp_path):
    pytest.importorskip('torch')
    weights = tmp_path / 'net.pth'
    weights.write_bytes(b'no weights')
    settings = 'extractor=timm', 'backbone=resnet18', f'weights={weights}'
    options = [word for setting in settings for word in ('--set', setting)]
    result = placerec('map', 'build', drives[0], tmp_path / 'map', *options)
    assert_refused(result, weights, output=tmp_path / 'map')
