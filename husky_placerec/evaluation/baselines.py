"""What any method has to beat, in every table beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from husky_placerec.config import Config
from husky_placerec.descriptor.device import CPU
from husky_placerec.descriptor.extractor import load_spec
from husky_placerec.descriptor.spec import INPUT_SIZE, NETWORK

CHANCE = 'chance'
PIXELS, HOG = 'grey pixels', 'HOG'
# How an extractor is called in tables.
NAMES = {'pixels': PIXELS, 'hog': HOG}
RANDOM = 'random weights'


def method_name(config: Config) -> str:
    """
    Name the method that a configuration chooses; an exported network by the backbone in its file.

    :raises InputError: for an exported network that cannot be read.
    """
    spec = load_spec(config)
    if spec.extractor in NAMES:
        return NAMES[spec.extractor]
    weights = RANDOM if spec.weights == 'random' else f'weights {Path(spec.weights).name}'
    return f'{spec.backbone}, {weights}'


def baselines(config: Config) -> tuple[Mapping[str, Config], list[str]]:
    """
    Return the baselines of a method by name, and a line for each that there cannot be.

    The network with random weights is the chosen one, also where that was exported, else the
    default one.

    :raises InputError: for an exported network that cannot be read.
    """
    spec, unsized = load_spec(config), replace(config, input_width=0, input_height=0)
    plain = replace(unsized, device=CPU)
    found = {NAMES[name]: replace(plain, extractor=name) for name in ('pixels', 'hog')}
    missing = []
    if find_spec('torch') and find_spec('timm'):
        chosen: dict[str, Any] = {name: getattr(spec, name) for name in (*NETWORK, *INPUT_SIZE)}
        network = unsized if spec.extractor in NAMES else replace(config, **chosen)
        network = replace(network, extractor='timm', weights='random')
        found[method_name(network)] = network
    else:
        missing.append(f'{RANDOM}: not available without torch and timm')
    own = method_name(config)
    return {name: each for name, each in found.items() if name != own}, missing


def exported(config: Config, models: Sequence[Path]) -> Mapping[str, Config]:
    """
    Return exported networks as methods beside another, by name.

    What made their descriptors is in their files; cameras, fusion and virtual pinhole are the
    other's.

    :param models: files that `placerec model export` wrote.
    :raises InputError: for one that cannot be read.
    """
    unsaid: dict[str, Any] = {name: getattr(Config(), name) for name in (*NETWORK, *INPUT_SIZE)}
    methods: dict[str, Config] = {}
    for path in models:
        method = replace(config, **unsaid, extractor='onnx', weights=str(path))
        name = method_name(method)
        alike = name in methods or name == method_name(config)
        methods[f'{name} ({path})' if alike else name] = method
    return methods
