"""Checkpoints, from which a stopped training continues, and files of weights."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from husky_placerec.errors import InputError
from husky_placerec.files import write_atomic
from safetensors.torch import save
import torch
from torch import nn

CHECKPOINT, WEIGHTS = 'checkpoint.pt', 'weights.safetensors'


def save_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """
    Write the checkpoint in place of the last one.

    :raises OSError: for a full disk; the last checkpoint then stays.
    """
    data = io.BytesIO()
    torch.save(state, data)
    write_atomic(folder / CHECKPOINT, data.getvalue())


def load_checkpoint(folder: Path) -> dict[str, Any]:
    """
    Read the checkpoint of a training that is to continue.

    :raises InputError: for a missing or damaged checkpoint.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        raise InputError(f'{path}: no such checkpoint; nothing to resume')
    try:
        state = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # torch raises many kinds for a broken file
        raise InputError(f'{path}: cannot be read as a checkpoint ({error})') from error
    return dict(state)


def save_weights(folder: Path, network: nn.Module) -> None:
    """Write the weights of the whole network, in a file for the parameter `weights`."""
    state = {name: value.detach().contiguous() for name, value in network.state_dict().items()}
    write_atomic(folder / WEIGHTS, save(state))
