"""A distillation from drives to an ONNX file: learn, measure the agreement, store, resume."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from husky_placerec.config import Config
from husky_placerec.descriptor.extractor import DescriptorExtractor, load_extractor
from husky_placerec.descriptor.network import make_network
from husky_placerec.descriptor.onnx_export import export_onnx
from husky_placerec.descriptor.spec import resolve_spec
from husky_placerec.errors import InputError
from husky_placerec.files import refuse_existing
from husky_placerec.output_folder import check_output_folder, mark_folder
from husky_placerec.progress import bar
from husky_placerec.training.checkpoint import (
    CHECKPOINT,
    load_checkpoint,
    save_checkpoint,
    save_weights,
    WEIGHTS,
)
from husky_placerec.training.distillation.agreement import agreement, NEIGHBOURS
from husky_placerec.training.distillation.images import load_sessions
from husky_placerec.training.distillation.settings import DistillationSettings
from husky_placerec.training.distillation.trainer import Distiller
from husky_placerec.training.run import write_csv
from husky_placerec.training.validation import describe_images
import numpy as np
import torch

FRAMES, LOSSES, AGREEMENT = 'frames', 'loss.csv', 'agreement.csv'
# Patterns of the files of a distillation, and of those that a killed one left.
WRITTEN = (
    *(CHECKPOINT, WEIGHTS, LOSSES, AGREEMENT, f'{FRAMES}/*', f'{FRAMES}/.*.npy'),
    *(f'.{name}.????????' for name in (CHECKPOINT, WEIGHTS, LOSSES, AGREEMENT)),
)
EXPORTED = 8  # images on which the exported student is compared with torch
Say = Callable[[str], None]


def work_folder(output: Path) -> Path:
    """Return the folder of a distillation's images, checkpoint and weights."""
    return output.with_suffix('.distillation')


def distil(
    teacher: Config,
    student: Config,
    sources: Sequence[Path],
    output: Path,
    settings: DistillationSettings,
    *,
    resume: bool,
    overwrite: bool,
    say: Say,
) -> Path:
    """
    Teach a student the similarities that a teacher sees in drives, without their poses.

    :param teacher: the extractor of the teacher, and the cameras.
    :param student: the network of the student, and the cameras.
    :param output: file of the student, .onnx; `work_folder` has all else.
    :param resume: continue from the checkpoint in that folder.
    :return: the weights with the best agreement, a .safetensors file.
    :raises InputError: for drives, networks or a checkpoint that do not fit, and for a loss that
        is not finite; the last good checkpoint then stays.
    """
    folder = work_folder(output)
    if output.suffix != '.onnx':
        raise InputError(f'{output}: expected a name that ends in .onnx')
    refuse_existing(output, overwrite)
    if not resume:
        check_output_folder(folder, overwrite, WRITTEN)
    spec = resolve_spec(student, None)
    if spec.extractor != 'timm' or spec.fusion != 'concat':
        raise InputError(
            f'student: extractor {spec.extractor}, fusion {spec.fusion}; expected a network of '
            'torch (timm) and concat'
        )
    torch.set_num_threads(student.threads)
    extractor = load_extractor(teacher)
    _require_concat(extractor)
    mark_folder(folder)
    network = make_network(spec)
    sessions = load_sessions(sources, student, spec, extractor, folder / FRAMES)
    about = repr((settings, extractor.spec.as_json(), spec.as_json(), [s.name for s in sessions]))
    run = _Distillation(Distiller(network, sessions, settings), folder, about, say)
    run.train(resume)
    weights = folder / WEIGHTS
    images = [image for each in sessions for image in each.images[:EXPORTED]][:EXPORTED]
    made = replace(spec, weights=str(weights))
    difference = export_onnx(made, output, [np.array(i) for i in images], threads=student.threads)
    size_mb = output.stat().st_size / 1e6
    say(f'{output}: {size_mb:.1f} MB; differs from torch by {difference:.1g} at most')
    return weights


class _Distillation:
    """The loop: steps, measurements of the agreement, checkpoints."""

    def __init__(self, distiller: Distiller, folder: Path, about: str, say: Say) -> None:
        self.distiller, self.folder, self.about, self.say = distiller, folder, about, say
        self.measured: list[dict[str, float]] = []
        sessions = distiller.sessions
        self.teacher = [each.centred for each in sessions]
        self.held_out = [each.held_out(distiller.settings.held_out) for each in sessions]

    def train(self, resume: bool) -> None:
        """Train to the last iteration, and keep the weights of the best agreement."""
        distiller, settings = self.distiller, self.distiller.settings
        count = sum(len(each.images) for each in distiller.sessions)
        held = sum(map(len, self.held_out))
        self.say(f'{count} images of {len(self.teacher)} sessions, {held} of them held out')
        self.say(
            f'agreement of the {NEIGHBOURS} nearest neighbours by chance: '
            f'{100 * NEIGHBOURS / count:.1f} %'
        )
        if resume:
            self._restore()
        else:
            self._measure()
            self._save()
        with bar('Distilling', settings.iterations, ' iterations') as shown:
            shown.update(distiller.iteration)
            while distiller.iteration < settings.iterations:
                done = self._step()
                shown.set_postfix(loss=f'{done["loss"]:.3f}', refresh=False)
                shown.update()
                last = distiller.iteration == settings.iterations
                if last or distiller.iteration % settings.validate_every == 0:
                    self._measure()
                    self._save()
                elif distiller.iteration % settings.save_every == 0:
                    self._save()

    def _step(self) -> dict[str, float]:
        try:
            return self.distiller.step()
        except InputError as error:
            path = self.folder / CHECKPOINT
            raise InputError(f'{error}; stopped; the last good checkpoint is {path}') from error

    def _measure(self) -> None:
        found = agreement(self.teacher, self._vectors(), self.held_out)
        best = max((each['agreement'] for each in self.measured), default=-1.0)
        self.measured.append({'iteration': self.distiller.iteration, 'agreement': found})
        self.say(
            f'iteration {self.distiller.iteration}: agrees on {100 * found:.1f} % of the nearest '
            'neighbours of the held-out images'
        )
        if found > best:
            save_weights(self.folder, self.distiller.network)

    def _vectors(self) -> list[Any]:
        network, sessions = self.distiller.network, self.distiller.sessions
        return [describe_images(network, each.images).numpy() for each in sessions]

    def _save(self) -> None:
        write_csv(self.folder / LOSSES, self.distiller.history)
        write_csv(self.folder / AGREEMENT, self.measured)
        state = {**self.distiller.state(), 'measured': self.measured, 'about': self.about}
        save_checkpoint(self.folder, state)

    def _restore(self) -> None:
        state = load_checkpoint(self.folder)
        if state.get('about') != self.about:
            raise InputError(
                f'{self.folder / CHECKPOINT}: of another teacher, student, settings or drives'
            )
        self.distiller.restore(state)
        self.measured = state['measured']
        total = self.distiller.settings.iterations
        self.say(f'continues at iteration {self.distiller.iteration} of {total}')


def _require_concat(teacher: DescriptorExtractor) -> None:
    if teacher.spec.fused:
        raise InputError('teacher: its fusion mixes the cameras; expected concat')
