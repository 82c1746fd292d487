"""The baselines of a method: grey pixels, HOG, a network with random weights, and chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

from husky_placerec.config import Config
from husky_placerec.descriptor.device import CPU
from husky_placerec.descriptor.extractor import load_spec
from husky_placerec.descriptor.spec import DescriptorSpec, INPUT_SIZE, NETWORK

CHANCE = 'chance'
PIXELS, HOG = 'grey pixels', 'HOG'
# Names of extractors in tables.
NAMES = {'pixels': PIXELS, 'hog': HOG}
RANDOM = 'random weights'
# The network of the baseline with random weights, where the method has none: quick on any CPU.
SMALL_NETWORK: Mapping[str, Any] = MappingProxyType(
    {
        'backbone': 'lcn_cnn',
        'pooling': 'gem:2x4',
        'head': 128,
        'input_width': 160,
        'input_height': 96,
    }
)


def method_name(config: Config) -> str:
    """
    Return the name of the method that a configuration chooses.

    An exported network is named by the backbone that its file states.

    :raises InputError: for an exported network that cannot be read.
    """
    spec = load_spec(config)
    if spec.extractor in NAMES:
        return NAMES[spec.extractor]
    weights = RANDOM if spec.weights == 'random' else f'weights {Path(spec.weights).name}'
    return f'{spec.backbone}, {weights}'


def baselines(config: Config) -> tuple[Mapping[str, Config], list[str]]:
    """
    Return the baselines of a method by name, and a line for each that is not available.

    A baseline has its own input size, and nothing of the method's network. The baseline with
    random weights has the network of the method, exported or not. If the method has no network, it
    has the backbone of the configuration, or else a small network.

    :raises InputError: for an exported network that cannot be read.
    """
    plain = replace(config, **_network_of(Config()), preset='', weights='', device=CPU)
    found = {NAMES[name]: replace(plain, extractor=name) for name in ('pixels', 'hog')}
    missing = []
    if find_spec('torch') and find_spec('timm'):
        random: dict[str, Any] = {'preset': '', 'extractor': 'timm', 'weights': 'random'}
        network = replace(config, **_random_network(config), **random)
        found[method_name(network)] = network
    else:
        missing.append(f'{RANDOM}: not available without torch and timm')
    own = method_name(config)
    return {name: each for name, each in found.items() if name != own}, missing


def _random_network(config: Config) -> Mapping[str, Any]:
    """Return the parameters of the network whose random weights are a baseline."""
    spec = load_spec(config)
    if spec.extractor not in NAMES:
        return _network_of(spec)
    if config.backbone:
        return {**_network_of(config), **dict.fromkeys(INPUT_SIZE, 0)}
    return {**_network_of(Config()), **SMALL_NETWORK}


def _network_of(made: Config | DescriptorSpec) -> dict[str, Any]:
    return {name: getattr(made, name) for name in (*NETWORK, *INPUT_SIZE)}


def exported(config: Config, models: Sequence[Path]) -> Mapping[str, Config]:
    """
    Return exported networks as methods by name, to be compared with the configured method.

    Network and input size come from the files; cameras, fusion and virtual pinhole come from the
    configuration.

    :param models: files that `placerec model export` wrote.
    :raises InputError: for a file that cannot be read.
    """
    default = _network_of(Config())
    methods: dict[str, Config] = {}
    for path in models:
        onnx: dict[str, Any] = {'preset': '', 'extractor': 'onnx', 'weights': str(path)}
        method = replace(config, **default, **onnx)
        name = method_name(method)
        is_taken = name in methods or name == method_name(config)
        methods[f'{name} ({path})' if is_taken else name] = method
    return methods
