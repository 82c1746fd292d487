"""The anchor: features that training leaves unchanged, and how much weight they receive."""

from __future__ import annotations

from husky_placerec.descriptor.pooling.gem import GeM
import torch
from torch import nn
from torch.nn import functional
from typing_extensions import Self

TRAINING_SHARE = 0.5  # the anchor's share of the similarity during training
LEAST_SHARE, MOST_SHARE = 0.15, 0.95  # of images near the training images, and far from them
# The distance to the training images is 1 on average over these images themselves. Measured:
# 99 % of rendered images of other campuses are below 1.4; 99 % of 80 images of real corridors,
# the only real images that were tried, are above 2.2.
DISTANCE_MIDDLE, DISTANCE_SCALE = 1.7, 0.1
MOMENTUM = 0.01  # of the running statistics, per batch
SHRINKAGE = 0.05


class Anchor(nn.Module):
    """
    Joins features that do not learn to the learned descriptor, as a unit vector of their own.

    A learned descriptor is good for images that resemble the training images, and little better
    than noise for others. The squared Mahalanobis distance of an image's pooled features to those
    of the training decides which share of the similarity each part receives.

    The features are pooled by GeM with its usual p, normalised to unit length and centred by their
    mean over the training, since uncentred pooled features of all images are much alike. Measured
    on real images, a single cell recognises places better than a grid, and centring does better
    than whitening.

    Source of the distance: Lee et al., A Simple Unified Framework for Detecting
    Out-of-Distribution Samples and Adversarial Attacks, NeurIPS 2018.

    :param channels: channels D of the feature map.
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
        """
        Join the learned unit vectors and the anchor's to unit vectors [B, D + size].

        In training mode, both parts have the same share, and the statistics are updated.

        :param learned: [B, D] unit vectors.
        :param pooled: [B, size], what `forward` returned.
        """
        if self.training:
            self._update_statistics(pooled.detach())
            share = torch.full_like(pooled[:, :1], TRAINING_SHARE)
        else:
            distance = self.squared_distance(pooled)
            far = torch.sigmoid((distance - DISTANCE_MIDDLE) / DISTANCE_SCALE)
            share = (LEAST_SHARE + (MOST_SHARE - LEAST_SHARE) * far)[:, None]
        kept = functional.normalize(pooled - self.mean, dim=1)
        return torch.cat([(1 - share).sqrt() * learned, share.sqrt() * kept], dim=1)

    def squared_distance(self, pooled: torch.Tensor) -> torch.Tensor:
        """Return [B]: the squared Mahalanobis distance to the training images, over `size`."""
        return ((pooled - self.mean) @ self.scale).square().mean(1)

    def train(self, mode: bool = True) -> Self:
        """Switch the mode; evaluation mode computes the distance's scale from the statistics."""
        if not mode:
            spread = self.covariance.diagonal().mean() * torch.eye(self.size).to(self.mean)
            shrunk = (1 - SHRINKAGE) * self.covariance + SHRINKAGE * spread
            self.scale = torch.linalg.cholesky(torch.linalg.inv(shrunk.double())).to(self.mean)
        return super().train(mode)

    def _update_statistics(self, pooled: torch.Tensor) -> None:
        """Update the running mean and covariance; the first batches count equally."""
        self.batches += 1
        rate = max(MOMENTUM, 1 / float(self.batches))
        self.mean.lerp_(pooled.mean(0), rate)
        centred = pooled - self.mean
        self.covariance.lerp_(centred.T @ centred / len(pooled), rate)
