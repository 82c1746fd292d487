"""A training from recipe to weights: read the drives, train, validate, store and resume."""

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
from husky_placerec.files import write_atomic
from husky_placerec.output_folder import check_output_folder, mark_folder
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
from husky_placerec.training.processes import join_processes, Processes
from husky_placerec.training.recipe import Groups, Recipe
from husky_placerec.training.trainer import Trainer
from husky_placerec.training.validation import chance_recalls, measure_recalls, Recalls
import torch

FRAMES, LOSSES, VALIDATION, RECIPE = 'frames', 'loss.csv', 'validation.csv', 'recipe.yaml'
# Patterns of the files of a training, and of those that a killed one left.
WRITTEN = (
    *(CHECKPOINT, WEIGHTS, LOSSES, VALIDATION, RECIPE, f'{FRAMES}/*', 'events/*'),
    *(f'.{name}.????????' for name in (CHECKPOINT, WEIGHTS, LOSSES, VALIDATION, RECIPE)),
)
Say = Callable[[str], None]


def train(recipe: Recipe, output: Path, *, resume: bool, overwrite: bool, say: Say) -> None:
    """
    Train by a recipe; the output folder gets checkpoint, weights, losses and validations.

    The weights are those with the best recall@1 within 5 m on the validation drives.

    :param resume: continue from the checkpoint in the folder.
    :param say: prints a line.
    :raises InputError: for a recipe, drives or a checkpoint that do not fit, and for a loss that
        is not finite; the last good checkpoint then stays.
    """
    with join_processes() as processes:
        first = processes.rank == 0
        if first and not resume:
            check_output_folder(output, overwrite, WRITTEN)
        _Training(recipe, output, processes, say if first else lambda _: None).run(resume)


class _Training:
    """A training in one of the processes that share it; process 0 writes the files."""

    def __init__(self, recipe: Recipe, output: Path, processes: Processes, say: Say) -> None:
        self.recipe, self.output, self.processes, self.say = recipe, output, processes, say
        self.config = recipe.parameters
        torch.set_num_threads(max(1, self.config.threads // processes.count))
        self.spec = resolve_spec(self.config, None)
        if self.spec.extractor != 'timm':
            raise InputError(
                f'extractor {self.spec.extractor}: has nothing to train; expected timm'
            )
        self.validations: list[dict[str, float]] = []

    def run(self, resume: bool) -> None:
        """Train to the end of the recipe."""
        groups, unseen = self._load(self.recipe.drives), self._load(self.recipe.validation)
        trainer = Trainer(
            make_network(self.spec),
            groups,
            self.recipe,
            self.spec.fusion,
            opposite_cameras(self.config),
            self.processes,
        )
        self.say(f'{_count(groups)} to train on, {_count(unseen)} to validate')
        self.say(f'recall@1 by chance: {_format(chance_recalls(unseen))}')
        if resume:
            self._restore(trainer)
        else:
            self._validate(trainer, unseen)
            self._save(trainer)
            if self.processes.rank == 0:
                write_atomic(self.output / RECIPE, self.recipe.text.encode())
        quiet = self.processes.rank > 0
        with (
            bar('Training', self.recipe.total, ' iterations', quiet=quiet) as shown,
            self._event_writer() as write_event,
        ):
            shown.update(trainer.iteration)
            while trainer.iteration < self.recipe.total:
                done = self._step(trainer)
                write_event(done)
                shown.set_postfix(loss=f'{done["loss"]:.3f}', refresh=False)
                shown.update()
                if trainer.iteration % self.recipe.iterations == 0:
                    write_event(self._validate(trainer, unseen))
                    self._save(trainer)
                elif trainer.iteration % self.recipe.save_every == 0:
                    self._save(trainer)
        best = max((each['5'] for each in self.validations), default=0.0)
        self.say(f'{self.output / WEIGHTS}: recall@1 is {100 * best:.1f} % within 5 m')

    def _step(self, trainer: Trainer) -> dict[str, float]:
        try:
            return trainer.step()
        except InputError as error:
            path = self.output / CHECKPOINT
            raise InputError(f'{error}; stopped; the last good checkpoint is {path}') from error

    def _load(self, groups: Groups) -> list[list[Drive]]:
        """Load the drives of all groups; process 0 decodes the images that the others load."""
        spec, config = self.spec, self.config
        tracks = [read_group(group, config, self.recipe.positive_m) for group in groups]
        folder = self.output / FRAMES
        if self.processes.rank == 0:
            mark_folder(self.output)
        for first in (True, False):
            if (self.processes.rank == 0) == first:
                drives = [[load_drive(t, config, spec, folder) for t in g] for g in tracks]
            self.processes.wait()
        return drives

    def _validate(self, trainer: Trainer, unseen: Sequence[Sequence[Drive]]) -> dict[str, float]:
        """Measure the recall, and write the weights if they are the best so far."""
        found = measure_recalls(trainer.network, unseen, self.config)
        best = max((each['5'] for each in self.validations), default=-1.0)
        self.validations.append({'iteration': trainer.iteration, **found})
        epoch = trainer.iteration // self.recipe.iterations
        self.say(f'epoch {epoch}: recall@1 {_format(found)}')
        if not found['5'] <= best and self.processes.rank == 0:
            save_weights(self.output, trainer.network)
        return self.validations[-1]

    def _save(self, trainer: Trainer) -> None:
        if self.processes.rank == 0:
            write_csv(self.output / LOSSES, trainer.history)
            write_csv(self.output / VALIDATION, self.validations)
            save_checkpoint(self.output, {**trainer.state(), 'validations': self.validations})
        self.processes.wait()

    def _restore(self, trainer: Trainer) -> None:
        state = load_checkpoint(self.output)
        trainer.restore(state)
        self.validations = state['validations']
        self.say(f'continues at iteration {trainer.iteration} of {self.recipe.total}')

    @contextmanager
    def _event_writer(self) -> Iterator[Callable[[Mapping[str, float]], None]]:
        """Yield a function that writes numbers for TensorBoard, if the recipe asks for it."""
        if not self.recipe.tensorboard or self.processes.rank:
            yield lambda _: None
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise InputError(
                f'tensorboard: {error}; pip install husky_placerec[train], or set '
                'tensorboard: false'
            ) from error
        with SummaryWriter(self.output / 'events') as writer:

            def write(numbers: Mapping[str, float]) -> None:
                for name, value in numbers.items():
                    title = f'recall@1 {name} m' if name[0].isdigit() else name
                    writer.add_scalar(title, value, int(numbers['iteration']))

            yield write


def _count(groups: Sequence[Sequence[Drive]]) -> str:
    drives = [drive for group in groups for drive in group]
    return f'{sum(map(len, (d.track for d in drives)))} frames of {len(drives)} drives'


def _format(found: Recalls) -> str:
    return ', '.join(f'{100 * share:.1f} % within {name} m' for name, share in found.items())


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of equal keys as a table."""
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator='\n')
        writer.writeheader()
        writer.writerows(rows)
    write_atomic(path, text.getvalue().encode())
