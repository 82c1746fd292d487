"""MobileNetV2 in two branches: one is trained, the other keeps its ImageNet weights."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
import copy
from typing import Any

from husky_placerec.descriptor.timm_import import timm
import torch
from torch import nn

TIMM_NAME = 'mobilenetv2_100'
# The numbers of blocks, of seven. The stride is 8 after the three shared blocks, then 16. On real
# places the features behind the fifth block gave a higher recall than those behind the later ones.
SHARED_BLOCKS, USED_BLOCKS = 3, 5


class AnchoredMobileNet(nn.Module):
    """
    MobileNetV2 without its last blocks; the blocks behind the third exist twice.

    A network that is trained on simulated drives alone forgets what ImageNet taught it about real
    images. Here one copy of the later blocks is trained, and the other is the anchor. Each copy
    has its own part of the descriptor, whose share `Anchor` decides. The first blocks serve both.

    Source of the network: Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks,
    CVPR 2018.

    :param options: options of timm's mobilenetv2_100.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__()
        whole: Any = timm.create_model(TIMM_NAME, num_classes=0, **options)
        parts = {'conv_stem': whole.conv_stem, 'bn1': whole.bn1}
        self.stem = nn.Sequential(OrderedDict(parts, blocks=whole.blocks[:SHARED_BLOCKS]))
        self.learned: nn.Sequential = whole.blocks[SHARED_BLOCKS:USED_BLOCKS]
        self.anchor: nn.Sequential = copy.deepcopy(self.learned)
        self.num_features: int = whole.feature_info[3]['num_chs']
        self.anchor_features: int = self.num_features

    def forward_features(self, images: torch.Tensor) -> torch.Tensor:
        """Return the feature map of the trained branch, [B, 96, H / 16, W / 16]."""
        return self.learned(self.stem(images))

    def forward_branches(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the feature maps of the trained branch and of the anchor, of equal shape."""
        shared = self.stem(images)
        return self.learned(shared), self.anchor(shared)

    def from_timm(self, state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Rename the weights of timm's whole network to those of this one."""
        renamed = {}
        for key, value in state.items():
            branch_key = key.removeprefix('blocks.')
            for name in (f'stem.{key}', f'learned.{branch_key}', f'anchor.{branch_key}'):
                renamed[name] = value
        own = self.state_dict()
        return {key: value for key, value in renamed.items() if key in own}
