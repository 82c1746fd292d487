"""Pooling of a feature map into one vector."""

from __future__ import annotations

import torch
from torch import nn


class GeM(nn.Module):
    """
    Generalised mean over all positions: p = 1 is the average, a large p the maximum.

    Source: Radenovic, Tolias and Chum, Fine-tuning CNN Image Retrieval with No Human Annotation,
    TPAMI 2018.
    """

    def __init__(self, p: float = 3.0, eps: float = 1e-6) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.tensor(float(p)))
        self.eps = eps

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Pool [B, D, H, W] features into [B, D]."""
        return features.clamp(min=self.eps).pow(self.p).mean((-2, -1)).pow(1 / self.p)

    def __repr__(self) -> str:
        return f'GeM(p={self.p.item():.2f})'
