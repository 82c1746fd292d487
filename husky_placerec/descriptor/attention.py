"""Fusion of the cameras' vectors by attention, so that all vectors decide each one's weight."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

MOST_HEADS = 8


class CameraAttention(nn.Module):
    """
    A learned query attends to the present cameras; the result is added to their mean vector.

    Each camera's vector enters with an embedding of its camera, so that the front and the back
    image are not interchangeable. The last projection starts at zero: an untrained network gives
    the same as fusion by `add`.

    Source: pooling by multi-head attention of Lee et al., Set Transformer, ICML 2019.

    :param cameras: number of cameras C.
    :param size: length D of a vector.
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
        Fuse [B, C, D] unit vectors into [B, D] unit vectors; zeros where no camera is present.

        :param present: [B, C] bool; the rows of absent cameras are ignored.
        """
        any_present = present.any(1, keepdim=True)
        absent = ~present & any_present  # a softmax over nothing would be NaN
        tokens = self.norm(vectors + self.cameras)
        query = self.query.expand(len(vectors), -1, -1)
        attended, _ = self.attention(query, tokens, tokens, absent, need_weights=False)
        total = (vectors * present[..., None]).sum(1)
        mean = total / present.sum(1, keepdim=True).clamp(min=1)
        return functional.normalize(mean + self.projection(attended[:, 0]), dim=1) * any_present
