"""Recall on real images of a robot's camera, by networks with real weights."""

import csv
import json

import cv2
import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import get_typestore, Stores
from support.paths import SHARED_DATA

IMAGES = SHARED_DATA / 'rtabmap_appearance'
WEIGHTS = SHARED_DATA / 'mobilenetv2' / 'mobilenetv2_100.pth'
TYPES = get_typestore(Stores.ROS2_JAZZY)
TOPIC = '/camera/image_raw/compressed'
TOLERANCE_M = 2  # there are no poses; here each frame is one metre from the last

ONE_CAMERA = ['cameras=[front]', f'camera.front.topic={TOPIC}', 'silence=2.0']
NETWORK = [
    'extractor=timm',
    'backbone=mobilenetv2_100',
    'backbone_options=pad_type=same',
    'normalization=half',
]
DESCRIPTORS = {
    'ImageNet weights': [*NETWORK, f'weights={WEIGHTS}'],
    'random weights': [*NETWORK, 'weights=random'],
    'shipped network': ['weights=shipped'],
    'raw pixels': ['extractor=pixels'],
}

pytestmark = pytest.mark.skipif(not IMAGES.is_dir(), reason=f'{IMAGES} is not here')


def write_lap(path, names, positions):
    """Write images as a bag, one per second, and their positions as a TUM trajectory."""
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        kind = 'sensor_msgs/msg/CompressedImage'
        connection = writer.add_connection(TOPIC, kind, typestore=TYPES)
        for second, name in enumerate(names):
            stamp = TYPES.types['builtin_interfaces/msg/Time'](1_000_000_000 + second, 0)
            header = TYPES.types['std_msgs/msg/Header'](stamp, 'camera')
            data = np.frombuffer((IMAGES / 'images' / f'{name}.jpg').read_bytes(), np.uint8)
            message = TYPES.types[kind](header, 'jpeg', data)
            writer.write(connection, stamp.sec * 10**9, TYPES.serialize_cdr(message, kind))
    lines = [f'{1_000_000_000 + i} {x} 0 0 0 0 0 1' for i, x in enumerate(positions)]
    path.with_suffix('.tum').write_text('\n'.join(lines))
    return path


@pytest.fixture(scope='module')
def laps(tmp_path_factory):
    folder = tmp_path_factory.mktemp('laps')
    with (IMAGES / 'ground_truth.csv').open() as file:
        truth = {int(row['query']): int(row['map_nominal']) for row in csv.DictReader(file)}
    first = write_lap(folder / 'lap_1', range(1, 41), range(1, 41))
    return first, write_lap(folder / 'lap_2', sorted(truth), [truth[q] for q in sorted(truth)])


def recall(placerec, laps, folder, settings):
    """Map the first lap, replay the second, and return recall@1."""
    options = [word for setting in ONE_CAMERA + settings for word in ('--set', setting)]
    first, second = laps
    poses = '--poses', first.with_suffix('.tum')
    built = placerec('map', 'build', first, folder / 'map', *poses, *options)
    assert built.returncode == 0, built.stderr
    options += ['--tolerance', TOLERANCE_M, '--poses', second.with_suffix('.tum')]
    out = '--map', folder / 'map', '-o', folder / 'out'
    replayed = placerec('replay', second, *out, *options)
    assert replayed.returncode == 0, replayed.stderr
    summary = json.loads((folder / 'out' / 'summary.json').read_text())
    assert summary['frames'] == 40
    return summary['recall'][str(TOLERANCE_M)]['1']


def test_a_network_with_real_weights_recognises_the_second_lap(placerec, laps, tmp_path, capsys):
    pytest.importorskip('torch')
    recalls = {
        name: recall(placerec, laps, tmp_path / name.replace(' ', '_'), settings)
        for name, settings in DESCRIPTORS.items()
    }
    with capsys.disabled():
        print('\n\nRecall@1 within 2 frames, real corridors (40 queries):')
        for name, share in recalls.items():
            print(f'  {name:18}{share:6.1%}')
    assert recalls['ImageNet weights'] >= 0.90
    assert recalls['shipped network'] >= 0.90
    assert min(recalls['ImageNet weights'], recalls['shipped network']) > max(
        recalls['random weights'], recalls['raw pixels']
    )


def test_a_real_image_is_decoded_from_the_bag_unchanged(laps):
    from husky_placerec.data.bag import Bag
    from husky_placerec.data.images import decode_image

    with Bag(laps[0]) as bag:
        _, _, message = next(bag.messages({TOPIC: 'front'}))
        pixels = decode_image(message)
    expected = cv2.cvtColor(cv2.imread(str(IMAGES / 'images' / '1.jpg')), cv2.COLOR_BGR2RGB)
    assert np.array_equal(pixels, expected)
