"""The whole network, from pixels to a unit vector: backbone, pooling, head, fusion."""

from __future__ import annotations

from collections.abc import Sequence

from husky_placerec.descriptor.anchor import Anchor
from husky_placerec.descriptor.attention import CameraAttention
from husky_placerec.descriptor.backbone import Backbone
from husky_placerec.descriptor.pooling import make_pooling, position_weights
from husky_placerec.descriptor.shipped import weights_file
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.descriptor.weights import load_weights
from husky_placerec.errors import InputError
import torch
from torch import nn
from torch.nn import functional

RANDOM_SEED = 0  # of `weights: random`, so that a map and a later run have the same network
NORMALIZATIONS = {
    'imagenet': ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    'half': ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}


class DescriptorNetwork(nn.Module):
    """
    Describes images of the input size by unit vectors.

    :param size: numbers a vector.
    :raises InputError: for a backbone, pooling or weights that cannot be made or do not fit.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, spec: DescriptorSpec) -> None:
        super().__init__()
        mean, std = (torch.tensor(v).view(3, 1, 1) for v in NORMALIZATIONS[spec.normalization])
        self.register_buffer('mean', mean, persistent=False)
        self.register_buffer('std', std, persistent=False)
        self.backbone = Backbone(spec)
        channels, height, width = self._try(spec)
        self.pooling = make_pooling(spec.pooling, channels, height, width)
        pooled = int(self.pooling.size)  # type: ignore[arg-type]
        # Batch norm first: it makes of GeM's positive numbers what differs between places.
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

        :param masks: [B, h, w], at least 0: what each part of an image counts in the pooling.
        """
        return self.project(self.pool(self.features(images), masks))

    def features(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the feature map of images of 0 to 1; behind it the anchor's, if there is one."""
        images = (images - self.mean) / self.std
        return (self.backbone(images),) if self.anchor is None else self.backbone.both(images)

    def pool(
        self, maps: Sequence[torch.Tensor], masks: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Pool what `features` returned into [B, P]."""
        poolings = self.pooling, self.anchor
        # Powers and norms want float32, also where the backbone runs in less.
        with torch.autocast(maps[0].device.type, enabled=False):
            pooled = []
            for pooling, features in zip(poolings, (each.float() for each in maps)):
                assert pooling is not None
                pooled.append(pooling(features, position_weights(features, masks)))
            return torch.cat(pooled, 1)

    def project(self, pooled: torch.Tensor) -> torch.Tensor:
        """Return the unit vectors [B, D] of what was pooled."""
        with torch.autocast(pooled.device.type, enabled=False):
            if self.anchor is None:
                return functional.normalize(self.head(pooled), dim=1)
            learned, kept = pooled[:, : -self.anchor.size], pooled[:, -self.anchor.size :]
            return self.anchor.join(functional.normalize(self.head(learned), dim=1), kept)

    def fuse(self, vectors: torch.Tensor, present: torch.Tensor, fusion: str) -> torch.Tensor:
        """
        Return the unit vectors [B, C * D] or [B, D] of frames, for a loss.

        :param vectors: [B, C, D] unit vectors of the cameras.
        :param present: [B, C]; what absent cameras have in their rows does not count.
        """
        if self.fusion is not None:
            return self.fusion(vectors, present)
        there = vectors * present[..., None]
        return functional.normalize(
            there.flatten(1) if fusion == 'concat' else there.sum(1), dim=1
        )

    @torch.no_grad()
    def _try(self, spec: DescriptorSpec) -> tuple[int, int, int]:
        """Make one feature map now: some networks take only the size that they were made for."""
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
            raise InputError(f'backbone {spec.backbone}: gives {channels} features a position')
        return channels, height, width


def make_network(spec: DescriptorSpec) -> DescriptorNetwork:
    """
    Make a network with its weights, ready to describe.

    A file of weights may hold those of the backbone alone, or of the whole network, as training
    writes them.

    :raises InputError: as `DescriptorNetwork`, and for weights that do not fit.
    """
    torch.manual_seed(RANDOM_SEED)
    network = DescriptorNetwork(spec)
    if spec.weights not in ('hub', 'random'):
        backbone = network.backbone
        source = weights_file(spec.weights, '.safetensors')
        load_weights(network, backbone.network, source, backbone.cut_off)
    return network.eval()
