"""The loop: batches, gradients, steps; its whole state can be stored and taken up again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from husky_placerec.descriptor.timm_import import timm
from husky_placerec.descriptor.network import DescriptorNetwork
from husky_placerec.errors import InputError
from husky_placerec.training.augmentation import augment, mirrored
from husky_placerec.training.drives import Drive
from husky_placerec.training.loss import MetricLoss
from husky_placerec.training.processes import Processes
from husky_placerec.training.recipe import Recipe
from husky_placerec.training.sampler import PlaceSampler, Sample
import numpy as np
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint


@dataclass
class Trainer:
    """
    Trains a network step by step.

    :param groups: drives by group.
    :param opposites: of each camera the one that looks the other way; None where some has none.
    """

    network: DescriptorNetwork
    groups: Sequence[Sequence[Drive]]
    recipe: Recipe
    fusion: str
    opposites: tuple[int, ...] | None
    processes: Processes = Processes()
    iteration: int = 0
    history: list[dict[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        recipe = self.recipe
        if recipe.device == 'cuda' and not torch.cuda.is_available():
            raise InputError('device is cuda; torch finds none; expected device: cpu')
        self.network.to(recipe.device)
        # As the images come, which is faster.
        self.network.backbone.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.sampler = PlaceSampler(self.groups, recipe, self.opposites is not None)
        self.loss = MetricLoss(recipe)
        self.rng = np.random.default_rng(recipe.seed)
        _freeze(self.network.backbone.network, recipe.frozen.split())
        self.optimizer = torch.optim.AdamW(
            _rated(self.network, recipe), weight_decay=recipe.weight_decay
        )
        self.scheduler = timm.scheduler.CosineLRScheduler(
            self.optimizer,
            t_initial=recipe.total,
            lr_min=recipe.least_rate,
            warmup_t=recipe.warm_up,
            warmup_lr_init=0.0,
            t_in_epochs=False,
        )
        torch.manual_seed(recipe.seed)

    def step(self) -> dict[str, float]:
        """
        Train on one batch; return loss, share of hard triplets, places and rate.

        :raises InputError: for a loss that is no number, before it has changed the network, and
            for drives that give no two places to compare.
        """
        self._set_training()
        self.scheduler.step_update(self.iteration + 1)
        samples = self.sampler.batch(self.rng)
        if len({sample.place for sample in samples}) < 2:
            raise InputError(
                f'no two places {self.recipe.negative_m:g} m apart with frames of several drives '
                f'within {self.recipe.positive_m / 2:g} m; expected longer drives that overlap, '
                'or a smaller negative_m'
            )
        loss, hard = self.loss(
            self.descriptors(samples),
            torch.tensor([sample.place for sample in samples], device=self.recipe.device),
            self.iteration / self.recipe.total,
        )
        if not torch.isfinite(loss):
            raise InputError(f'the loss is {loss.item()} at iteration {self.iteration}')
        self.optimizer.zero_grad()
        loss.backward()
        self.processes.join_gradients(self.network, self._whole())
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        if not torch.isfinite(norm):
            raise InputError(f'the gradient is {norm.item()} at iteration {self.iteration}')
        rate = self.optimizer.param_groups[-1]['lr']
        self.optimizer.step()
        self.iteration += 1
        self.sampler.grow(hard)
        done = {'iteration': self.iteration, 'loss': loss.item(), 'hard': hard}
        self.history.append({**done, 'places': self.sampler.places, 'rate': rate})
        return self.history[-1]

    def descriptors(self, samples: Sequence[Sample]) -> torch.Tensor:
        """Return the frames' unit vectors, [B, D], with their gradients."""
        mine = samples[self.processes.share(len(samples))]
        prepared = [self._images(sample) for sample in mine]
        images = torch.from_numpy(np.concatenate([images for images, _ in prepared]))
        images = images.to(self.recipe.device).permute(0, 3, 1, 2)
        pooled = self._pooled(images.float() / 255)
        cameras = len(prepared[0][1])
        whole = self.processes.gather(pooled, len(samples) * cameras)
        present = torch.from_numpy(np.stack([self._present(sample) for sample in samples]))
        vectors = self.network.project(whole).unflatten(0, (len(samples), cameras))
        return self.network.fuse(vectors, present.to(vectors.device), self.fusion)

    def state(self) -> dict[str, Any]:
        """Return all that the rest of the training depends on."""
        return {
            'network': self.network.state_dict(),
            'optimizer': self.optimizer.state_dict(),
            'iteration': self.iteration,
            'places': self.sampler.places,
            'history': self.history,
            'numpy': self.rng.bit_generator.state,
            'torch': torch.get_rng_state(),
            'recipe': self.recipe.text,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """
        Take up where `state` was made.

        :raises InputError: when that was another recipe.
        """
        if state['recipe'] != self.recipe.text:
            raise InputError('the checkpoint is of another recipe; resume with that one')
        self.network.load_state_dict(state['network'])
        self.optimizer.load_state_dict(state['optimizer'])
        self.iteration = state['iteration']
        self.sampler.places = state['places']
        self.history = state['history']
        self.rng.bit_generator.state = state['numpy']
        torch.set_rng_state(state['torch'])

    def _pooled(self, images: torch.Tensor) -> torch.Tensor:
        """Return [B, P]; with `checkpointed` only a few images' activations are kept at a time."""
        size = self.recipe.checkpointed
        if not size:
            return self._pooled_at_once(images)
        parts = images.split(size)
        return torch.cat(
            [checkpoint(self._pooled_at_once, part, use_reentrant=False) for part in parts]
        )

    def _pooled_at_once(self, images: torch.Tensor) -> torch.Tensor:
        less = self.recipe.precision == 'bfloat16'
        with torch.autocast(images.device.type, torch.bfloat16, enabled=less):
            features = self.network.features(images)
        return self.network.pool(features)

    def _images(self, sample: Sample) -> tuple[np.ndarray, np.ndarray]:
        """Return [C, H, W, 3] augmented images and [C] which of them are there."""
        drive = self.groups[sample.group][sample.drive]
        images = np.asarray(drive.images[sample.frame])
        if sample.turned:
            images = images[list(self.opposites or ())]
        if sample.mirrored:
            images = np.stack([mirrored(image) for image in images])
        rng = np.random.default_rng(sample.seed)
        augmented = [augment(np.ascontiguousarray(i), self.recipe, rng) for i in images]
        return np.stack(augmented), self._present(sample)

    def _present(self, sample: Sample) -> np.ndarray:
        present = self.groups[sample.group][sample.drive].present[sample.frame]
        return present[list(self.opposites or ())] if sample.turned else present

    def _set_training(self) -> None:
        self.network.train()
        if self.recipe.norm == 'stored':
            for module in self.network.backbone.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()

    def _whole(self) -> list[nn.Parameter]:
        """Return the parameters behind the gathering of a batch."""
        parts = [self.network.head, *([self.network.fusion] if self.network.fusion else [])]
        return [parameter for part in parts for parameter in part.parameters()]


def _freeze(backbone: nn.Module, beginnings: Sequence[str]) -> None:
    """Take parts of the backbone out of the training."""
    for beginning in beginnings:
        found = [p for name, p in backbone.named_parameters() if name.startswith(beginning)]
        if not found:
            names = sorted({name.rsplit('.', 1)[0] for name, _ in backbone.named_parameters()})
            raise InputError(
                f'frozen: no part of the backbone begins with {beginning}; it has '
                f'{", ".join(names)}'
            )
        for parameter in found:
            parameter.requires_grad_(False)


def _rated(network: DescriptorNetwork, recipe: Recipe) -> list[dict[str, Any]]:
    """Return the parameters that learn, the backbone's with its own rate."""
    backbone = [p for p in network.backbone.parameters() if p.requires_grad]
    known = set(map(id, network.backbone.parameters()))
    others = [p for p in network.parameters() if id(p) not in known]
    rate = recipe.learning_rate
    rated = (backbone, rate * recipe.backbone_rate), (others, rate)
    return [{'params': learning, 'lr': its_rate} for learning, its_rate in rated if learning]
