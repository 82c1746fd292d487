"""The recipe of a training: drives, batches, loss and optimiser, in one YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from husky_placerec.config import check_value, Config, make_config, parameter
from husky_placerec.documents import MOST_CONFIG_BYTES, parse_yaml, read_text
from husky_placerec.errors import InputError

Groups = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Recipe:
    """
    The settings of a training.

    :param drives: groups of sources to train on; the drives of a group, at least two, share one
        map frame.
    :param validation: groups of sources to validate on, in the same form.
    :param parameters: the network and the cameras, by the parameters of config/husky.yaml.
    :param text: the file's text, to recognise the recipe of a checkpoint.
    """

    drives: Groups
    validation: Groups
    parameters: Config
    seed: int = parameter(
        0, 'Seed of the weights, the batches and the augmentation.', least=0, most=2**31
    )
    epochs: int = parameter(
        7, 'Number of epochs; each ends with a validation.', least=1, most=100000
    )
    iterations: int = parameter(250, 'Batches per epoch.', least=1, most=10**7)
    positive_m: float = parameter(
        10.0, 'Largest distance of two frames of one place, in metres.', least=0.1, most=1e3
    )
    negative_m: float = parameter(
        50.0, 'Least distance of two places of a batch, in metres.', least=0.1, most=1e4
    )
    places: int = parameter(8, 'Places in the first batches.', least=2, most=10000)
    most_places: int = parameter(8, 'Places in the largest batches.', least=2, most=10000)
    images_a_place: int = parameter(2, 'Frames of each place in a batch.', least=2, most=100)
    groups_a_batch: int = parameter(
        0,
        'Groups of drives from which a batch takes its places. Places of one campus are harder to '
        'distinguish than those of several. 0: all groups.',
        least=0,
        most=10000,
    )
    growth: float = parameter(1.4, 'Factor by which a batch grows.', least=1.0, most=10.0)
    grow_below: float = parameter(
        0.7,
        'A batch grows if its share of non-zero triplets is below this.',
        least=0.0,
        most=1.0,
    )
    loss: str = parameter(
        'triplet',
        'Loss after the share `infonce_first`: triplet (batch-hard), multi_similarity or infonce.',
        choices=('triplet', 'multi_similarity', 'infonce'),
    )
    margin: float = parameter(0.5, 'Margin of the triplets.', least=0.0, most=2.0)
    temperature: float = parameter(0.1, 'Temperature of InfoNCE.', least=1e-3, most=10.0)
    infonce_first: float = parameter(
        0.0, 'Share of the training that begins with InfoNCE alone.', least=0.0, most=1.0
    )
    infonce_after: float = parameter(
        0.0, 'Weight of InfoNCE beside the loss after that.', least=0.0, most=10.0
    )
    learning_rate: float = parameter(0.001, 'Learning rate of AdamW.', least=1e-9, most=1.0)
    backbone_rate: float = parameter(
        1.0,
        'Learning rate of the backbone, as a share of the learning rate.',
        least=0.0,
        most=1.0,
    )
    frozen: str = parameter(
        '',
        'Parts of the backbone that keep their weights: the beginnings of their names, separated '
        'by blanks, such as conv_stem blocks.0',
    )
    norm: str = parameter(
        'batch',
        'Statistics of the batch normalisation in the backbone: those of the batch, or the stored '
        'ones. Trained weights and small batches need the stored ones.',
        choices=('batch', 'stored'),
    )
    weight_decay: float = parameter(0.003, 'Weight decay of AdamW.', least=0.0, most=1.0)
    warm_up: int = parameter(
        90, 'Iterations in which the learning rate rises from 0.', least=0, most=10**6
    )
    least_rate: float = parameter(
        0.0, 'Learning rate at the end of the cosine schedule.', least=0.0, most=1.0
    )
    clip: float = parameter(5.0, 'Largest norm of the gradient.', least=1e-6, most=1e6)
    precision: str = parameter(
        'float32', 'Precision of the backbone in training.', choices=('float32', 'bfloat16')
    )
    device: str = parameter('cpu', 'Device that trains: cpu or cuda.', choices=('cpu', 'cuda'))
    checkpointed: int = parameter(
        0,
        'Images that go through the backbone at a time. Their activations are computed again for '
        'the gradient, so the memory does not grow with the batch. 0: all at once, kept.',
        least=0,
        most=10**6,
    )
    mirror: bool = parameter(True, 'Also train on mirrored places.')
    light: float = parameter(0.5, 'Strength of the changes of light.', least=0.0, most=1.0)
    geometry: float = parameter(
        0.5, 'Strength of the changes of roll, zoom and position.', least=0.0, most=1.0
    )
    texture: float = parameter(0.0, 'Share of images with changed textures.', least=0.0, most=1.0)
    occlusion: float = parameter(0.1, 'Share of images with a hidden part.', least=0.0, most=1.0)
    traffic: float = parameter(
        0.0,
        'Share of images into which what moves in another image of the group is copied, with its '
        'mask; needs masks: true in the parameters.',
        least=0.0,
        most=1.0,
    )
    save_every: int = parameter(100, 'Iterations between checkpoints.', least=1, most=10**6)
    tensorboard: bool = parameter(False, 'Write events for TensorBoard; needs tensorboard.')
    text: str = field(default='', compare=False)

    @property
    def total(self) -> int:
        """The number of iterations of the training."""
        return self.epochs * self.iterations


def read_recipe(path: Path) -> Recipe:
    """
    Read a recipe. Its paths of drives are relative to its folder.

    :raises InputError: for a wrong key or value; it says what was found and what was expected.
    """
    problem = 'cannot be read as YAML'
    text = read_text(path, MOST_CONFIG_BYTES, problem)
    values = parse_yaml(text, str(path), f': {problem}')
    if not isinstance(values, dict):
        raise InputError(
            f'{path}: expected the keys of a recipe, such as the files in config/training/'
        )
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
    config = make_config(dict(_flat(values.get('parameters') or {}, path)), str(path))
    if numbers['traffic'] and not config.masks:
        raise InputError(
            f'{path}: traffic is {numbers["traffic"]}; expected masks: true in the parameters, '
            'because masks tell what moves'
        )
    return Recipe(
        _groups(values, 'drives', path, least=2),
        _groups(values, 'validation', path, least=2),
        config,
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
