"""The steps of a distillation, and the state that its checkpoint stores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from husky_placerec.descriptor.network import DescriptorNetwork
from husky_placerec.descriptor.timm_import import timm
from husky_placerec.errors import InputError
from husky_placerec.training.augmentation import augment
from husky_placerec.training.distillation.images import Session
from husky_placerec.training.distillation.loss import DistillationLoss
from husky_placerec.training.distillation.settings import DistillationSettings
from husky_placerec.training.trainer import use_stored_statistics
from husky_placerec.types import FloatArray, Indices
import numpy as np
import torch
from torch import nn
from torch.nn import functional

TARGET = 256  # numbers of the teacher's vectors, by their principal components
BLOCK = 1000  # images that are compared with all others at a time
ALIKE = 8  # nearest neighbours of an image, one of which comes into a batch with it


class Distiller:
    """
    Trains a student step by step.

    :param student: the network; it learns in place.
    :param sessions: the images and the teacher's vectors.
    :raises InputError: for sessions with too few images to learn from.
    """

    def __init__(
        self,
        student: DescriptorNetwork,
        sessions: Sequence[Session],
        settings: DistillationSettings,
    ) -> None:
        self.network, self.sessions, self.settings = student, sessions, settings
        self.network.backbone.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        learned = [
            np.setdiff1d(np.arange(len(each.images)), each.held_out(settings.held_out))
            for each in sessions
        ]
        self.learned: dict[int, Indices] = {
            number: rows for number, rows in enumerate(learned) if len(rows) >= 4
        }
        if not self.learned:
            raise InputError('no drive has 4 images to learn from; expected longer drives')
        self.targets = _principal([each.centred for each in sessions], learned)
        self.alike = {
            number: _neighbours(self.targets[number][rows])
            for number, rows in self.learned.items()
        }
        torch.manual_seed(settings.seed)
        self.adapter = nn.Linear(student.size, self.targets[0].shape[1])
        self.loss = DistillationLoss(
            settings.direct, settings.relational, settings.neighbours, settings.temperature
        )
        self.optimizer = torch.optim.AdamW(
            [*student.parameters(), *self.adapter.parameters()],
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
        )
        self.scheduler = timm.scheduler.CosineLRScheduler(
            self.optimizer,
            t_initial=settings.iterations,
            warmup_t=settings.warm_up,
            warmup_lr_init=0.0,
            t_in_epochs=False,
        )
        self.rng = np.random.default_rng(settings.seed)
        self.iteration = 0
        self.history: list[dict[str, float]] = []

    def step(self) -> dict[str, float]:
        """
        Train on one batch.

        :raises InputError: for a loss that is not finite, before it changes the network.
        """
        self.network.train()
        if self.settings.norm == 'stored':
            use_stored_statistics(self.network)
        self.scheduler.step_update(self.iteration + 1)
        images, targets, sizes = self._batch()
        pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
        vectors = _centred(self.network(pixels), sizes)
        adapted = functional.normalize(self.adapter(vectors), dim=1)
        loss = self.loss(vectors, adapted, torch.from_numpy(targets))
        if not torch.isfinite(loss):
            raise InputError(f'the loss is {loss.item()} at iteration {self.iteration}')
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        self.optimizer.step()
        self.iteration += 1
        self.history.append({'iteration': self.iteration, 'loss': loss.item()})
        return self.history[-1]

    def state(self) -> dict[str, Any]:
        """Return everything that the rest of the training depends on."""
        return {
            'network': self.network.state_dict(),
            'adapter': self.adapter.state_dict(),
            'optimizer': self.optimizer.state_dict(),
            'iteration': self.iteration,
            'history': self.history,
            'numpy': self.rng.bit_generator.state,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from a state that `state` returned."""
        self.network.load_state_dict(state['network'])
        self.adapter.load_state_dict(state['adapter'])
        self.optimizer.load_state_dict(state['optimizer'])
        self.iteration, self.history = state['iteration'], state['history']
        self.rng.bit_generator.state = state['numpy']

    def _batch(self) -> tuple[np.ndarray, FloatArray, list[int]]:
        """Return augmented images [B, h, w, 3], targets [B, K], and the images of each session."""
        chosen = self.rng.permutation(list(self.learned))[: self.settings.sessions_a_batch]
        images, targets, sizes = [], [], []
        for number in chosen.tolist():
            rows = self._draw(number)
            images += [
                augment(np.array(self.sessions[number].images[row]), self.settings, self.rng)
                for row in rows
            ]
            targets.append(self.targets[number][rows])
            sizes.append(len(rows))
        return np.stack(images), np.concatenate(targets), sizes

    def _draw(self, number: int) -> Indices:
        """Draw images of a session: half of them at random, and of each one that is like it."""
        rows, half = self.learned[number], self.settings.images_a_session // 2
        first = self.rng.choice(len(rows), min(half, len(rows)), replace=False)
        alike = self.alike[number]
        second = alike[first, self.rng.integers(alike.shape[1], size=len(first))]
        return rows[np.unique(np.concatenate([first, second]))]


def _centred(vectors: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
    """Centre the vectors of each session of a batch by their mean, as a map would."""
    parts = [part - part.mean(0) for part in vectors.split(list(sizes))]
    return functional.normalize(torch.cat(parts), dim=1)


def _principal(vectors: Sequence[FloatArray], learned: Sequence[Indices]) -> list[FloatArray]:
    """Return unit vectors of at most TARGET numbers that keep the scalar products nearly."""
    known = np.concatenate([each[rows] for each, rows in zip(vectors, learned)])
    size = min(TARGET, *known.shape)
    _, _, directions = torch.svd_lowrank(torch.from_numpy(known), q=size, niter=2)
    projected = [each @ directions.numpy() for each in vectors]
    return [
        each / np.maximum(np.linalg.norm(each, axis=1, keepdims=True), 1e-9) for each in projected
    ]


def _neighbours(vectors: FloatArray) -> Indices:
    """Return the nearest other vectors of each of [N, K]: [N, up to ALIKE]."""
    found = []
    for first in range(0, len(vectors), BLOCK):
        similarities = vectors[first : first + BLOCK] @ vectors.T
        own = np.arange(len(similarities))
        similarities[own, first + own] = -np.inf
        found.append(np.argsort(-similarities, axis=1)[:, : min(ALIKE, len(vectors) - 1)])
    return np.concatenate(found)
