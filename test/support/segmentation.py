"""Segmentation networks of a few nodes: a class by the brightness of a pixel, as files of ONNX."""

from __future__ import annotations

import json

import numpy as np
import pytest


def write_segmentation(
    path, classes=65, bright=55, dark=17, size=(12, 20), *, numbers=False, names=None, first=True
):
    """
    Write a network whose score is highest for one class where red is bright, else for another.

    :param size: height and width that it takes; None: any.
    :param numbers: return the numbers of the classes instead of scores.
    :param names: of the classes, in the metadata.
    :param first: channels first.
    """
    onnx = pytest.importorskip('onnx')
    from onnx import helper, numpy_helper, TensorProto

    weights = np.zeros((classes, 3, 1, 1), np.float32)
    bias = np.full(classes, -1e3, np.float32)
    weights[bright, 0], bias[bright] = 1.0, 0.0
    weights[dark, 0], bias[dark] = -1.0, 0.0
    sides = ['h', 'w'] if size is None else list(size)
    shape = [1, 3, *sides] if first else [1, *sides, 3]
    nodes, name = [], 'images'
    if not first:
        nodes.append(helper.make_node('Transpose', [name], ['nchw'], perm=[0, 3, 1, 2]))
        name = 'nchw'
    nodes.append(helper.make_node('Conv', [name, 'weights', 'bias'], ['scores']))
    if numbers:
        nodes.append(helper.make_node('ArgMax', ['scores'], ['found'], axis=1, keepdims=0))
    output, kind = ('found', TensorProto.INT64) if numbers else ('scores', TensorProto.FLOAT)
    graph = helper.make_graph(
        nodes,
        'segmentation',
        [helper.make_tensor_value_info('images', TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(output, kind, None)],
        [numpy_helper.from_array(weights, 'weights'), numpy_helper.from_array(bias, 'bias')],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)
    if names is not None:
        about = model.metadata_props.add()
        about.key, about.value = 'classes', json.dumps(names)
    onnx.save(model, path)
    return path


def half_bright(height=48, width=80):
    """Return an image whose left half is bright, and the mask of it: cars beside a building."""
    image = np.full((height, width, 3), 10, np.uint8)
    image[:, : width // 2] = 245
    return image, np.where(image[..., 0] > 128, 55, 17).astype(np.uint8)
