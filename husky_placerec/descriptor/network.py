"""The whole network, from pixels to a unit vector: backbone, pooling, head and fusion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from husky_placerec.descriptor.anchor import Anchor
from husky_placerec.descriptor.attention import CameraAttention
from husky_placerec.descriptor.backbone import Backbone
from husky_placerec.descriptor.pooling import make_pooling, position_weights
from husky_placerec.descriptor.published.aggregation import make_aggregation
from husky_placerec.descriptor.published.cache import published_file
from husky_placerec.descriptor.published.loading import load_published
from husky_placerec.descriptor.published.preset import Preset, PUBLISHED
from husky_placerec.descriptor.shipped import weights_file
from husky_placerec.descriptor.spec import DescriptorSpec, NORMALIZATIONS, preset_of
from husky_placerec.descriptor.weights import load_weights
from husky_placerec.errors import InputError
import torch
from torch import nn
from torch.nn import functional

RANDOM_SEED = 0  # for `weights: random`: a map and a later run then have the same network
MOST_WEIGHTS = 500_000_000  # of the projection head: 2 GB


class DescriptorNetwork(nn.Module):
    """
    Describes images of the input size by unit vectors of length `size`.

    :raises InputError: for a backbone or pooling that cannot be made or does not fit the input.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, spec: DescriptorSpec) -> None:
        super().__init__()
        if spec.normalization not in NORMALIZATIONS:
            raise InputError(
                f'normalization is {spec.normalization!r}; expected one of '
                f'{", ".join(NORMALIZATIONS)}'
            )
        mean, std = (torch.tensor(v).view(3, 1, 1) for v in NORMALIZATIONS[spec.normalization])
        self.register_buffer('mean', mean, persistent=False)
        self.register_buffer('std', std, persistent=False)
        preset = preset_of(spec)
        self.backbone = Backbone(spec) if preset is None else _published_backbone(spec, preset)
        channels, height, width = self._measure_feature_map(spec)
        self.grid = height, width
        self.pooling = (
            make_pooling(spec.pooling, channels, height, width)
            if preset is None
            else make_aggregation(spec.backbone, preset, channels, height * width)
        )
        # A network with an anchor has two poolings, which take no token.
        self._takes_token = (
            bool(getattr(self.pooling, 'takes_token', False))
            and self.backbone.has_token
            and not self.backbone.anchor_channels
        )
        pooled = int(self.pooling.size)  # type: ignore[arg-type]
        if spec.head * pooled > MOST_WEIGHTS:
            raise InputError(
                f'head is {spec.head}, behind {pooled} pooled values; expected at most '
                f'{MOST_WEIGHTS // pooled}'
            )
        # The batch norm centres GeM's positive numbers, so that the differences of places remain.
        self.head = (
            nn.Sequential(nn.BatchNorm1d(pooled), nn.Linear(pooled, spec.head, bias=False))
            if spec.head
            else nn.Identity()
        )
        self.size = spec.head or pooled
        self.anchor: Anchor | None = None
        if self.backbone.anchor_channels:
            self.anchor = Anchor(self.backbone.anchor_channels)
            self.size += self.anchor.size
        attention = spec.fusion == 'attention'
        self.fusion = CameraAttention(len(spec.cameras), self.size) if attention else None

    def forward(self, images: torch.Tensor, masks: torch.Tensor | None = None) -> torch.Tensor:
        """
        Describe [B, 3, H, W] RGB images of 0 to 1 as [B, D] unit vectors.

        :param masks: [B, h, w] of any size, at least 0: the weight of each pixel in the pooling.
        """
        return self.project(self.pool(self.features(images), masks))

    def features(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """
        Return the feature maps of images of 0 to 1: the backbone's, and an anchor's if any.

        For a pooling that takes the class token, the second is that token, [B, D].
        """
        images = (images - self.mean) / self.std
        if self._takes_token:
            return self.backbone.with_token(images)
        return (self.backbone(images),) if self.anchor is None else self.backbone.branches(images)

    def pool(
        self, maps: Sequence[torch.Tensor], masks: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Pool the maps of `features` into [B, P]."""
        poolings = self.pooling, self.anchor
        # Powers and norms need float32, even if the backbone runs in bfloat16.
        with torch.autocast(maps[0].device.type, enabled=False):
            if self._takes_token:
                features, token = (each.float() for each in maps)
                return self.pooling(features, position_weights(features, masks), token)
            pooled = []
            for pooling, features in zip(poolings, (each.float() for each in maps)):
                assert pooling is not None
                pooled.append(pooling(features, position_weights(features, masks)))
            return torch.cat(pooled, 1)

    def project(self, pooled: torch.Tensor) -> torch.Tensor:
        """Project the pooled vectors [B, P] to unit vectors [B, D]."""
        with torch.autocast(pooled.device.type, enabled=False):
            if self.anchor is None:
                return functional.normalize(self.head(pooled), dim=1)
            parts = pooled[:, : -self.anchor.pooled], pooled[:, -self.anchor.pooled :]
            learned, kept = parts
            return self.anchor.join(functional.normalize(self.head(learned), dim=1), kept)

    def fuse(self, vectors: torch.Tensor, present: torch.Tensor, fusion: str) -> torch.Tensor:
        """
        Fuse the cameras' vectors to a unit vector per frame: [B, C * D] for `concat`, else [B, D].

        :param vectors: [B, C, D] unit vectors of the cameras.
        :param present: [B, C] bool; the rows of absent cameras are ignored.
        :param fusion: concat or add; a network with attention fuses by it.
        """
        if self.fusion is not None:
            return self.fusion(vectors, present)
        masked = vectors * present[..., None]
        return functional.normalize(
            masked.flatten(1) if fusion == 'concat' else masked.sum(1), dim=1
        )

    @torch.no_grad()
    def _measure_feature_map(self, spec: DescriptorSpec) -> tuple[int, int, int]:
        """
        Return channels, height and width of the feature map of an image of the input size.

        :raises InputError: for an input size that the backbone does not take.
        """
        blank = torch.zeros(1, 3, spec.input_height, spec.input_width)
        self.backbone.eval()
        try:
            _, channels, height, width = self.backbone(blank).shape
        except Exception as error:  # whatever the network raises
            raise InputError(
                f'backbone {spec.backbone}: cannot describe images of '
                f'{spec.input_width}x{spec.input_height} ({error})'
            ) from error
        if channels != self.backbone.channels:
            raise InputError(
                f'backbone {spec.backbone}: its feature map has {channels} channels; '
                f'expected {self.backbone.channels}'
            )
        return channels, height, width


def _published_backbone(spec: DescriptorSpec, preset: Preset) -> Backbone:
    """Make the backbone of a preset, with random weights."""
    preset.check_size(spec.backbone, spec.input_width, spec.input_height)
    made = replace(
        spec, backbone=preset.backbone, backbone_options=preset.options, weights='random'
    )
    backbone = Backbone(made)
    if not preset.final_norm:
        backbone.network.norm = nn.Identity()
    return backbone


def make_network(spec: DescriptorSpec) -> DescriptorNetwork:
    """
    Make a network with its weights, in evaluation mode.

    A file of weights may hold the backbone alone, or the whole network as training writes it.

    :raises InputError: as `DescriptorNetwork`, and for weights that do not fit the network.
    """
    torch.manual_seed(RANDOM_SEED)
    network = DescriptorNetwork(spec)
    if (preset := preset_of(spec)) is not None:
        if spec.weights != 'random':
            published = spec.weights == PUBLISHED
            file = published_file(spec.backbone, preset) if published else Path(spec.weights)
            load_published(network, spec.backbone, preset, file, network.grid)
        return network.eval()
    if spec.weights not in ('hub', 'random'):
        backbone = network.backbone
        source = weights_file(spec.weights, '.safetensors')
        load_weights(network, backbone.network, source, backbone.cut_off)
    return network.eval()
