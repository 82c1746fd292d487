"""
Write a network as one ONNX file: uint8 images in, unit vectors out, preprocessing inside.

A second input is optional: `masks`, [B, rows, columns], the weight of each position of the feature
map in the pooling, at least 0. Without it all positions count alike.

The file's metadata holds the spec of the network. So a map that the network built can be searched
with the exported file, and the other way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
import json
from pathlib import Path
import tempfile
import warnings

from husky_placerec.config import Config
from husky_placerec.descriptor.exported import ExportedExtractor
from husky_placerec.descriptor.network import DescriptorNetwork
from husky_placerec.descriptor.runtimes.model_file import SPEC_KEY
from husky_placerec.descriptor.runtimes.onnx_runtime import MASKS_INPUT
from husky_placerec.descriptor.runtimes.runtime import ONNX_RUNTIME
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.descriptor.torch_extractor import TorchExtractor
from husky_placerec.errors import InputError
from husky_placerec.files import write_atomic
from husky_placerec.types import FloatArray, Pixels
import numpy as np
import onnx
import torch
from torch import nn

OPSET = 17
MOST_ERROR = 1e-4  # length of the difference of two unit vectors; rounding stays below it


class _PixelNetwork(nn.Module):
    """The network, preceded by the conversion of uint8 images [B, H, W, 3]."""

    def __init__(self, network: DescriptorNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
        return self.network(images.permute(0, 3, 1, 2).float() / 255, masks)


def export_onnx(
    spec: DescriptorSpec, path: Path, images: Sequence[Pixels], *, threads: int
) -> float:
    """
    Write a network as ONNX, once its descriptors equal those of torch.

    :param images: at least two [H, W, 3] RGB images of the input size, for the comparison.
    :return: the largest length of the difference of two unit vectors.
    :raises InputError: for a network that cannot be exported, and for descriptors that differ.
    """
    if spec.fusion == 'attention':
        raise InputError('fusion attention cannot be exported; concat and add can')
    made = TorchExtractor(spec, threads=threads)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / 'model.onnx'
        _convert(made, file)
        model = file.read_bytes()
        config = replace(Config(), runtime=ONNX_RUNTIME, threads=threads)
        exported = ExportedExtractor(replace(made.spec, weights=str(file)), config)
        # A single image and several: the exported network must take any number of images.
        ours = np.concatenate([exported.describe(images[:1]), exported.describe(images[1:])])
        masked = exported.describe(images, _gradients(images))
    theirs = made.describe(images), made.describe(images, _gradients(images))
    error = max(float(np.linalg.norm(a - b, axis=1).max()) for a, b in zip((ours, masked), theirs))
    if not error <= MOST_ERROR:
        raise InputError(
            f'backbone {spec.backbone}: the descriptors of the ONNX file differ from those of '
            f'torch by {error:.2g}; expected at most {MOST_ERROR:g}'
        )
    write_atomic(path, model)
    return error


def _gradients(images: Sequence[Pixels]) -> list[FloatArray]:
    """Return a mask for each image whose weights rise from left to right, from 0 to 1."""
    height, width = images[0].shape[:2]
    return [np.tile(np.linspace(0, 1, width, dtype=np.float32), (height, 1))] * len(images)


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Switch off the fused layers of multi-head attention, which the exporter does not know."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def _convert(made: TorchExtractor, file: Path) -> None:
    spec = made.spec
    blank = torch.zeros(2, spec.input_height, spec.input_width, 3, dtype=torch.uint8)
    grid = made.network.grid
    try:
        with warnings.catch_warnings(), _plain_attention():
            warnings.simplefilter('ignore')  # that this exporter is old, and that sizes are fixed
            torch.onnx.export(
                _PixelNetwork(made.network).eval(),
                (blank, torch.ones(2, *grid)),
                file,
                opset_version=OPSET,
                input_names=['images', MASKS_INPUT],
                output_names=['descriptors'],
                dynamic_axes={
                    'images': {0: 'count'},
                    MASKS_INPUT: {0: 'masks'},  # as many, or one for all images
                    'descriptors': {0: 'count'},
                },
                dynamo=False,  # the newer exporter needs onnxscript
            )
    except Exception as error:  # the exporter raises many kinds
        raise InputError(f'backbone {spec.backbone}: cannot be exported ({error})') from error
    model = onnx.load(file)
    # An input with an initial value may be left out.
    usual = np.ones((1, *grid), np.float32)
    model.graph.initializer.append(onnx.numpy_helper.from_array(usual, MASKS_INPUT))
    about = model.metadata_props.add()
    about.key, about.value = SPEC_KEY, json.dumps(spec.as_json())
    onnx.checker.check_model(model)
    file.write_bytes(model.SerializeToString())
