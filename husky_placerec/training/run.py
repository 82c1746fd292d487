"""A training from recipe to weights: read, train, validate, store, go on after a stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
import csv
import io
from pathlib import Path
from typing import Any

from husky_placerec.descriptor.network import make_network
from husky_placerec.descriptor.spec import resolve_spec
from husky_placerec.errors import InputError
from husky_placerec.files import refuse_existing, write_atomic
from husky_placerec.placemap.building import opposite_cameras
from husky_placerec.progress import bar
from husky_placerec.training.checkpoint import (
    CHECKPOINT,
    load_checkpoint,
    save_checkpoint,
    save_weights,
    WEIGHTS,
)
from husky_placerec.training.drives import Drive, load_drive, read_group
from husky_placerec.training.processes import Processes, processes
from husky_placerec.training.recipe import Groups, Recipe
from husky_placerec.training.trainer import Trainer
from husky_placerec.training.validation import chance, Recalls, recalls
import torch

FRAMES, LOSSES, VALIDATION, RECIPE = 'frames', 'loss.csv', 'validation.csv', 'recipe.yaml'
Say = Callable[[str], None]


def train(recipe: Recipe, output: Path, *, resume: bool, overwrite: bool, say: Say) -> None:
    """
    Train by a recipe; the output folder gets checkpoint, weights, loss and validation.

    The weights are those of the best recall@1 within 5 m on the validation drives.

    :param say: prints a line.
    :raises InputError: for a recipe, drives or a checkpoint that do not fit, and a loss that is no
        number; the last good checkpoint then stays.
    """
    with processes() as ours:
        if ours.rank == 0 and not resume:
            refuse_existing(output, overwrite)
        _Run(recipe, output, ours, say if ours.rank == 0 else lambda _: None).run(resume)


class _Run:
    def __init__(self, recipe: Recipe, output: Path, ours: Processes, say: Say) -> None:
        self.recipe, self.output, self.ours, self.say = recipe, output, ours, say
        self.config = recipe.parameters
        torch.set_num_threads(max(1, self.config.threads // ours.count))
        self.spec = resolve_spec(self.config, None)
        if self.spec.extractor != 'timm':
            raise InputError(f'extractor {self.spec.extractor}: has nothing to train')
        self.validations: list[dict[str, float]] = []

    def run(self, resume: bool) -> None:
        """Train to the end."""
        groups, unseen = self._drives(self.recipe.drives), self._drives(self.recipe.validation)
        trainer = Trainer(
            make_network(self.spec),
            groups,
            self.recipe,
            self.spec.fusion,
            opposite_cameras(self.config),
            self.ours,
        )
        self.say(f'{_frames(groups)} to train on, {_frames(unseen)} to validate')
        self.say(f'recall@1 by chance: {_words(chance(unseen))}')
        if resume:
            self._restore(trainer)
        else:
            self._validate(trainer, unseen)
            self._save(trainer)
            if self.ours.rank == 0:
                write_atomic(self.output / RECIPE, self.recipe.text.encode())
        with (
            bar('Training', self.recipe.total, ' iterations', quiet=self.ours.rank > 0) as shown,
            self._events() as events,
        ):
            shown.update(trainer.iteration)
            while trainer.iteration < self.recipe.total:
                done = self._step(trainer)
                events(done)
                shown.set_postfix(loss=f'{done["loss"]:.3f}', refresh=False)
                shown.update()
                if trainer.iteration % self.recipe.iterations == 0:
                    events(self._validate(trainer, unseen))
                    self._save(trainer)
                elif trainer.iteration % self.recipe.save_every == 0:
                    self._save(trainer)
        best = max((each['5'] for each in self.validations), default=0.0)
        self.say(f'{self.output / WEIGHTS}: those of {100 * best:.1f} % within 5 m')

    def _step(self, trainer: Trainer) -> dict[str, float]:
        try:
            return trainer.step()
        except InputError as error:
            path = self.output / CHECKPOINT
            raise InputError(f'{error}; stopped; the last good checkpoint is {path}') from error

    def _drives(self, groups: Groups) -> list[list[Drive]]:
        """Read all groups; one process decodes, the others find what it left."""
        spec, config = self.spec, self.config
        tracks = [read_group(group, config, self.recipe.positive_m) for group in groups]
        folder = self.output / FRAMES
        for turn in (True, False):
            if (self.ours.rank == 0) == turn:
                drives = [[load_drive(t, config, spec, folder) for t in g] for g in tracks]
            self.ours.wait()
        return drives

    def _validate(self, trainer: Trainer, unseen: Sequence[Sequence[Drive]]) -> dict[str, float]:
        """Measure, and keep the weights when they are the best yet."""
        found = recalls(trainer.network, unseen, self.config)
        best = max((each['5'] for each in self.validations), default=-1.0)
        self.validations.append({'iteration': trainer.iteration, **found})
        epoch = trainer.iteration // self.recipe.iterations
        self.say(f'epoch {epoch}: recall@1 {_words(found)}')
        if not found['5'] <= best and self.ours.rank == 0:
            save_weights(self.output, trainer.network)
        return self.validations[-1]

    def _save(self, trainer: Trainer) -> None:
        if self.ours.rank == 0:
            _write_csv(self.output / LOSSES, trainer.history)
            _write_csv(self.output / VALIDATION, self.validations)
            save_checkpoint(self.output, {**trainer.state(), 'validations': self.validations})
        self.ours.wait()

    def _restore(self, trainer: Trainer) -> None:
        state = load_checkpoint(self.output)
        trainer.restore(state)
        self.validations = state['validations']
        self.say(f'goes on at iteration {trainer.iteration} of {self.recipe.total}')

    @contextmanager
    def _events(self) -> Iterator[Callable[[Mapping[str, float]], None]]:
        """Yield what writes numbers for TensorBoard, where that is asked for."""
        if not self.recipe.tensorboard or self.ours.rank:
            yield lambda _: None
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise InputError(
                f'tensorboard: {error}; pip install husky_placerec[train], or tensorboard: false'
            ) from error
        with SummaryWriter(self.output / 'events') as writer:

            def write(numbers: Mapping[str, float]) -> None:
                for name, value in numbers.items():
                    title = f'recall@1 {name} m' if name[0].isdigit() else name
                    writer.add_scalar(title, value, int(numbers['iteration']))

            yield write


def _frames(groups: Sequence[Sequence[Drive]]) -> str:
    drives = [drive for group in groups for drive in group]
    return f'{sum(map(len, (d.track for d in drives)))} frames of {len(drives)} drives'


def _words(found: Recalls) -> str:
    return ', '.join(f'{100 * share:.1f} % within {name} m' for name, share in found.items())


def _write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator='\n')
        writer.writeheader()
        writer.writerows(rows)
    write_atomic(path, text.getvalue().encode())
