"""A small convolutional backbone with local contrast normalisation (LCN), quick to train."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

WIDTHS, STRIDES = (1, 24, 48, 96, 96, 128), (2, 2, 2, 2, 1)
CONTRAST_WINDOW = 17  # pixels
LEAST_CONTRAST = 0.06  # in standard deviations of the network's input


class LcnCnn(nn.Module):
    """
    Normalises the local contrast of grey images, then applies five convolutions.

    The network has 0.24 M parameters and trains within minutes on two CPU cores. The normalisation
    removes most of the effect of dusk and night. Its layers were chosen for 160x96 pixels; it
    takes any size.

    Source of the normalisation: Jarrett et al., What is the Best Multi-Stage Architecture for
    Object Recognition?, ICCV 2009.
    """

    num_features = WIDTHS[-1]

    def __init__(self) -> None:
        super().__init__()
        layers = zip(WIDTHS, WIDTHS[1:], STRIDES)
        self.body = nn.Sequential(*(_convolution(*layer) for layer in layers))

    def forward_features(self, images: torch.Tensor) -> torch.Tensor:
        """Return the [B, 128, H / 16, W / 16] feature map of normalised [B, 3, H, W] images."""
        return self.body(_contrast_normalized(images.mean(1, keepdim=True)))


def _convolution(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def _contrast_normalized(grey: torch.Tensor) -> torch.Tensor:
    centred = grey - _blurred(grey)
    deviation = _blurred(centred**2).sqrt()
    return centred / (deviation + LEAST_CONTRAST)


def _blurred(values: torch.Tensor) -> torch.Tensor:
    window = CONTRAST_WINDOW
    return functional.avg_pool2d(values, window, 1, window // 2, count_include_pad=False)
