"""The anchor: features that training leaves unchanged, and how much weight they receive."""

from __future__ import annotations

from husky_placerec.descriptor.pooling.gem import GeM
import torch
from torch import nn
from torch.nn import functional
from typing_extensions import Self

GRID = (3, 5)  # rows and columns of the cells; docs/real_images.md compares it with others
TRAINING_SHARE = 0.5  # the anchor's share of the similarity during training
LEAST_SHARE = 0.3  # of images near the training images; far from them the anchor has all
# The distance to the training images is 1 on average over these images themselves. Measured:
# 99.9 % of rendered images of other campuses are below 2.3; all real images are above 3.9.
DISTANCE_MIDDLE, DISTANCE_SCALE = 3.0, 0.15
MOMENTUM = 0.01  # of the running statistics, per batch
SHRINKAGE = 0.05


class Anchor(nn.Module):
    """
    Joins features that do not learn to the learned descriptor, as a unit vector of their own.

    A learned descriptor is good for images that resemble the training images, and little better
    than noise for others. The squared Mahalanobis distance of an image's average features to those
    of the training decides which share of the similarity each part receives: from an image like
    those of the training, both parts; from another one, the anchor alone.

    The features are pooled by GeM with its usual p over the cells of a grid, and normalised to
    unit length. They are not centred here: the map does that for each session (see
    `descriptor.centring`), which is better than one mean for all.

    Source of the distance: Lee et al., A Simple Unified Framework for Detecting
    Out-of-Distribution Samples and Adversarial Attacks, NeurIPS 2018.

    :param channels: channels D of the feature map.
    :ivar size: of the anchor's part of the descriptor.
    :ivar pooled: size of what `forward` returns.
    """

    mean: torch.Tensor
    covariance: torch.Tensor
    batches: torch.Tensor
    scale: torch.Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pooling = GeM(channels, GRID).requires_grad_(False)
        self.channels = channels
        self.size = self.pooling.size
        self.pooled = self.size + channels
        self.register_buffer('mean', torch.zeros(channels))
        self.register_buffer('covariance', torch.eye(channels))
        self.register_buffer('batches', torch.zeros((), dtype=torch.int64))
        self.register_buffer('scale', torch.eye(channels), persistent=False)

    def forward(self, features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """
        Pool [B, D, H, W] features by [B, 1, H, W] weights into [B, pooled].

        :return: the unit vector of the grid, then the unit vector of the averages, for `join`.
        """
        grid = functional.normalize(self.pooling(features, weights), dim=1)
        average = (features * weights).sum((2, 3)) / weights.sum((2, 3))
        return torch.cat([grid, functional.normalize(average, dim=1)], dim=1)

    def join(self, learned: torch.Tensor, pooled: torch.Tensor) -> torch.Tensor:
        """
        Join the learned unit vectors and the anchor's to unit vectors [B, D + size].

        In training mode, both parts have the same share, the anchor's vectors are centred by their
        batch as a session would centre them, and the statistics are updated.

        :param learned: [B, D] unit vectors.
        :param pooled: [B, pooled], what `forward` returned.
        """
        kept, average = pooled[:, : self.size], pooled[:, self.size :]
        if self.training:
            self._update_statistics(average.detach())
            share = torch.full_like(kept[:, :1], TRAINING_SHARE)
            kept = functional.normalize(kept - kept.mean(0), dim=1)
        else:
            distance = self.squared_distance(average)
            far = torch.sigmoid((distance - DISTANCE_MIDDLE) / DISTANCE_SCALE)
            share = (LEAST_SHARE + (1 - LEAST_SHARE) * far)[:, None]
        return torch.cat([(1 - share).sqrt() * learned, share.sqrt() * kept], dim=1)

    def squared_distance(self, average: torch.Tensor) -> torch.Tensor:
        """Return [B]: the squared Mahalanobis distance to the training images, over `channels`."""
        return ((average - self.mean) @ self.scale).square().mean(1)

    def train(self, mode: bool = True) -> Self:
        """Switch the mode; evaluation mode computes the distance's scale from the statistics."""
        if not mode:
            spread = self.covariance.diagonal().mean() * torch.eye(self.channels).to(self.mean)
            shrunk = (1 - SHRINKAGE) * self.covariance + SHRINKAGE * spread
            self.scale = torch.linalg.cholesky(torch.linalg.inv(shrunk.double())).to(self.mean)
        return super().train(mode)

    def _update_statistics(self, average: torch.Tensor) -> None:
        """Update the running mean and covariance; the first batches count equally."""
        self.batches += 1
        rate = max(MOMENTUM, 1 / float(self.batches))
        self.mean.lerp_(average.mean(0), rate)
        centred = average - self.mean
        self.covariance.lerp_(centred.T @ centred / len(average), rate)
