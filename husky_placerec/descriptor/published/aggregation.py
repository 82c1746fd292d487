"""The aggregations of the published networks, from a feature map to one vector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from husky_placerec.descriptor.pooling.gem import GeM
from husky_placerec.descriptor.pooling.mixvpr import MixVPR
from husky_placerec.descriptor.pooling.salad import SALAD
from husky_placerec.descriptor.published.bag_of_queries import BagOfQueries
from husky_placerec.descriptor.published.preset import Preset
from husky_placerec.errors import InputError
import torch
from torch import nn
from torch.nn import functional


class CosPlace(nn.Module):
    """
    Unit features at each position, their generalised mean, and a linear layer with bias.

    Source: Berton, Masone and Caputo, Rethinking Visual Geo-localization for Large-Scale
    Applications, CVPR 2022.
    """

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        self.gem = GeM(channels)
        self.linear = nn.Linear(channels, outputs)
        self.size = outputs

    def forward(self, features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Pool [B, D, H, W] features by [B or 1, 1, H, W] weights into [B, outputs]."""
        return self.linear(self.gem(functional.normalize(features, dim=1), weights))


class SaladLinear(nn.Module):
    """
    SALAD and a linear layer with bias.

    Source: Berton and Masone, MegaLoc: One Retrieval to Place Them All, CVPR Workshops 2025.
    """

    takes_token = True

    def __init__(self, channels: int, clusters: int, cluster_size: int, outputs: int) -> None:
        super().__init__()
        self.salad = SALAD(channels, clusters, cluster_size)
        self.linear = nn.Linear(self.salad.size, outputs)
        self.size = outputs

    def forward(
        self, features: torch.Tensor, weights: torch.Tensor, token: torch.Tensor
    ) -> torch.Tensor:
        """Pool [B, D, H, W] features and [B, D] class tokens into [B, outputs]."""
        return self.linear(self.salad(features, weights, token))


class TokenAndMean(nn.Module):
    """
    The class token, then the mean of the patch tokens.

    Source: what Oquab et al., DINOv2: Learning Robust Visual Features without Supervision, TMLR
    2024, give to their linear classifiers.
    """

    takes_token = True

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.size = 2 * channels

    def forward(
        self, features: torch.Tensor, weights: torch.Tensor, token: torch.Tensor
    ) -> torch.Tensor:
        """Pool [B, D, H, W] features and [B, D] class tokens into [B, 2 * D]."""
        return torch.cat([token, (features * weights).mean((-2, -1))], 1)


def make_aggregation(name: str, preset: Preset, channels: int, positions: int) -> nn.Module:
    """
    Make the aggregation of a preset, for a feature map of `channels` at `positions`.

    :param name: of the preset, for the error.
    :raises InputError: for a map of too few positions.
    """
    arguments = preset.arguments
    clusters = arguments.get('clusters', 0)
    if clusters >= positions:
        raise InputError(
            f'preset {name}: the input gives {positions} patches; expected more than its '
            f'{clusters} clusters, hence larger images'
        )
    makers: dict[str, Callable[..., Any]] = {
        'boq': BagOfQueries,
        'cosplace': CosPlace,
        'mixvpr': lambda channels, **given: MixVPR(channels, positions, **given),
        'salad': SALAD,
        'salad_linear': SaladLinear,
        'token_and_mean': TokenAndMean,
    }
    made: nn.Module = makers[preset.aggregation](channels, **arguments)
    return made
