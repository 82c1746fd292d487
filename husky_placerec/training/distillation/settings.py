"""The settings of a distillation, in one YAML file or by their defaults."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from husky_placerec.config import check_value, parameter
from husky_placerec.documents import MOST_CONFIG_BYTES, parse_yaml, read_text
from husky_placerec.errors import InputError


@dataclass(frozen=True)
class DistillationSettings:
    """The settings of a distillation, all but teacher, student and images."""

    seed: int = parameter(
        0, 'Seed of the weights, the batches and the augmentation.', least=0, most=2**31
    )
    iterations: int = parameter(1500, 'Batches of the training.', least=1, most=10**7)
    sessions_a_batch: int = parameter(
        2, 'Sessions (a camera of a drive) of which a batch has images.', least=1, most=1000
    )
    images_a_session: int = parameter(16, 'Images of each of them.', least=4, most=10000)
    held_out: float = parameter(
        0.15, 'Share of the images that measure the agreement only.', least=0.02, most=0.9
    )
    direct: float = parameter(1.0, 'Weight of the direct loss.', least=0.0, most=1e3)
    relational: float = parameter(10.0, 'Weight of the relational loss.', least=0.0, most=1e3)
    neighbours: float = parameter(
        1.0, 'Weight of the loss of the ranking of neighbours.', least=0.0, most=1e3
    )
    temperature: float = parameter(
        0.1, 'Temperature of the similarities in that ranking.', least=1e-3, most=10.0
    )
    learning_rate: float = parameter(0.0005, 'Learning rate of AdamW.', least=1e-9, most=1.0)
    weight_decay: float = parameter(0.01, 'Weight decay of AdamW.', least=0.0, most=1.0)
    warm_up: int = parameter(
        50, 'Iterations in which the learning rate rises from 0.', least=0, most=10**6
    )
    clip: float = parameter(5.0, 'Largest norm of the gradient.', least=1e-6, most=1e6)
    norm: str = parameter(
        'stored',
        'Statistics of the batch normalisation: those of the batch, or the stored ones. Random '
        'weights need those of the batch.',
        choices=('batch', 'stored'),
    )
    light: float = parameter(0.5, 'Strength of the changes of light.', least=0.0, most=1.0)
    geometry: float = parameter(
        0.2, 'Strength of the changes of roll, zoom and position.', least=0.0, most=1.0
    )
    texture: float = parameter(0.0, 'Share of images with changed textures.', least=0.0, most=1.0)
    occlusion: float = parameter(0.1, 'Share of images with a hidden part.', least=0.0, most=1.0)
    validate_every: int = parameter(
        250, 'Iterations between measurements of the agreement.', least=1, most=10**6
    )
    save_every: int = parameter(100, 'Iterations between checkpoints.', least=1, most=10**6)


def read_settings(path: Path | None) -> DistillationSettings:
    """
    Read the settings of a distillation; those that the file leaves out have their defaults.

    :raises InputError: for a wrong key or value.
    """
    if path is None:
        return DistillationSettings()
    problem = 'cannot be read as YAML'
    values = parse_yaml(read_text(path, MOST_CONFIG_BYTES, problem), str(path), f': {problem}')
    known = {each.name: each for each in fields(DistillationSettings)}
    if not isinstance(values, dict) or not set(values) <= set(known):
        odd = ', '.join(sorted(map(str, set(values) - set(known)))) if values else 'nothing'
        raise InputError(f'{path}: has {odd}; expected settings among {", ".join(known)}')
    return DistillationSettings(
        **{
            name: check_value(name, values.get(name, each.default), each, each.default, str(path))
            for name, each in known.items()
        }
    )
