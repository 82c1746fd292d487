"""Sums of what differs from learned centres."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class NetVLAD(nn.Module):
    """
    Soft-assigns each position to K centres and sums what it differs from each by.

    Source: Arandjelovic et al., NetVLAD: CNN architecture for weakly supervised place recognition,
    CVPR 2016; positions are normalised first, each centre's sum after (intra-normalisation).
    The centres are learned from a random start; the paper starts from k-means.

    :param channels: D of the feature map.
    :param clusters: K.
    """

    def __init__(self, channels: int, clusters: int = 16) -> None:
        super().__init__()
        self.assignment = nn.Conv2d(channels, clusters, 1)
        self.centres = nn.Parameter(functional.normalize(torch.randn(clusters, channels), dim=1))
        self.size = channels * clusters

    def forward(self, features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Pool [B, D, H, W] features by [B, 1, H, W] weights into [B, K * D]."""
        features = functional.normalize(features, dim=1)
        shares = (self.assignment(features).softmax(1) * weights).flatten(2)  # [B, K, HW]
        # The sum of a * (x - c) without the [B, K, D, HW] differences.
        sums = shares @ features.flatten(2).transpose(1, 2)
        residuals = sums - shares.sum(-1, keepdim=True) * self.centres
        return functional.normalize(residuals, dim=2).flatten(1)
