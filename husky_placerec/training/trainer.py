"""The training loop's steps: batch, loss, gradient; and the state that a checkpoint stores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from husky_placerec.descriptor.network import DescriptorNetwork
from husky_placerec.descriptor.timm_import import timm
from husky_placerec.errors import InputError
from husky_placerec.training.augmentation import augment, mirror
from husky_placerec.training.drives import Drive
from husky_placerec.training.loss import MetricLoss
from husky_placerec.training.processes import Processes
from husky_placerec.training.recipe import Recipe
from husky_placerec.training.sampler import PlaceSampler, Sample
from husky_placerec.training.traffic import with_traffic
from husky_placerec.types import Mask
import numpy as np
from numpy.typing import NDArray
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

BATCH_NORMS = nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm


@dataclass
class Trainer:
    """
    Trains a network step by step.

    :param groups: the drives to train on, by group.
    :param fusion: concat, add or attention.
    :param opposites: for each camera the index of the camera that looks the other way; None if
        some camera has no opposite.
    :param processes: the processes that train this network together.
    :param iteration: number of steps that are done.
    :param history: the result of each step.
    :raises InputError: for a missing GPU, and for `frozen` parts that the backbone does not have.
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
        # The images are in this layout already, and convolutions run faster in it.
        self.network.backbone.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.sampler = PlaceSampler(self.groups, recipe, self.opposites is not None)
        self.loss = MetricLoss(recipe)
        self.rng = np.random.default_rng(recipe.seed)
        _freeze(self.network.backbone.network, recipe.frozen.split())
        self.optimizer = torch.optim.AdamW(
            _parameter_groups(self.network, recipe), weight_decay=recipe.weight_decay
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
        Train on one batch.

        :return: the iteration, the loss, the share of hard triplets, the places of a batch, and
            the learning rate.
        :raises InputError: for a loss or gradient that is not finite, before it changes the
            network; and for drives without two places to compare.
        """
        self._set_training()
        self.scheduler.step_update(self.iteration + 1)
        samples = self.sampler.batch(self.rng)
        if len({sample.place for sample in samples}) < 2:
            raise InputError(
                f'no two places {self.recipe.negative_m:g} m apart with frames of several drives '
                f'within {self.recipe.positive_m / 2:g} m; expected longer drives that overlap, '
                'or a smaller negative_m in the recipe'
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
        self.processes.sum_gradients(self.network, self.parameters_after_gather())
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
        """Return the frames' unit vectors [B, D], through which gradients flow."""
        own = samples[self.processes.share(len(samples))]
        images = torch.from_numpy(np.concatenate([self.images(sample) for sample in own]))
        images = images.to(self.recipe.device).permute(0, 3, 1, 2).float() / 255
        masks = self._weights(images[:, 3]) if images.shape[1] == 4 else None
        pooled = self._pool(images[:, :3], masks)
        present = torch.from_numpy(np.stack([self._present(sample) for sample in samples]))
        cameras = present.shape[1]
        gathered = self.processes.gather(pooled, len(samples) * cameras)
        vectors = self.network.project(gathered).unflatten(0, (len(samples), cameras))
        return self.network.fuse(vectors, present.to(vectors.device), self.fusion)

    def images(self, sample: Sample) -> NDArray[np.uint8]:
        """Return a sample's augmented images, [C, H, W, 3], or with its masks [C, H, W, 4]."""
        drives = self.groups[sample.group]
        drive = drives[sample.drive]
        images = np.asarray(drive.images[sample.frame])
        rng = np.random.default_rng(sample.seed)
        if drive.static is not None:
            masks = np.asarray(drive.static[sample.frame])[..., None]
            images = np.concatenate([images, masks], axis=3)
            images = with_traffic(images, drives, self.recipe.traffic, rng)
        if sample.turned:
            images = images[list(self.opposites or ())]
        if sample.mirrored:
            images = np.stack([mirror(image) for image in images])
        return np.stack([augment(np.ascontiguousarray(i), self.recipe, rng) for i in images])

    def parameters_after_gather(self) -> list[nn.Parameter]:
        """Return the parameters that see the gathered batch, in every process the same."""
        parts = [self.network.head, *([self.network.fusion] if self.network.fusion else [])]
        return [parameter for part in parts for parameter in part.parameters()]

    def state(self) -> dict[str, Any]:
        """Return everything that the rest of the training depends on."""
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
        Continue from a state that `state` returned.

        :raises InputError: for the state of another recipe.
        """
        if state['recipe'] != self.recipe.text:
            raise InputError(
                'the checkpoint is of another recipe; resume with the recipe.yaml beside it'
            )
        self.network.load_state_dict(state['network'])
        self.optimizer.load_state_dict(state['optimizer'])
        self.iteration = state['iteration']
        self.sampler.places = state['places']
        self.history = state['history']
        self.rng.bit_generator.state = state['numpy']
        torch.set_rng_state(state['torch'])

    def _weights(self, static: torch.Tensor) -> torch.Tensor:
        floor = self.recipe.parameters.mask_floor
        return floor + (1 - floor) * static

    def _pool(self, images: torch.Tensor, masks: torch.Tensor | None) -> torch.Tensor:
        """Return [B, P]; with `checkpointed`, only a few images' activations exist at a time."""
        size = self.recipe.checkpointed
        if not size:
            return self._pool_at_once(images, masks)
        parts = images.split(size)
        weights = [None] * len(parts) if masks is None else masks.split(size)
        return torch.cat(
            [
                checkpoint(self._pool_at_once, *each, use_reentrant=False)
                for each in zip(parts, weights)
            ]
        )

    def _pool_at_once(self, images: torch.Tensor, masks: torch.Tensor | None) -> torch.Tensor:
        reduced = self.recipe.precision == 'bfloat16'
        with torch.autocast(images.device.type, torch.bfloat16, enabled=reduced):
            features = self.network.features(images)
        return self.network.pool(features, masks)

    def _present(self, sample: Sample) -> Mask:
        """Return [C], whether each camera gave an image."""
        present = self.groups[sample.group][sample.drive].present[sample.frame]
        return present[list(self.opposites or ())] if sample.turned else present

    def _set_training(self) -> None:
        """Switch to training mode, except batch normalisation that uses stored statistics."""
        self.network.train()
        if self.recipe.norm == 'stored':
            use_stored_statistics(self.network)


def use_stored_statistics(network: DescriptorNetwork) -> None:
    """Switch the batch normalisation of the backbone to its stored statistics."""
    for module in network.backbone.modules():
        if isinstance(module, BATCH_NORMS):
            module.eval()


def _freeze(backbone: nn.Module, beginnings: Sequence[str]) -> None:
    """
    Exclude the parameters whose names have one of the beginnings from the training.

    :raises InputError: for a beginning that no name has.
    """
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


def _parameter_groups(network: DescriptorNetwork, recipe: Recipe) -> list[dict[str, Any]]:
    """Return the optimiser's parameter groups: the backbone has its own learning rate."""
    backbone = [p for p in network.backbone.parameters() if p.requires_grad]
    known = set(map(id, network.backbone.parameters()))
    others = [p for p in network.parameters() if id(p) not in known]
    rate = recipe.learning_rate
    rated = (backbone, rate * recipe.backbone_rate), (others, rate)
    return [{'params': group, 'lr': group_rate} for group, group_rate in rated if group]
