"""Backbones by name: timm's and the package's own, each as a network that gives a feature map."""

from __future__ import annotations

from collections.abc import Callable
import difflib
from pathlib import Path
from typing import Any

from husky_placerec.descriptor.anchored_mobilenet import AnchoredMobileNet
from husky_placerec.descriptor.backbone_options import backbone_options
from husky_placerec.descriptor.lcn_cnn import LcnCnn
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.descriptor.timm_import import timm
from husky_placerec.errors import InputError
import torch
from torch import nn

OWN_BACKBONES: dict[str, Callable[..., Any]] = {
    'anchored_mobilenetv2': AnchoredMobileNet,
    'lcn_cnn': LcnCnn,
}
MOST_SUGGESTIONS = 4  # names that an error message suggests


class Backbone(nn.Module):
    """
    A network whose last feature map is [B, D, H, W], also where it is a transformer.

    The option `stages=N` cuts the network behind its N-th stage. Each stage halves the feature
    map, so a cut network computes less and gives a finer map.

    :raises InputError: for an unknown name, for options that the network does not take, and for
        an unreachable hub.
    """

    def __init__(self, spec: DescriptorSpec) -> None:
        super().__init__()
        options = backbone_options(spec.backbone_options)
        stages = options.pop('stages', None)
        self.network = _make(spec, options)
        self.channels: int = self.network.num_features
        self.anchor_channels: int = getattr(self.network, 'anchor_features', 0)
        self.cut_off: frozenset[str] = frozenset()  # names of the weights that a cut removed
        if stages is not None:
            self._cut(spec.backbone, stages)

    @property
    def has_token(self) -> bool:
        """Whether the network is a transformer with a class token, which then comes first."""
        return getattr(self.network, 'cls_token', None) is not None

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the [B, D, H, W] feature map of normalised [B, 3, h, w] images."""
        return self._as_map(self.network.forward_features(images), images.shape[-2:])

    def with_token(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the feature map and the class tokens [B, D] of a network that has them."""
        tokens = self.network.forward_features(images)
        return self._as_map(tokens, images.shape[-2:]), tokens[:, 0]

    def branches(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the trained and the anchor's feature map of a backbone that has an anchor."""
        learned, anchor = self.network.forward_branches(images)
        return learned, anchor

    def _cut(self, name: str, stages: Any) -> None:
        whole = set(self.network.state_dict())
        try:
            if stages < 1:
                raise ValueError('expected 1 or more')
            info = self.network.feature_info[stages - 1]
            self.network.prune_intermediate_layers([stages - 1])
        except Exception as error:  # not a number, too large, or a network without stages
            raise InputError(
                f'backbone {name}: cannot be cut behind stage {stages!r} ({error!r})'
            ) from error
        self.channels = info['num_chs']
        self.cut_off = frozenset(whole - set(self.network.state_dict()))

    def _as_map(self, features: torch.Tensor, size: torch.Size) -> torch.Tensor:
        if features.ndim == 3:
            return self._from_tokens(features, size)
        if features.shape[1] != self.channels and features.shape[-1] == self.channels:
            return features.permute(0, 3, 1, 2)  # the channels came last
        return features

    def _from_tokens(self, tokens: torch.Tensor, size: torch.Size) -> torch.Tensor:
        """Arrange a transformer's patch tokens as in the image, without its class tokens."""
        patches = tokens[:, getattr(self.network, 'num_prefix_tokens', 0) :].transpose(1, 2)
        embed = getattr(self.network, 'patch_embed', None)
        rows, columns = embed.dynamic_feat_size(tuple(size)) if embed else (patches.shape[2], 1)
        return patches.reshape(-1, self.channels, int(rows), int(columns))


def _make(spec: DescriptorSpec, options: dict[str, Any]) -> Any:  # timm's models have more methods
    name = spec.backbone
    if name not in OWN_BACKBONES and not timm.is_model(name):
        known = [*OWN_BACKBONES, *timm.list_models()]
        near = difflib.get_close_matches(name, known, MOST_SUGGESTIONS)
        hint = f'did you mean {" or ".join(near)}?' if near else 'timm.list_models() lists them'
        raise InputError(f'backbone {name}: cannot be made: there is no such network; {hint}')
    hub = spec.weights == 'hub'
    if name in OWN_BACKBONES and hub:
        raise InputError(
            f'backbone {name}: there are no weights on the hub; expected weights to be a file or '
            'random'
        )
    try:
        if name in OWN_BACKBONES:
            return OWN_BACKBONES[name](**options)
        # Most transformers take one image size, which is chosen when they are made.
        if getattr(timm.get_pretrained_cfg(name), 'fixed_input_size', False):
            options = {'img_size': (spec.input_height, spec.input_width), **options}
        return timm.create_model(name, pretrained=hub, num_classes=0, **options)
    except Exception as error:  # from timm, the hub's client, or a wrong option
        if hub:
            raise InputError(
                f'backbone {name} with weights from the hub: cannot be made ({error}); if the hub '
                'cannot be reached, download the weights on another machine and give the file, '
                f'weights={Path(name).name}.safetensors, or use weights=random'
            ) from error
        raise InputError(f'backbone {name}: cannot be made ({error})') from error
