"""Pooling by the mean over all positions: the simplest one, for comparison."""

from __future__ import annotations

import torch
from torch import nn


class Average(nn.Module):
    """
    Weighted mean over all positions.

    :param channels: channels D of the feature map.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.size = channels

    def forward(self, features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Pool [B, D, H, W] features by [B, 1, H, W] weights into [B, D]."""
        return (features * weights).sum((-2, -1)) / weights.sum((-2, -1))
