"""A timm network with GeM pooling as an image extractor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from husky_placerec.descriptor._timm import timm
from husky_placerec.descriptor.pooling import GeM
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.descriptor.weights import load_weights, weights_sha256
from husky_placerec.errors import InputError
from husky_placerec.types import FloatArray, Pixels
import numpy as np
import torch
from torch import nn
import yaml

RANDOM_SEED = 0  # of `weights: random`, so that a map and a later run have the same network
NORMALIZATIONS = {
    'imagenet': ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    'half': ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}


class TimmExtractor:
    """
    Any timm backbone by name, its last feature map pooled by GeM.

    :raises InputError: for an unknown backbone, options or weights that do not fit it.
    """

    def __init__(self, spec: DescriptorSpec, *, threads: int) -> None:
        torch.set_num_threads(threads)
        self._network = _load_backbone(spec).eval()
        self._pooling = GeM()
        normalization = spec.normalization or 'imagenet'
        mean, std = (torch.tensor(v).view(3, 1, 1) for v in NORMALIZATIONS[normalization])
        self._mean, self._std = mean, std
        self.spec = replace(
            spec,
            normalization=normalization,
            pooling=repr(self._pooling),
            weights_sha256=weights_sha256(self._network),
            size=self._network.num_features,
        )
        self._try(spec)

    @torch.inference_mode()
    def describe(self, images: Sequence[Pixels]) -> FloatArray:
        """Describe [H, W, 3] RGB images of the input size as [B, D] L2-normalised vectors."""
        batch = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255
        features = self._network.forward_features((batch - self._mean) / self._std)
        vectors = self._pooling(_as_map(features, self.spec.size))
        return nn.functional.normalize(vectors, dim=1).numpy()

    def _try(self, spec: DescriptorSpec) -> None:
        """Describe one image now: some networks take only the size that they were made for."""
        blank = np.zeros((spec.input_height, spec.input_width, 3), np.uint8)
        try:
            size = self.describe([blank]).shape[1]
        except Exception as error:  # whatever the network raises
            raise InputError(
                f'backbone {spec.backbone}: cannot describe images of '
                f'{spec.input_width}x{spec.input_height} ({error})'
            ) from error
        if size != self.spec.size:
            raise InputError(f'backbone {spec.backbone}: gives {size} features a position')


def _load_backbone(spec: DescriptorSpec) -> Any:  # a timm model: more than an nn.Module
    source = spec.weights
    torch.manual_seed(RANDOM_SEED)
    try:
        network = timm.create_model(
            spec.backbone, pretrained=source == 'hub', num_classes=0, **_options(spec)
        )
    except Exception as error:  # timm's own, the hub client's, and whatever an option breaks
        where = ' with weights from the hub' if source == 'hub' else ''
        raise InputError(f'backbone {spec.backbone}{where}: cannot be made ({error})') from error
    if source not in ('hub', 'random'):
        load_weights(network, Path(source))
    return network


def _options(spec: DescriptorSpec) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for option in spec.backbone_options.split():
        name, equals, value = option.partition('=')
        if not equals:
            raise InputError(f'backbone_options has {option!r}; expected NAME=VALUE')
        options[name] = yaml.safe_load(value)
    return options


def _as_map(features: torch.Tensor, channels: int) -> torch.Tensor:
    """Return [B, D, H, W], also for tokens [B, N, D] and for networks with channels last."""
    if features.ndim == 3:
        return features.transpose(1, 2).unsqueeze(-1)
    if features.shape[1] != channels and features.shape[-1] == channels:
        return features.permute(0, 3, 1, 2)
    return features
