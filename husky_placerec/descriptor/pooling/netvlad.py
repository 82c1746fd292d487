"""NetVLAD: pooling by sums of residuals to learned cluster centres."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class NetVLAD(nn.Module):
    """
    Assigns each position softly to K centres, and sums the residuals to each centre.

    The features are normalised at each position before the assignment, and the sum of each centre
    is normalised after it (intra-normalisation). The centres start at random; those of the paper
    start from k-means.

    Source: Arandjelovic et al., NetVLAD: CNN Architecture for Weakly Supervised Place Recognition,
    CVPR 2016.

    :param channels: channels D of the feature map.
    :param clusters: number of centres K.
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
        # sum(a * (x - c)) = sum(a * x) - sum(a) * c needs no array of [B, K, D, HW] residuals.
        sums = shares @ features.flatten(2).transpose(1, 2)
        residuals = sums - shares.sum(-1, keepdim=True) * self.centres
        return functional.normalize(residuals, dim=2).flatten(1)
