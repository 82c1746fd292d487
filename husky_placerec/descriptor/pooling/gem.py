"""GeM: pooling by the generalised mean, over the cells of a grid."""

from __future__ import annotations

import torch
from torch import nn

LEAST_MEAN = 1e-30  # the gradient of the root of a smaller mean is not finite
LEAST_WEIGHT = 1e-6  # of a cell on average, where 1 is usual; a cell of less counts as covered


class GeM(nn.Module):
    """
    Generalised mean `mean(x^p)^(1/p)` over each cell of a grid, with a learned p.

    p = 1 gives the average, a large p the maximum. The published pooling has a single cell;
    several cells keep where things are in the image. A cell without weight, which a mask covers as
    a whole, is pooled as if there were no mask.

    Source: Radenovic, Tolias and Chum, Fine-tuning CNN Image Retrieval with No Human Annotation,
    TPAMI 2018.

    :param channels: channels D of the feature map.
    :param grid: rows and columns of cells.
    :param p: initial value of the power.
    :param eps: smaller features are set to this.
    """

    def __init__(
        self,
        channels: int,
        grid: tuple[int, int] = (1, 1),
        p: float = 3.0,
        eps: float = 1e-6,
    ) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.tensor(float(p)))
        self.eps = eps
        self.grid = grid
        self.size = channels * grid[0] * grid[1]

    def forward(self, features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Pool [B, D, H, W] features by [B, 1, H, W] weights into [B, D * cells]."""
        features = features.clamp(min=self.eps)
        # Dividing by the largest value keeps the powers in the range of floats for any p.
        largest = features.detach().amax((-2, -1), keepdim=True)
        powers = (features / largest).pow(self.p)
        shares = self._cells(weights)
        covered = shares <= LEAST_WEIGHT
        # Neither branch is NaN, so that the gradient of the other one is not, either.
        masked = self._cells(powers * weights) / torch.where(
            covered, torch.ones_like(shares), shares
        )
        means = torch.where(covered, self._cells(powers), masked)
        roots = largest * means.clamp(min=LEAST_MEAN).pow(1 / self.p)
        return roots.flatten(1)

    def _cells(self, values: torch.Tensor) -> torch.Tensor:
        """Average over each cell, by matrix products: ONNX lacks adaptive pooling to any grid."""
        rows = _cell_shares(int(values.shape[-2]), self.grid[0]).to(values)
        columns = _cell_shares(int(values.shape[-1]), self.grid[1]).to(values)
        return rows @ values @ columns.T


def _cell_shares(size: int, cells: int) -> torch.Tensor:
    """Return [cells, size]: the weight of each position in the mean of each cell."""
    bounds = [(n * size // cells, -(-(n + 1) * size // cells)) for n in range(cells)]
    # Made from a list at once, so that an export sees a constant.
    return torch.tensor(
        [[(first <= at < last) / (last - first) for at in range(size)] for first, last in bounds]
    )
