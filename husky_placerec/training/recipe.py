"""What a training is told: drives, batches, loss, optimiser; one YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from husky_placerec.config import check_value, Config, make_config, parameter
from husky_placerec.errors import InputError
import yaml

Groups = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Recipe:
    """
    A training, key by key.

    :param drives: groups of sources, each group in one map frame; at least two a group.
    :param validation: groups that are never trained on.
    :param parameters: of the package, as in config/husky.yaml: the network and the cameras.
    """

    drives: Groups
    validation: Groups
    parameters: Config
    seed: int = parameter(0, 'Of weights, batches and augmentation.', least=0, most=2**31)
    epochs: int = parameter(7, 'Each ends with a validation.', least=1, most=100000)
    iterations: int = parameter(250, 'Batches an epoch.', least=1, most=10**7)
    positive_m: float = parameter(10.0, 'Images nearer show one place.', least=0.1, most=1e3)
    negative_m: float = parameter(50.0, 'Places of a batch are this far.', least=0.1, most=1e4)
    places: int = parameter(8, 'Places of the first batches.', least=2, most=10000)
    most_places: int = parameter(8, 'Places to which batches grow.', least=2, most=10000)
    images_a_place: int = parameter(2, 'Frames of each place.', least=2, most=100)
    groups_a_batch: int = parameter(
        0,
        'Groups of drives that a batch is of: places of one campus are harder to tell apart than '
        'those of several; 0: any.',
        least=0,
        most=10000,
    )
    growth: float = parameter(1.4, 'By which a batch grows.', least=1.0, most=10.0)
    grow_below: float = parameter(
        0.7, 'Share of non-zero triplets below which it does.', least=0.0, most=1.0
    )
    loss: str = parameter(
        'triplet',
        'After the warm-up: triplet (batch-hard), multi_similarity or infonce.',
        choices=('triplet', 'multi_similarity', 'infonce'),
    )
    margin: float = parameter(0.5, 'Of the triplets.', least=0.0, most=2.0)
    temperature: float = parameter(0.1, 'Of InfoNCE.', least=1e-3, most=10.0)
    infonce_first: float = parameter(
        0.0, 'Share of the training with InfoNCE alone, before the loss.', least=0.0, most=1.0
    )
    infonce_after: float = parameter(0.0, 'Weight of InfoNCE beside it.', least=0.0, most=10.0)
    learning_rate: float = parameter(0.001, 'AdamW.', least=1e-9, most=1.0)
    backbone_rate: float = parameter(
        1.0, 'Learning rate of the backbone, as a share of the others.', least=0.0, most=1.0
    )
    frozen: str = parameter(
        '',
        'Parts of the backbone that keep their weights: how their names begin, separated by '
        'blanks, as in conv_stem blocks.0',
    )
    norm: str = parameter(
        'batch',
        'Batch norms of the backbone go by the statistics of a batch, or those stored: what '
        'trained weights want where batches are small.',
        choices=('batch', 'stored'),
    )
    weight_decay: float = parameter(0.003, 'AdamW.', least=0.0, most=1.0)
    warm_up: int = parameter(90, 'Iterations in which the rate rises.', least=0, most=10**6)
    least_rate: float = parameter(0.0, 'Where the cosine ends.', least=0.0, most=1.0)
    clip: float = parameter(5.0, 'Largest norm of the gradient.', least=1e-6, most=1e6)
    precision: str = parameter(
        'float32', 'Of the backbone while training.', choices=('float32', 'bfloat16')
    )
    device: str = parameter('cpu', 'That trains: cpu, or cuda.', choices=('cpu', 'cuda'))
    checkpointed: int = parameter(
        0,
        'Images that go through the backbone at a time, their activations computed again for the '
        'gradient, so that memory does not grow with the batch; 0: all at once.',
        least=0,
        most=10**6,
    )
    mirror: bool = parameter(True, 'Also mirrored places, images and yaw.')
    light: float = parameter(0.5, 'Strength of changes of light.', least=0.0, most=1.0)
    geometry: float = parameter(0.5, 'Strength of crop, roll and shift.', least=0.0, most=1.0)
    texture: float = parameter(
        0.0, 'Share of images whose textures become others.', least=0.0, most=1.0
    )
    occlusion: float = parameter(0.1, 'Share of images with a part hidden.', least=0.0, most=1.0)
    save_every: int = parameter(100, 'Iterations between checkpoints.', least=1, most=10**6)
    tensorboard: bool = parameter(False, 'Write events for TensorBoard; needs tensorboard.')
    text: str = field(default='', compare=False)

    @property
    def total(self) -> int:
        return self.epochs * self.iterations


def read_recipe(path: Path) -> Recipe:
    """
    Read a recipe; paths of drives are relative to its folder.

    :raises InputError: that names the key, what was found and what was expected.
    """
    try:
        text = path.read_text(encoding='utf-8')
        values = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f'{path}: cannot be read as YAML ({error})') from error
    if not isinstance(values, dict):
        raise InputError(f'{path}: expected keys of a training, as config/training/ has them')
    declared = {each.name: each for each in fields(Recipe) if each.metadata}
    special = {'drives', 'validation', 'parameters'}
    for key in values:
        if key not in declared and key not in special:
            known = ', '.join([*sorted(special), *declared])
            raise InputError(f'{path}: no key {key}; there are: {known}')
    numbers = {
        name: check_value(name, values.get(name, each.default), each, each.default, str(path))
        for name, each in declared.items()
    }
    return Recipe(
        _groups(values, 'drives', path, least=2),
        _groups(values, 'validation', path, least=2),
        make_config(dict(_flat(values.get('parameters') or {}, path)), str(path)),
        **numbers,
        text=text,
    )


def _groups(values: Mapping[str, Any], key: str, path: Path, least: int) -> Groups:
    groups = values.get(key)
    good = (
        isinstance(groups, list)
        and groups
        and all(
            isinstance(group, list) and all(isinstance(drive, str) for drive in group)
            for group in groups
        )
    )
    if not good:
        raise InputError(f'{path}: {key} is {groups!r}; expected a list of lists of sources')
    for group in groups or ():
        if len(group) < least:
            raise InputError(
                f'{path}: {key} has a group of {len(group)}; expected {least} drives or more '
                'in one map frame'
            )
    return tuple(tuple(str(path.parent / drive) for drive in group) for group in groups or ())


def _flat(tree: Any, path: Path, prefix: str = '') -> list[tuple[str, Any]]:
    if not isinstance(tree, dict):
        raise InputError(f'{path}: parameters are {tree!r}; expected NAME: VALUE')
    flat: list[tuple[str, Any]] = []
    for name, value in tree.items():
        nested = isinstance(value, dict)
        flat += _flat(value, path, f'{prefix}{name}.') if nested else [(f'{prefix}{name}', value)]
    return flat
