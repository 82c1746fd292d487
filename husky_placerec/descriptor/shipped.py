"""The network that comes with the package; `weights: shipped`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

SHIPPED = 'shipped'
FOLDER = Path(__file__).parents[1] / 'models'
NAME = 'campus'


@lru_cache(maxsize=1)
def shipped_parameters() -> Mapping[str, Any]:
    """Return what a `DescriptorSpec` has to say for the shipped network."""
    return dict(yaml.safe_load((FOLDER / f'{NAME}.yaml').read_text(encoding='utf-8')))


def weights_file(weights: str, suffix: str) -> str:
    """Return the file that a value of the parameter `weights` stands for."""
    return str(FOLDER / f'{NAME}{suffix}') if weights == SHIPPED else weights
