"""
Pooling of a feature map into one vector, by name.

A name can have an argument behind a colon: `gem:1x3` (rows x columns of the grid), `netvlad:16`
(clusters), `mixvpr:4` (rows), `salad:16` (clusters).
"""

from __future__ import annotations

from collections.abc import Callable
import re

from husky_placerec.descriptor.pooling.average import Average
from husky_placerec.descriptor.pooling.gem import GeM
from husky_placerec.descriptor.pooling.mixvpr import MixVPR
from husky_placerec.descriptor.pooling.netvlad import NetVLAD
from husky_placerec.descriptor.pooling.salad import SALAD
from husky_placerec.errors import InputError
import torch
from torch import nn
from torch.nn import functional


def make_pooling(name: str, channels: int, height: int, width: int) -> nn.Module:
    """
    Make the pooling of a feature map [B, channels, height, width].

    :raises InputError: for an unknown name, and for an argument that the pooling does not take.
    """
    kind, _, argument = name.partition(':')
    makers: dict[str, Callable[[], nn.Module]] = {
        'gem': lambda: GeM(channels, _grid(name, argument, height, width)),
        'average': lambda: Average(channels),
        'netvlad': lambda: NetVLAD(channels, _count(name, argument, 16)),
        'mixvpr': lambda: MixVPR(channels, height * width, rows=_count(name, argument, 4)),
        'salad': lambda: SALAD(channels, _clusters(name, argument, 16, height * width)),
    }
    if kind not in makers or (kind == 'average' and argument):
        raise InputError(
            f'pooling is {name!r}; expected average, gem, gem:ROWSxCOLUMNS, '
            'netvlad[:CLUSTERS], mixvpr[:ROWS] or salad[:CLUSTERS]'
        )
    return makers[kind]()


def position_weights(features: torch.Tensor, masks: torch.Tensor | None) -> torch.Tensor:
    """
    Return the weight of each position of a feature map: [B or 1, 1, H, W] of mean 1.

    :param masks: [B, h, w] of any size, at least 0. Without masks, and for
        a mask of zeros, all weights are 1.
    """
    if masks is None:
        return features.new_ones(1, 1, *features.shape[-2:])
    size, weights = features.shape[-2:], masks[:, None].to(features)
    if weights.shape[-2:] != size:
        weights = functional.interpolate(weights, size, mode='area')
    mean = weights.mean((-2, -1), keepdim=True)
    return torch.where(mean > 0, weights / mean.clamp(min=1e-12), torch.ones_like(weights))


def _grid(name: str, argument: str, height: int, width: int) -> tuple[int, int]:
    match = re.fullmatch(r'([1-9]\d?)x([1-9]\d?)', argument or '1x1')
    if match is None or int(match[1]) > height or int(match[2]) > width:
        raise InputError(
            f'pooling is {name!r}; expected gem:ROWSxCOLUMNS of at most the {height}x{width} '
            'positions of the feature map'
        )
    return int(match[1]), int(match[2])


def _count(name: str, argument: str, default: int) -> int:
    if argument and not re.fullmatch(r'[1-9]\d{0,3}', argument):
        raise InputError(f'pooling is {name!r}; expected a whole number behind the colon')
    return int(argument or default)


def _clusters(name: str, argument: str, default: int, positions: int) -> int:
    clusters = _count(name, argument, default)
    if clusters >= positions:
        raise InputError(
            f'pooling is {name!r}; expected salad:CLUSTERS, fewer than the {positions} positions '
            'of the feature map'
        )
    return clusters
