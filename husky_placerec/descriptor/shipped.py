"""The files of the network that the package ships, chosen by `weights: shipped`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

SHIPPED = 'shipped'
MODELS_FOLDER = Path(__file__).parents[1] / 'models'
SHIPPED_NAME = 'campus'


@lru_cache(maxsize=1)
def shipped_parameters() -> Mapping[str, Any]:
    """Return the fields of the shipped network's `DescriptorSpec`, by name."""
    file = MODELS_FOLDER / f'{SHIPPED_NAME}.yaml'
    return dict(yaml.safe_load(file.read_text(encoding='utf-8')))


def weights_file(weights: str, suffix: str) -> str:
    """Return the file of the parameter `weights`; for `shipped`, the one with the suffix."""
    return str(MODELS_FOLDER / f'{SHIPPED_NAME}{suffix}') if weights == SHIPPED else weights
