"""BoQ: aggregation by learned queries that attend to all positions."""

from __future__ import annotations

import torch
from torch import nn

HEAD_WIDTH = 64  # channels of a head of the attention


class BagOfQueries(nn.Module):
    """
    A 3x3 convolution, then blocks of a transformer layer, each asked by its own learned queries.

    The published method has no masks; here the weights scale the positions before it.

    Source: Ali-bey, Chaib-draa and Giguere, BoQ: A Place is Worth a Bag of Learnable Queries,
    CVPR 2024. The names of the layers are those of its checkpoints.

    :param channels: channels of the feature map.
    :param width: channels within the blocks.
    :param rows: numbers a channel, in the end.
    :param queries: of each block.
    :param layers: number of blocks.
    """

    def __init__(
        self, channels: int, width: int, rows: int, queries: int = 64, layers: int = 2
    ) -> None:
        super().__init__()
        self.proj_c = nn.Conv2d(channels, width, kernel_size=3, padding=1)
        self.norm_input = nn.LayerNorm(width)
        self.boqs = nn.ModuleList(_Block(width, queries) for _ in range(layers))
        self.fc = nn.Linear(layers * queries, rows)
        self.size = width * rows

    def forward(self, features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Pool [B, D, H, W] features by [B or 1, 1, H, W] weights into [B, width * rows]."""
        tokens = self.proj_c(features * weights).flatten(2).transpose(1, 2)  # [B, HW, width]
        tokens = self.norm_input(tokens)
        answers = []
        for block in self.boqs:
            tokens, answer = block(tokens)
            answers.append(answer)
        return self.fc(torch.cat(answers, 1).transpose(1, 2)).flatten(1)


class _Block(nn.Module):
    """A transformer layer over the positions, and the answers that the queries get from it."""

    def __init__(self, width: int, queries: int) -> None:
        super().__init__()
        heads = max(1, width // HEAD_WIDTH)
        self.encoder = nn.TransformerEncoderLayer(
            width, heads, dim_feedforward=4 * width, dropout=0.0, batch_first=True
        )
        self.queries = nn.Parameter(torch.randn(1, queries, width))
        self.self_attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.norm_q = nn.LayerNorm(width)
        self.cross_attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.norm_out = nn.LayerNorm(width)

    def forward(self, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the tokens [B, HW, width] behind the layer, and the answers [B, Q, width]."""
        tokens = self.encoder(tokens)
        asked = self.queries
        asked = self.norm_q(asked + self.self_attn(asked, asked, asked, need_weights=False)[0])
        asked = asked.expand(tokens.shape[0], -1, -1)
        answers, _ = self.cross_attn(asked, tokens, tokens, need_weights=False)
        return tokens, self.norm_out(answers)
