"""A backbone of two branches: one that learns, and one that stays as ImageNet left it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
import copy
from typing import Any

from husky_placerec.descriptor._timm import timm
import torch
from torch import nn

WHOLE = 'mobilenetv2_100'
# Of its seven blocks: the stride is 8 after the first three, then 16. The anchor has two units of
# the sixth besides, of a stride of 32: the features that told real places apart best.
SHARED, LEARNED, MORE_UNITS = 3, 5, 2


class AnchoredMobileNet(nn.Module):
    """
    MobileNetV2 without its end, whose later blocks there are twice.

    What learns from simulated drives alone forgets what ImageNet knows of real images. So the one
    copy learns, and the other anchors the descriptor: each has its own part of it, of a share that
    `Anchor` decides. The first blocks serve both.

    Source of the network: Sandler et al., MobileNetV2, CVPR 2018.

    :param options: of timm's mobilenetv2_100.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__()
        whole: Any = timm.create_model(WHOLE, num_classes=0, **options)
        parts = {'conv_stem': whole.conv_stem, 'bn1': whole.bn1}
        self.stem = nn.Sequential(OrderedDict(parts, blocks=whole.blocks[:SHARED]))
        self.learned: nn.Sequential = whole.blocks[SHARED:LEARNED]
        kept: Any = copy.deepcopy(whole.blocks[SHARED : LEARNED + 1])
        kept[-1] = kept[-1][:MORE_UNITS]
        self.anchor: nn.Sequential = kept
        self.num_features: int = whole.feature_info[3]['num_chs']
        self.anchor_features: int = kept[-1][-1].conv_pwl.out_channels

    def forward_features(self, images: torch.Tensor) -> torch.Tensor:
        """Return the features that learn, [B, 96, H / 16, W / 16]."""
        return self.learned(self.stem(images))

    def forward_both(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the same, and the anchor's features, [B, 160, H / 32, W / 32]."""
        shared = self.stem(images)
        return self.learned(shared), self.anchor(shared)

    def of_whole(self, state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Return timm's weights of the whole network as those of this one."""
        renamed = {}
        for key, value in state.items():
            later = key.removeprefix('blocks.')
            for name in (f'stem.{key}', f'learned.{later}', f'anchor.{later}'):
                renamed[name] = value
        mine = self.state_dict()
        return {key: value for key, value in renamed.items() if key in mine}
