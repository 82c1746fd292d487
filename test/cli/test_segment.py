"""`placerec segment`: masks of a track, whole or not at all, and a map that uses them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from support.builders import encode, write_track_folder
from support.segmentation import half_bright, write_segmentation

NEEDS = 'onnx', 'onnxruntime'


@pytest.fixture
def folder(tmp_path):
    """Return a track whose images are bright on the left."""
    made = write_track_folder(tmp_path / 'track')
    for file in made.glob('*_cam/*.png'):
        file.write_bytes(encode(half_bright(48, 64)[0]))
    return made


def test_a_track_gets_a_mask_for_each_image_and_a_map_can_use_them(folder, tmp_path, placerec):
    model = write_segmentation(tmp_path / 'a.onnx')
    ended = placerec('segment', folder, '--model', model)
    assert ended.returncode == 0, ended.stderr
    assert '12 masks; 50.0 % of the pixels move' in ended.stdout
    images = sorted(file.relative_to(folder) for file in folder.glob('*_cam/*.png'))
    masks = sorted(file.relative_to(folder / 'masks') for file in folder.glob('masks/*/*.png'))
    assert masks == images
    mask = cv2.imread(str(folder / 'masks' / masks[0]), cv2.IMREAD_UNCHANGED)
    assert mask.shape == (48, 64)
    assert set(np.unique(mask)) == {17, 55}
    options = '-s', 'weights=shipped', '-s', 'pinhole=off'
    ended = placerec('map', 'build', folder, tmp_path / 'map', *options, '-s', 'masks=true')
    assert ended.returncode == 0, ended.stderr
    assert 'masks: 12 images with a mask, 0 without; what moves counts 70 % less' in ended.stdout
    # A second call replaces its own masks, where it may.
    assert 'exists already' in placerec('segment', folder, '--model', model).stderr
    again = placerec('segment', folder, '--model', model, '--overwrite')
    assert again.returncode == 0, again.stderr


def test_masks_from_elsewhere_are_never_replaced(folder, tmp_path, placerec):
    (folder / 'masks' / 'front_cam').mkdir(parents=True)
    (folder / 'masks' / 'front_cam' / '1.png').write_bytes(b'from elsewhere')
    model = write_segmentation(tmp_path / 'a.onnx')
    ended = placerec('segment', folder, '--model', model, '--overwrite')
    assert ended.returncode == 2
    assert (folder / 'masks' / 'front_cam' / '1.png').read_bytes() == b'from elsewhere'


def test_a_network_of_other_classes_and_a_folder_that_is_no_track_write_nothing(
    folder, tmp_path, placerec
):
    model = write_segmentation(tmp_path / 'a.onnx', classes=19, bright=13, dark=2)
    ended = placerec('segment', folder, '--model', model)
    assert ended.returncode == 2
    assert 'would fit cityscapes' in ended.stderr
    assert not (folder / 'masks').exists()
    ended = placerec('segment', tmp_path, '--model', model)
    assert ended.returncode == 2
    assert 'expected a track' in ended.stderr


def test_a_map_and_a_replay_segment_what_comes_without_a_mask(folder, tmp_path, placerec):
    model = write_segmentation(tmp_path / 'a.onnx')
    options = '-s', 'weights=shipped', '-s', 'pinhole=off', '-s', 'masks=true'
    options += '-s', f'segmentation={model}'
    ended = placerec('map', 'build', folder, tmp_path / 'map', *options)
    assert ended.returncode == 0, ended.stderr
    ended = placerec('replay', folder, '--map', tmp_path / 'map', '-o', tmp_path / 'o', *options)
    assert ended.returncode == 0, ended.stderr
    assert 'masks: 12 images with a mask' in ended.stdout


def test_masks_that_are_asked_for_and_not_there_are_warned_of(folder, tmp_path, placerec):
    options = '-s', 'weights=shipped', '-s', 'pinhole=off', '-s', 'masks=true'
    ended = placerec('map', 'build', folder, tmp_path / 'map', *options)
    assert ended.returncode == 0, ended.stderr
    assert 'none of 12 images has a mask' in ended.stderr.replace('\n', ' ')
