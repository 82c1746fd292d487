"""Positions carried to clusters by optimal transport, with a dustbin for what tells nothing."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

ITERATIONS = 3  # of Sinkhorn's algorithm
LEAST_MASS = 1e-12  # of a position that a mask leaves out; its logarithm is finite


class SALAD(nn.Module):
    """
    Transports N positions to K clusters or a dustbin, and sums what each cluster was given.

    Each position has the mass 1 (masks: its weight), each cluster takes 1, the dustbin N - K; the
    cost is a learned score. A global token stands before the clusters' sums.

    Source: Izquierdo and Civera, Optimal Transport Aggregation for Visual Place Recognition, CVPR
    2024, and its code (github.com/serizba/salad), with K = 64. The token is made of DINOv2's class
    token there; a feature map of any backbone has none, and here it is made of the map's average.

    :param channels: D of the feature map.
    :param clusters: K, less than the positions of a feature map.
    :param cluster_size: numbers a cluster.
    :param token_size: numbers of the token.
    """

    def __init__(
        self,
        channels: int,
        clusters: int = 16,
        cluster_size: int = 128,
        token_size: int = 256,
        hidden: int = 512,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.token = nn.Sequential(
            nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, token_size)
        )
        self.features = _perceptron(channels, hidden, cluster_size, dropout)
        self.scores = _perceptron(channels, hidden, clusters, dropout)
        self.dustbin = nn.Parameter(torch.tensor(1.0))
        self.size = token_size + cluster_size * clusters

    def forward(self, features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Pool [B, D, H, W] features by [B, 1, H, W] weights into [B, token + K * cluster]."""
        token = self.token((features * weights).mean((-2, -1)))
        local = self.features(features).flatten(2)  # [B, cluster_size, HW]
        scores = self.scores(features).flatten(2)  # [B, K, HW]
        shares = _transported(scores, self.dustbin, weights.flatten(2))
        sums = functional.normalize(local @ shares.transpose(1, 2), dim=1)
        parts = [functional.normalize(token, dim=1), sums.flatten(1)]
        return functional.normalize(torch.cat(parts, 1), dim=1)


def _perceptron(inputs: int, hidden: int, outputs: int, dropout: float) -> nn.Sequential:
    """Make a perceptron for each position; the dropout is before the ReLU, as published."""
    return nn.Sequential(
        nn.Conv2d(inputs, hidden, 1),
        nn.Dropout(dropout),
        nn.ReLU(),
        nn.Conv2d(hidden, outputs, 1),
    )


def _transported(
    scores: torch.Tensor, dustbin: torch.Tensor, masses: torch.Tensor
) -> torch.Tensor:
    """
    Return what each cluster gets of each position, [B, K, N], by Sinkhorn's algorithm.

    :param scores: [B, K, N].
    :param masses: [B or 1, 1, N] of mean 1.
    """
    clusters, positions = scores.shape[1:]
    scores = torch.cat([scores, torch.zeros_like(scores[:, :1]) + dustbin], 1)
    wanted = scores.new_zeros(clusters + 1, 1)  # logarithms, as all that follows
    wanted[-1] = math.log(positions - clusters)
    given = masses.clamp(min=LEAST_MASS).log()
    of_positions = torch.zeros_like(given)
    for _ in range(ITERATIONS):
        of_clusters = wanted - torch.logsumexp(scores + of_positions, 2, keepdim=True)
        of_positions = given - torch.logsumexp(scores + of_clusters, 1, keepdim=True)
    return (scores + of_clusters + of_positions).exp()[:, :-1]
