"""Fusion of the cameras' vectors by attention: what each counts depends on what all see."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

MOST_HEADS = 8


class CameraAttention(nn.Module):
    """
    A learned query attends to the cameras that are there; what it finds is added to their mean.

    Each camera's vector goes in with an embedding that says which camera it is, so that front and
    back are not the same seen in another order. The last projection starts at zero: an untrained
    one is fusion by `add`, and training can only depart from it.

    Source: pooling by multi-head attention of Lee et al., Set Transformer, ICML 2019.

    :param cameras: C.
    :param size: D.
    """

    def __init__(self, cameras: int, size: int) -> None:
        super().__init__()
        heads = next(n for n in range(MOST_HEADS, 0, -1) if size % n == 0)
        self.cameras = nn.Parameter(torch.randn(cameras, size) / size**0.5)
        self.query = nn.Parameter(torch.randn(1, 1, size) / size**0.5)
        self.norm = nn.LayerNorm(size)
        self.attention = nn.MultiheadAttention(size, heads, batch_first=True)
        self.projection = nn.Linear(size, size)
        nn.init.zeros_(self.projection.weight)
        nn.init.zeros_(self.projection.bias)

    def forward(self, vectors: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """
        Fuse [B, C, D] unit vectors into [B, D] ones; zeros where no camera is there.

        :param present: [B, C] bool; what absent cameras have in their rows does not count.
        """
        any_there = present.any(1, keepdim=True)
        absent = ~present & any_there  # a softmax over nothing would be NaN
        tokens = self.norm(vectors + self.cameras)
        query = self.query.expand(len(vectors), -1, -1)
        found, _ = self.attention(query, tokens, tokens, absent, need_weights=False)
        total = (vectors * present[..., None]).sum(1)
        mean = total / present.sum(1, keepdim=True).clamp(min=1)
        return functional.normalize(mean + self.projection(found[:, 0]), dim=1) * any_there
