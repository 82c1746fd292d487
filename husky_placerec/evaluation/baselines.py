"""What any method has to beat, in every table beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from husky_placerec.config import Config
from husky_placerec.descriptor.spec import resolve

CHANCE = 'chance'
PIXELS, HOG = 'grey pixels', 'HOG'
# How an extractor is called in tables.
NAMES = {'pixels': PIXELS, 'hog': HOG}
RANDOM = 'random weights'


def method_name(config: Config) -> str:
    """Name the method that a configuration chooses."""
    spec = resolve(config, None)
    if spec.extractor in NAMES:
        return NAMES[spec.extractor]
    weights = RANDOM if spec.weights == 'random' else f'weights {Path(spec.weights).name}'
    return f'{spec.backbone}, {weights}'


def baselines(config: Config) -> tuple[Mapping[str, Config], list[str]]:
    """
    Return the baselines of a method by name, and a line for each that there cannot be.

    The network with random weights is the chosen backbone, or the default one.
    """
    found = {
        NAMES[extractor]: replace(config, extractor=extractor, input_width=0, input_height=0)
        for extractor in ('pixels', 'hog')
    }
    missing = []
    if find_spec('torch') and find_spec('timm'):
        network = replace(config, extractor='timm', weights='random')
        if resolve(config, None).extractor != 'timm':
            network = replace(network, input_width=0, input_height=0)
        found[method_name(network)] = network
    else:
        missing.append(f'{RANDOM}: not available without torch and timm')
    own = method_name(config)
    return {name: each for name, each in found.items() if name != own}, missing
