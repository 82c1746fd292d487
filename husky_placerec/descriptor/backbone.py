"""Backbones by name: timm's, and our own small one; their weights; their feature maps."""

from __future__ import annotations

from collections.abc import Callable
import difflib
from pathlib import Path
from typing import Any

from husky_placerec.descriptor._timm import timm
from husky_placerec.descriptor.anchored import AnchoredMobileNet
from husky_placerec.descriptor.lcn_cnn import LcnCnn
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.errors import InputError
import torch
from torch import nn
import yaml

OWN: dict[str, Callable[..., Any]] = {
    'anchored_mobilenetv2': AnchoredMobileNet,
    'lcn_cnn': LcnCnn,
}
MOST_NEAR_NAMES = 4


class Backbone(nn.Module):
    """
    A network whose last feature map is [B, D, H, W], whatever it is made of.

    The option `stages=N` cuts it behind its N-th stage, each of which halves the feature map:
    less to compute, and finer features.

    :raises InputError: for an unknown name, options that it does not take, a hub out of reach.
    """

    def __init__(self, spec: DescriptorSpec) -> None:
        super().__init__()
        options = _options(spec)
        stages = options.pop('stages', None)
        self.network = _make(spec, options)
        self.channels: int = self.network.num_features
        self.anchor_channels: int = getattr(self.network, 'anchor_features', 0)
        self.cut_off: frozenset[str] = frozenset()  # names of weights that a cut left out
        if stages is not None:
            self._cut(spec.backbone, stages)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the [B, D, H, W] feature map of normalised [B, 3, h, w] images."""
        features = self.network.forward_features(images)
        if features.ndim == 3:
            return self._from_tokens(features, images.shape[-2:])
        if features.shape[1] != self.channels and features.shape[-1] == self.channels:
            return features.permute(0, 3, 1, 2)
        return features

    def both(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the feature map, and the anchor's, of a backbone that has one."""
        learned, anchor = self.network.forward_both(images)
        return learned, anchor

    def _cut(self, name: str, stages: Any) -> None:
        whole = set(self.network.state_dict())
        try:
            if stages < 1:
                raise ValueError('expected 1 or more')
            info = self.network.feature_info[stages - 1]
            self.network.prune_intermediate_layers([stages - 1])
        except Exception as error:  # no number, too large a one, or a network without stages
            raise InputError(
                f'backbone {name}: cannot be cut behind stage {stages!r} ({error!r})'
            ) from error
        self.channels = info['num_chs']
        self.cut_off = frozenset(whole - set(self.network.state_dict()))

    def _from_tokens(self, tokens: torch.Tensor, size: torch.Size) -> torch.Tensor:
        """Lay a transformer's patches out as they are in the image; class tokens are left out."""
        patches = tokens[:, getattr(self.network, 'num_prefix_tokens', 0) :].transpose(1, 2)
        embed = getattr(self.network, 'patch_embed', None)
        rows, columns = embed.dynamic_feat_size(tuple(size)) if embed else (patches.shape[2], 1)
        return patches.reshape(-1, self.channels, int(rows), int(columns))


def _make(spec: DescriptorSpec, options: dict[str, Any]) -> Any:  # timm's: more than an nn.Module
    name = spec.backbone
    if name not in OWN and not timm.is_model(name):
        known = [*OWN, *timm.list_models()]
        near = difflib.get_close_matches(name, known, MOST_NEAR_NAMES)
        hint = f'did you mean {" or ".join(near)}?' if near else 'timm.list_models() has the names'
        raise InputError(f'backbone {name}: cannot be made; there is none of that name; {hint}')
    hub = spec.weights == 'hub'
    if name in OWN and hub:
        raise InputError(f'backbone {name}: no weights on the hub; give a file, or random')
    try:
        if name in OWN:
            return OWN[name](**options)
        if getattr(
            timm.get_pretrained_cfg(name), 'fixed_input_size', False
        ):  # transformers: of one size, but any
            options = {'img_size': (spec.input_height, spec.input_width), **options}
        return timm.create_model(name, pretrained=hub, num_classes=0, **options)
    except Exception as error:  # timm's own, the hub client's, and whatever an option breaks
        if hub:
            raise InputError(
                f'backbone {name} with weights from the hub: cannot be made ({error}); where the '
                'hub is out of reach, fetch its weights elsewhere and give the file, '
                f'weights={Path(name).name}.safetensors, or weights=random'
            ) from error
        raise InputError(f'backbone {name}: cannot be made ({error})') from error


def _options(spec: DescriptorSpec) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for option in spec.backbone_options.split():
        name, equals, value = option.partition('=')
        if not equals:
            raise InputError(f'backbone_options has {option!r}; expected NAME=VALUE')
        try:
            options[name] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise InputError(f'backbone_options has {option}: not YAML ({error})') from error
    return options
