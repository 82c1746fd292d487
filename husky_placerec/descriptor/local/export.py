"""Write a network of local features as ONNX: uint8 images in, unit vectors of cells out."""

from __future__ import annotations

from collections.abc import Sequence
import json
from pathlib import Path
import tempfile
import warnings

from husky_placerec.descriptor.local.basis import Basis, SIZE
from husky_placerec.descriptor.local.network import (
    BRANCHES_KEY,
    DISTANCE,
    LocalNetwork,
    quantized,
    SPEC_KEY,
)
from husky_placerec.descriptor.network import DescriptorNetwork
from husky_placerec.errors import InputError
from husky_placerec.files import write_atomic
from husky_placerec.types import FloatArray, Pixels
import numpy as np
import onnx
import torch
from torch import nn
from torch.nn import functional

OPSET = 17
MOST_ERROR = 2  # of the stored integers; one is the rounding of float32


class CellNetwork(nn.Module):
    """
    The features of a network on their grid, in the space of a basis for each branch.

    A network with an anchor has two branches, and tells how far an image is from its training.

    :param bases: one for each feature map of the network.
    """

    def __init__(self, network: DescriptorNetwork, bases: Sequence[Basis]) -> None:
        super().__init__()
        self.network = network
        for number, basis in enumerate(bases):
            self.register_buffer(f'mean{number}', torch.from_numpy(basis.mean))
            self.register_buffer(f'axes{number}', torch.from_numpy(basis.axes))

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return [B, cells, D] for each branch of [B, H, W, 3] images, and the distance [B]."""
        maps = self.network.features(images.permute(0, 3, 1, 2).float() / 255)
        found = []
        for number, features in enumerate(maps):
            mean, axes = getattr(self, f'mean{number}'), getattr(self, f'axes{number}')
            cells = (features.flatten(2).transpose(1, 2) - mean) @ axes
            found.append(functional.normalize(cells, dim=2))
        anchor = self.network.anchor
        if anchor is not None:
            average = functional.normalize(maps[1].mean((2, 3)), dim=1)
            found.append(anchor.squared_distance(average))
        return tuple(found)


def export_local(
    network: DescriptorNetwork,
    images: Sequence[Pixels],
    path: Path,
    *,
    threads: int,
    size: int = SIZE,
) -> LocalNetwork:
    """
    Fit the bases to images, write the network, and check that ONNX Runtime agrees with torch.

    :param images: [H, W, 3] RGB images of the input size of the local network.
    :raises InputError: for too few images, a network without a grid of features, and one that
        cannot be exported.
    """
    maps = _feature_maps(network, images)
    cells = CellNetwork(network, [Basis.fit(each, size) for each in maps]).eval()
    branches = ('learned', 'anchor') if network.anchor is not None else ('features',)
    height, width = images[0].shape[:2]
    about = {
        'input_width': width,
        'input_height': height,
        'rows': maps[0].shape[1],
        'columns': maps[0].shape[2],
        'size': size,
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / 'model.onnx'
        _convert(cells, branches, images[0], file, about)
        made = LocalNetwork(str(file), threads=threads)
        _require_equal(cells, made, images[:3])
        write_atomic(path, file.read_bytes())
    return LocalNetwork(str(path), threads=threads)


@torch.no_grad()
def _feature_maps(network: DescriptorNetwork, images: Sequence[Pixels]) -> list[FloatArray]:
    rows = []
    for image in images:
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 255
        rows.append([each[0].permute(1, 2, 0).numpy() for each in network.features(pixels)])
    return [np.array(each, np.float32) for each in zip(*rows)]


def _convert(
    cells: CellNetwork, branches: Sequence[str], image: Pixels, file: Path, about: dict[str, int]
) -> None:
    outputs = [*branches, *([DISTANCE] if cells.network.anchor is not None else [])]
    blank = torch.zeros(2, *image.shape, dtype=torch.uint8)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # that this exporter is old, and that sizes are fixed
            torch.onnx.export(
                cells,
                (blank,),
                file,
                opset_version=OPSET,
                input_names=['images'],
                output_names=outputs,
                dynamic_axes={name: {0: 'count'} for name in ('images', *outputs)},
                dynamo=False,  # the newer exporter needs onnxscript
            )
    except Exception as error:  # the exporter raises many kinds
        raise InputError(f'local features: cannot be exported ({error})') from error
    model = onnx.load(file)
    for key, value in ((SPEC_KEY, about), (BRANCHES_KEY, list(branches))):
        entry = model.metadata_props.add()
        entry.key, entry.value = key, json.dumps(value)
    onnx.checker.check_model(model)
    file.write_bytes(model.SerializeToString())


@torch.no_grad()
def _require_equal(cells: CellNetwork, made: LocalNetwork, images: Sequence[Pixels]) -> None:
    expected = cells(torch.from_numpy(np.stack(images)))
    for mine, theirs in zip(made.describe(images, made.branches), expected):
        error = int(np.abs(mine.astype(int) - quantized(theirs.numpy())).max())
        if error > MOST_ERROR:
            raise InputError(
                f'local features: the ONNX file differs from torch by {error} of 127; expected at '
                f'most {MOST_ERROR}'
            )
