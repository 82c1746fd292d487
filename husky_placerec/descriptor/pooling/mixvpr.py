"""MixVPR: pooling by perceptrons over the whole map of each channel."""

from __future__ import annotations

import torch
from torch import nn


class MixVPR(nn.Module):
    """
    Mixes all positions of each channel, then projects the channels and the positions.

    The published method has no masks; here the weights scale the positions before the mixing.

    Source: Ali-bey, Chaib-draa and Giguere, MixVPR: Feature Mixing for Visual Place Recognition,
    WACV 2023.

    :param channels: channels D of the feature map.
    :param positions: positions H * W of the feature map; the network takes no other number.
    :param outputs: channels after the projection.
    :param rows: numbers per channel after the projection of its positions.
    :param depth: number of mixers, one behind the other.
    """

    def __init__(
        self, channels: int, positions: int, outputs: int = 256, rows: int = 4, depth: int = 4
    ) -> None:
        super().__init__()
        self.mix = nn.Sequential(*(_Mixer(positions) for _ in range(depth)))
        self.channel_projection = nn.Linear(channels, outputs)
        self.row_projection = nn.Linear(positions, rows)
        self.size = outputs * rows

    def forward(self, features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Pool [B, D, H, W] features by [B, 1, H, W] weights into [B, outputs * rows]."""
        mixed = self.mix((features * weights).flatten(2))  # [B, D, HW]
        channels = self.channel_projection(mixed.transpose(1, 2)).transpose(1, 2)
        return self.row_projection(channels).flatten(1)


class _Mixer(nn.Module):
    """A residual perceptron over the positions of each channel."""

    def __init__(self, positions: int) -> None:
        super().__init__()
        self.mix = nn.Sequential(
            nn.LayerNorm(positions),
            nn.Linear(positions, positions),
            nn.ReLU(),
            nn.Linear(positions, positions),
        )
        for layer in self.mix:
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return maps + self.mix(maps)
