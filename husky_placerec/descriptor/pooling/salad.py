"""SALAD: pooling by optimal transport of positions to clusters and a dustbin."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

ITERATIONS = 3  # of Sinkhorn's algorithm
LEAST_MASS = 1e-12  # for masked positions, so that the logarithm stays finite


class SALAD(nn.Module):
    """
    Transports N positions to K clusters and a dustbin, and sums the features of each cluster.

    Each position has mass 1, or its weight where there are masks. Each cluster takes mass 1, and
    the dustbin takes N - K. Learned scores are the negative cost of the transport. A global token
    precedes the sums of the clusters. The paper makes this token from DINOv2's class token. For
    backbones that have no class token it is made from the mean of the feature map.

    Source: Izquierdo and Civera, Optimal Transport Aggregation for Visual Place Recognition, CVPR
    2024, and its code, github.com/serizba/salad, where K = 64.

    :param channels: channels D of the feature map.
    :param clusters: K, less than the positions of the feature map.
    :param cluster_size: length of a cluster's sum.
    :param token_size: length of the token.
    :param hidden: width of the perceptrons' hidden layer.
    :param dropout: of the perceptrons.
    """

    takes_token = True

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

    def forward(
        self, features: torch.Tensor, weights: torch.Tensor, token: torch.Tensor | None = None
    ) -> torch.Tensor:
        """
        Pool [B, D, H, W] features by [B, 1, H, W] weights into [B, token + K * cluster].

        :param token: [B, D] class tokens; None: the mean of the features.
        """
        token = self.token((features * weights).mean((-2, -1)) if token is None else token)
        local = self.features(features).flatten(2)  # [B, cluster_size, HW]
        scores = self.scores(features).flatten(2)  # [B, K, HW]
        shares = _transport_plan(scores, self.dustbin, weights.flatten(2))
        sums = functional.normalize(local @ shares.transpose(1, 2), dim=1)
        parts = [functional.normalize(token, dim=1), sums.flatten(1)]
        return functional.normalize(torch.cat(parts, 1), dim=1)


def _perceptron(inputs: int, hidden: int, outputs: int, dropout: float) -> nn.Sequential:
    """Make a perceptron that runs at each position; as published, dropout precedes the ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, hidden, 1),
        nn.Dropout(dropout),
        nn.ReLU(),
        nn.Conv2d(hidden, outputs, 1),
    )


def _transport_plan(
    scores: torch.Tensor, dustbin: torch.Tensor, masses: torch.Tensor
) -> torch.Tensor:
    """
    Return the mass that each cluster receives from each position, [B, K, N].

    Sinkhorn's algorithm, in logarithms: Cuturi, Sinkhorn Distances: Lightspeed Computation of
    Optimal Transport, NeurIPS 2013.

    :param scores: [B, K, N].
    :param dustbin: score of the dustbin, for all positions.
    :param masses: [B or 1, 1, N] of mean 1.
    """
    clusters, positions = scores.shape[1:]
    scores = torch.cat([scores, torch.zeros_like(scores[:, :1]) + dustbin], 1)
    log_cluster_mass = scores.new_zeros(clusters + 1, 1)
    log_cluster_mass[-1] = math.log(positions - clusters)
    log_position_mass = masses.clamp(min=LEAST_MASS).log()
    v = torch.zeros_like(log_position_mass)  # u and v: the logarithms of Sinkhorn's scalings
    for _ in range(ITERATIONS):
        u = log_cluster_mass - torch.logsumexp(scores + v, 2, keepdim=True)
        v = log_position_mass - torch.logsumexp(scores + u, 1, keepdim=True)
    return (scores + u + v).exp()[:, :-1]
