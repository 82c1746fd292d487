"""The loss of a recipe, made of the losses and miners of pytorch-metric-learning."""

from __future__ import annotations

from husky_placerec.training.recipe import Recipe
from pytorch_metric_learning import losses, miners
import torch


class MetricLoss:
    """
    Metric loss of unit vectors that are labelled with their places.

    From random weights, a batch-hard triplet loss collapses: all descriptors become the same. A
    recipe can therefore begin with InfoNCE alone, and add it to the other loss later.

    Sources: batch-hard triplets of Hermans, Beyer and Leibe, In Defense of the Triplet Loss for
    Person Re-Identification, arXiv 1703.07737; Wang et al., Multi-Similarity Loss with General
    Pair Weighting for Deep Metric Learning, CVPR 2019; InfoNCE of van den Oord, Li and Vinyals,
    Representation Learning with Contrastive Predictive Coding, arXiv 1807.03748.
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
        Return the loss, and the share of batch-hard triplets that violate the margin.

        :param vectors: [B, D] unit vectors.
        :param places: [B], the number of each vector's place.
        :param share: share of the training that is done, 0 to 1.
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
