"""The loss of a distillation: the teacher's vectors, and the similarities among them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional


@dataclass(frozen=True)
class DistillationLoss:
    """
    A weighted sum of three losses, on unit vectors that are centred by their session.

    - Direct: the cosine of the adapted vector and the teacher's: Romero et al., FitNets: Hints for
      Thin Deep Nets, ICLR 2015.
    - Relational: the difference of the matrices of similarities: Tung and Mori,
      Similarity-Preserving Knowledge Distillation, ICCV 2019; Park et al., Relational Knowledge
      Distillation, CVPR 2019, has the same idea for distances.
    - Neighbours: the divergence of the distributions over the other images of the batch: Fang et
      al., SEED: Self-Supervised Distillation for Visual Representation, ICLR 2021.

    :param direct, relational, neighbours: the weights.
    :param temperature: of the similarities in the distributions.
    """

    direct: float
    relational: float
    neighbours: float
    temperature: float

    def __call__(
        self, student: torch.Tensor, adapted: torch.Tensor, teacher: torch.Tensor
    ) -> torch.Tensor:
        """
        Return the loss of a batch.

        :param student: [B, d] unit vectors.
        :param adapted: [B, K] unit vectors, made of the student's by a layer that is thrown away.
        :param teacher: [B, K] unit vectors, whose scalar products are the similarities.
        """
        others = ~torch.eye(len(student), dtype=torch.bool, device=student.device)
        ours = (student @ student.T)[others].view(len(student), -1)
        theirs = (teacher @ teacher.T)[others].view(len(student), -1)
        ranking = functional.kl_div(
            functional.log_softmax(ours / self.temperature, dim=1),
            functional.log_softmax(theirs / self.temperature, dim=1),
            reduction='batchmean',
            log_target=True,
        )
        return (
            self.direct * (1 - (adapted * teacher).sum(1)).mean()
            + self.relational * functional.mse_loss(ours, theirs)
            + self.neighbours * ranking
        )
