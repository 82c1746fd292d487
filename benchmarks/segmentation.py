"""
Train a small segmentation network on simulated drives, and write it as ONNX.

It gives the classes of Mapillary Vistas. It is for figures in simulation: what it has learned does
not hold for real photographs. The drives are those of masks_training.py.

Example: python benchmarks/segmentation.py street.onnx
"""

from __future__ import annotations

import argparse
from itertools import pairwise
import json
from pathlib import Path

import cv2
from husky_placerec.progress import bar
from husky_placerec.semantics.runtimes import CLASSES_KEY
from husky_placerec.semantics.segmenter import INPUTS
from husky_placerec.semantics.tables import tables
from masks_drives import training_drives
import numpy as np
import onnx
from rendered import masks_of, render
import torch
from torch import nn
from torch.nn import functional

WIDTH, HEIGHT = 192, 112
TABLE = tables()['vistas']
BATCH = 8
MOVING_WEIGHT = 3.0  # of the loss at pixels of dynamic classes, which are few


def _block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Return a depthwise separable convolution."""
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class SmallNet(nn.Module):
    """
    An encoder to a stride of 16 and a decoder to a stride of 2, with connections between them.

    Source of the shape: Ronneberger, Fischer and Brox, U-Net: Convolutional Networks for
    Biomedical Image Segmentation, MICCAI 2015.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        sizes = 16, 32, 64, 96
        first = nn.Conv2d(3, sizes[0], 3, 2, 1, bias=False)
        self.stem = nn.Sequential(first, nn.BatchNorm2d(sizes[0]), nn.ReLU())
        steps = pairwise(sizes)
        self.down = nn.ModuleList(nn.Sequential(_block(a, b, 2), _block(b, b)) for a, b in steps)
        wide = list(reversed(sizes))
        self.up = nn.ModuleList(_block(a + b, b) for a, b in pairwise(wide))
        self.head = nn.Conv2d(sizes[0], classes, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the scores [B, K, H / 2, W / 2] of normalised images [B, 3, H, W]."""
        maps = [self.stem(images)]
        for each in self.down:
            maps.append(each(maps[-1]))
        found = maps.pop()
        for each in self.up:
            skip = maps.pop()
            size = int(skip.shape[-2]), int(skip.shape[-1])
            found = each(torch.cat([functional.interpolate(found, size), skip], 1))
        return self.head(found)


def load(folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Return images [N, 3, H, W] of uint8 and classes [N, H / 2, W / 2] of the training drives."""
    images, classes = [], []
    for path in render([each for group in training_drives() for each in group], folder):
        for pair, masks in zip(np.load(path, mmap_mode='r'), masks_of(path)):
            for image, mask in zip(pair, masks):
                small = cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
                images.append(small.transpose(2, 0, 1))
                half = WIDTH // 2, HEIGHT // 2
                classes.append(cv2.resize(mask, half, interpolation=cv2.INTER_NEAREST))
    return torch.from_numpy(np.array(images)), torch.from_numpy(np.array(classes))


def train(images: torch.Tensor, classes: torch.Tensor, iterations: int) -> SmallNet:
    """Train from random weights; images are mirrored, and their light is varied."""
    torch.manual_seed(0)
    network = SmallNet(len(TABLE)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    weights = torch.ones(len(TABLE))
    weights[[n for n, name in enumerate(TABLE.names) if name in TABLE.dynamic]] = MOVING_WEIGHT
    mean, std = (torch.tensor(each).view(3, 1, 1) for each in INPUTS['imagenet'])
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.004, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.004, total_steps=iterations)
    with bar('Training', iterations, ' iterations') as shown:
        for _ in range(iterations):
            rows = torch.randint(len(images), (BATCH,))
            batch, wanted = images[rows].float() / 255, classes[rows].long()
            if torch.rand(()) < 0.5:
                batch, wanted = batch.flip(3), wanted.flip(2)
            batch = batch ** torch.empty(BATCH, 1, 1, 1).uniform_(0.6, 1.6)
            scores = network((batch - mean) / std)
            loss = functional.cross_entropy(scores, wanted, weights)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            shown.set_postfix(loss=f'{loss.item():.3f}', refresh=False)
            shown.update()
    return network.eval()


def write(network: SmallNet, path: Path) -> None:
    """Write the network as ONNX, with the names of its classes."""
    blank = torch.zeros(1, 3, HEIGHT, WIDTH)
    torch.onnx.export(
        network,
        (blank,),
        path,
        opset_version=17,
        input_names=['images'],
        output_names=['scores'],
        dynamo=False,
    )
    model = onnx.load(path)
    about = model.metadata_props.add()
    about.key, about.value = CLASSES_KEY, json.dumps(list(TABLE.names))
    onnx.save(model, path)


def main() -> None:
    """Train and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('output', type=Path)
    parser.add_argument('--iterations', type=int, default=350)
    parser.add_argument('--drives', type=Path, default=Path('drives'), help='rendered drives')
    args = parser.parse_args()
    torch.set_num_threads(1)
    write(train(*load(args.drives), args.iterations), args.output)
    print(f'{args.output}: {args.output.stat().st_size / 1e3:.0f} kB')


if __name__ == '__main__':
    main()
