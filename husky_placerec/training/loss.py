"""Losses by name, of pytorch-metric-learning, with InfoNCE before and beside them."""

from __future__ import annotations

from husky_placerec.training.recipe import Recipe
from pytorch_metric_learning import losses, miners
import torch


class MetricLoss:
    """
    The loss of a batch of unit vectors by the numbers of their places.

    Triplets alone collapse from scratch: InfoNCE goes first where the recipe says so.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._infonce = losses.NTXentLoss(temperature=recipe.temperature)
        self._hardest = miners.BatchHardMiner()
        self._triplet = losses.TripletMarginLoss(margin=recipe.margin)
        self._similar = miners.MultiSimilarityMiner(epsilon=0.1)
        self._multi = losses.MultiSimilarityLoss(alpha=2.0, beta=50.0, base=0.5)

    def __call__(
        self, vectors: torch.Tensor, places: torch.Tensor, share: float
    ) -> tuple[torch.Tensor, float]:
        """
        Return the loss, and the share of batch-hard triplets that are not yet fulfilled.

        :param vectors: [B, D] unit vectors.
        :param places: [B].
        :param share: of the training that is done, 0 to 1.
        """
        recipe = self._recipe
        triplets = self._hardest(vectors, places)
        hard = self._share_of_hard(vectors.detach(), triplets)
        if recipe.loss == 'infonce' or share < recipe.infonce_first:
            return self._infonce(vectors, places), hard
        if recipe.loss == 'triplet':
            loss = self._triplet(vectors, places, triplets)
        else:
            loss = self._multi(vectors, places, self._similar(vectors, places))
        if recipe.infonce_after:
            loss = loss + recipe.infonce_after * self._infonce(vectors, places)
        return loss, hard

    def _share_of_hard(self, vectors: torch.Tensor, triplets: tuple[torch.Tensor, ...]) -> float:
        anchors, positives, negatives = (vectors[rows] for rows in triplets)
        near, far = (anchors - positives).norm(dim=1), (anchors - negatives).norm(dim=1)
        return float((near - far + self._recipe.margin > 0).float().mean())
