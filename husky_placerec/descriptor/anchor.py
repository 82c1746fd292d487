"""The part of a descriptor that training leaves as it was, and how far to trust the rest."""

from __future__ import annotations

from husky_placerec.descriptor.pooling.gem import GeM
import torch
from torch import nn
from torch.nn import functional
from typing_extensions import Self

TRAINING_SHARE = 0.5  # of the similarity, while the other part learns
LEAST_SHARE, MOST_SHARE = 0.15, 0.95  # on images like those of the training, and on others
# Unlikeness is 1 on average over a training. Measured: of rendered images of other campuses 99 %
# are below 1.4; of 80 images of real corridors, the only ones tried, 99 % are above 2.2.
BORDER, SOFTNESS = 1.7, 0.1
MOMENTUM = 0.01  # of the statistics, a batch
SHRINKAGE = 0.05


class Anchor(nn.Module):
    """
    Features that do not learn, as a unit vector beside the one that was learned.

    What was learned is good where images are like those of the training, and little more than
    noise elsewhere. So each image's own unlikeness to the training, the Mahalanobis distance of
    its pooled features, decides the share of either part.

    Pooled by GeM with its usual p, a unit vector, and centred by the mean of those of a training:
    as they come, the pooled features of all images are much alike. Measured on real images, one
    cell tells places apart better than a grid, and centring better than whitening.

    Source of the distance as a measure: Lee et al., A Simple Unified Framework for Detecting
    Out-of-Distribution Samples and Adversarial Attacks, NeurIPS 2018.

    :param channels: of the feature map.
    """

    mean: torch.Tensor
    covariance: torch.Tensor
    batches: torch.Tensor
    scale: torch.Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pooling = GeM(channels).requires_grad_(False)
        self.size = self.pooling.size
        self.register_buffer('mean', torch.zeros(self.size))
        self.register_buffer('covariance', torch.eye(self.size))
        self.register_buffer('batches', torch.zeros((), dtype=torch.int64))
        self.register_buffer('scale', torch.eye(self.size), persistent=False)

    def forward(self, features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Pool [B, D, H, W] features by [B, 1, H, W] weights into unit vectors [B, size]."""
        return functional.normalize(self.pooling(features.clamp(min=0), weights), dim=1)

    def join(self, learned: torch.Tensor, pooled: torch.Tensor) -> torch.Tensor:
        """Return unit vectors [B, D + size] of learned unit vectors [B, D] and what was pooled."""
        if self.training:
            self._watch(pooled.detach())
            share = torch.full_like(pooled[:, :1], TRAINING_SHARE)
        else:
            above = torch.sigmoid((self.unlikeness(pooled) - BORDER) / SOFTNESS)
            share = (LEAST_SHARE + (MOST_SHARE - LEAST_SHARE) * above)[:, None]
        kept = functional.normalize(pooled - self.mean, dim=1)
        return torch.cat([(1 - share).sqrt() * learned, share.sqrt() * kept], dim=1)

    def unlikeness(self, pooled: torch.Tensor) -> torch.Tensor:
        """Return [B]: the squared Mahalanobis distance to the training, 1 on average there."""
        return ((pooled - self.mean) @ self.scale).square().mean(1)

    def train(self, mode: bool = True) -> Self:
        """Make what follows from the statistics, when a training ends or weights were loaded."""
        if not mode:
            spread = self.covariance.diagonal().mean() * torch.eye(self.size).to(self.mean)
            shrunk = (1 - SHRINKAGE) * self.covariance + SHRINKAGE * spread
            self.scale = torch.linalg.cholesky(torch.linalg.inv(shrunk.double())).to(self.mean)
        return super().train(mode)

    def _watch(self, pooled: torch.Tensor) -> None:
        """Take a batch into the statistics; the first ones count alike."""
        self.batches += 1
        rate = max(MOMENTUM, 1 / float(self.batches))
        self.mean.lerp_(pooled.mean(0), rate)
        centred = pooled - self.mean
        self.covariance.lerp_(centred.T @ centred / len(pooled), rate)
