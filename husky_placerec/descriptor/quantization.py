"""
Quantise an exported network to integers of 8 bits, by NNCF.

Source: Jacob et al., Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference, CVPR 2018; without training, with the ranges that the images of
a drive give.
"""

from __future__ import annotations

from collections.abc import Sequence
import json
import logging
from typing import Any

from husky_placerec.descriptor.runtimes.model_file import ModelFile, SPEC_KEY
from husky_placerec.descriptor.runtimes.runtime import INT8
from husky_placerec.errors import InputError
from husky_placerec.types import Pixels

LEAST_IMAGES = 8  # whose ranges say something
INPUT = 'images'  # name of the input of an exported network


def quantized(model: ModelFile, images: Sequence[Pixels]) -> bytes:
    """
    Return the ONNX file of a network in int8, with the hash of the weights it was made from.

    :param images: [H, W, 3] RGB images of the input size, as the robot sees them.
    :raises InputError: without NNCF, for too few images, for a network that is quantised already,
        and for one that NNCF cannot quantise.
    """
    if model.spec.precision == INT8:
        raise InputError(f'{model.path}: is quantised already; name the file it was made from')
    if len(images) < LEAST_IMAGES:
        raise InputError(
            f'{model.path}: {len(images)} images to quantise by; expected {LEAST_IMAGES} or more'
        )
    try:
        import nncf
        import onnx
    except ImportError as error:
        raise InputError(
            f'{error}; quantising needs pip install husky_placerec[quantize]'
        ) from error
    nncf.set_log_level(logging.ERROR)
    data = nncf.Dataset(list(images), lambda image: {INPUT: image[None]})
    try:
        made: Any = nncf.quantize(
            onnx.load(model.path),
            data,
            # Ranges about zero. With others, OpenVINO subtracts zero points in passes of their own
            # and refuses bfloat16 for the other layers: ConvNeXt-Tiny then takes twice as long.
            preset=nncf.QuantizationPreset.PERFORMANCE,
            subset_size=len(images),
        )
    except Exception as error:  # NNCF raises many kinds
        raise InputError(f'{model.path}: cannot be quantised ({error})') from error
    about = {**model.spec.as_json(), 'precision': INT8}
    for entry in list(made.metadata_props):
        if entry.key == SPEC_KEY:
            made.metadata_props.remove(entry)
    entry = made.metadata_props.add()
    entry.key, entry.value = SPEC_KEY, json.dumps(about)
    return bytes(made.SerializeToString())
