"""Key points by SIFT, and by a network as ONNX."""

from __future__ import annotations

import cv2
from husky_placerec.descriptor.local.keypoints import KeyPointNetwork, RootSift, strongest
from husky_placerec.errors import InputError
import numpy as np
import pytest

NEEDS = ('onnx',)

HEIGHT, WIDTH = 48, 64


def textured(seed=0):
    noise = np.random.default_rng(seed).uniform(0, 255, (24, 32, 3)).astype(np.uint8)
    return cv2.resize(noise, (384, 224), interpolation=cv2.INTER_CUBIC)


def network(path):
    """Write a network whose key points are bright pixels, described by the colour of a block."""
    from onnx import checker, helper, save, TensorProto

    nodes = [
        helper.make_node('Cast', ['images'], ['float'], to=TensorProto.FLOAT),
        helper.make_node('Transpose', ['float'], ['planes'], perm=[0, 3, 1, 2]),
        helper.make_node('Constant', [], ['most'], value_float=255.0),
        helper.make_node('Div', ['planes', 'most'], ['unit']),
        helper.make_node('ReduceMax', ['unit'], ['scores'], axes=[1], keepdims=0),
        helper.make_node(
            'AveragePool', ['unit'], ['descriptors'], kernel_shape=[8, 8], strides=[8, 8]
        ),
    ]
    graph = helper.make_graph(
        nodes,
        'key points',
        [helper.make_tensor_value_info('images', TensorProto.UINT8, [1, HEIGHT, WIDTH, 3])],
        [
            helper.make_tensor_value_info('scores', TensorProto.FLOAT, [1, HEIGHT, WIDTH]),
            helper.make_tensor_value_info('descriptors', TensorProto.FLOAT, [1, 3, 6, 8]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)])
    model.ir_version = 8
    checker.check_model(model)
    save(model, path)
    return path


def test_sift_finds_the_same_key_points_in_a_shifted_image():
    image = textured()
    shifted = np.roll(image, 20, axis=1)
    here, there = RootSift(200)(image), RootSift(200)(shifted)
    assert len(here) == len(there) == 200
    cosines = here.descriptors @ there.descriptors.T
    moved = there.positions[cosines.argmax(axis=1)] - here.positions
    assert np.median(moved, axis=0) == pytest.approx([20.0, 0.0], abs=0.1)
    assert np.linalg.norm(here.descriptors, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_a_network_gives_the_strongest_pixels_and_what_is_around_them(tmp_path):
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[20, 30] = (0, 255, 0)
    image[8, 50] = (200, 0, 0)
    image[40, 10] = (0, 0, 90)
    found = KeyPointNetwork(network(tmp_path / 'points.onnx'), 2)(image)
    assert found.positions.tolist() == [[30, 20], [50, 8]]
    assert found.descriptors == pytest.approx(np.eye(3)[[1, 0]], abs=1e-6)


def test_an_image_without_features_has_no_key_points(tmp_path):
    made = KeyPointNetwork(network(tmp_path / 'points.onnx'))
    for grey in (0, 120, 255):
        assert len(made(np.full((HEIGHT, WIDTH, 3), grey, np.uint8))) == 0


def test_key_points_keep_apart():
    scores = np.zeros((20, 20), np.float32)
    scores[5, 5], scores[5, 7], scores[5, 12] = 0.9, 0.8, 0.7
    right, down = strongest(scores, 10)
    assert list(zip(right.tolist(), down.tolist())) == [(5, 5), (12, 5)]


def test_files_that_are_no_network_of_key_points_are_refused(tmp_path):
    with pytest.raises(InputError, match='no such file'):
        KeyPointNetwork(tmp_path / 'none.onnx')
    (tmp_path / 'text.onnx').write_text('no model')
    with pytest.raises(InputError, match='not a network as ONNX'):
        KeyPointNetwork(tmp_path / 'text.onnx')
    with pytest.raises(InputError, match='key points of a 10x10 image'):
        KeyPointNetwork(network(tmp_path / 'points.onnx'))(np.zeros((10, 10, 3), np.uint8))
