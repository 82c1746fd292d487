"""Load the checkpoint of a published network into our definition of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from husky_placerec.descriptor.published.positions import resample_positions
from husky_placerec.descriptor.published.preset import OWN_KEYS, Preset
from husky_placerec.descriptor.published.presets import PRESETS
from husky_placerec.descriptor.weights import fit_problems, read_state_dict
from husky_placerec.errors import InputError
import torch
from torch import nn

POSITIONS = f'{OWN_KEYS}pos_embed'
WRAPPER = 'module.'  # that DataParallel puts before each name
MOST_NAMES = 3  # unknown keys that an error names


def load_published(
    network: nn.Module, name: str, preset: Preset, path: Path, grid: tuple[int, int]
) -> None:
    """
    Load a checkpoint of a preset, as its authors or `placerec train` wrote it.

    :param grid: rows and columns of the network's feature map.
    :raises InputError: for a file that is no checkpoint, or that of another network.
    """
    state = read_state_dict(path)
    if all(key.startswith(WRAPPER) for key in state):
        state = {key[len(WRAPPER) :]: value for key, value in state.items()}
    state = {
        key: value.float() if value.is_floating_point() else value for key, value in state.items()
    }
    if not any(key.startswith(OWN_KEYS) for key in state):
        state = _renamed(state, name, preset, path)
        if POSITIONS in state:
            state[POSITIONS] = _resampled(state[POSITIONS], grid, path)
    wanted = network.state_dict()
    state = {
        key: value.reshape(wanted[key].shape)  # a scalar that is stored as [1]
        if key in wanted and value.numel() == wanted[key].numel() == 1
        else value
        for key, value in state.items()
    }
    if problems := fit_problems(state, wanted):
        raise InputError(
            f'{path}: not a checkpoint of preset {name}, of its {len(wanted)} tensors: '
            f'{problems}{_of_another(state, name)}'
        )
    network.load_state_dict(state)


def _renamed(
    state: Mapping[str, torch.Tensor], name: str, preset: Preset, path: Path
) -> dict[str, torch.Tensor]:
    """
    Return the state with our names.

    :raises InputError: for keys that the checkpoint of this preset does not have.
    """
    unknown = sorted(key for key in state if preset.renamed(key) is None)
    if unknown:
        more = ', ...' * (len(unknown) > MOST_NAMES)
        raise InputError(
            f'{path}: not a checkpoint of preset {name}: {len(unknown)} unknown of its '
            f'{len(state)} keys ({", ".join(unknown[:MOST_NAMES])}{more})'
            f'{_of_another(state, name)}'
        )
    return {ours: value for key, value in state.items() if (ours := preset.renamed(key))}


def _of_another(keys: Iterable[str], name: str) -> str:
    """Return a remark on the presets whose checkpoints have such keys."""
    keys = list(keys)
    fitting = [
        other
        for other, preset in PRESETS.items()
        if other != name and all(preset.renamed(key) is not None for key in keys)
    ]
    return f'; its keys are those of {" or ".join(fitting)}' if fitting else ''


def _resampled(embedding: torch.Tensor, grid: tuple[int, int], path: Path) -> torch.Tensor:
    """
    Return the position embeddings for a grid.

    :raises InputError: for embeddings that are not those of a class token and a square.
    """
    patches = embedding.shape[1] - 1 if embedding.ndim == 3 else 0
    if patches < 1 or round(patches**0.5) ** 2 != patches:
        raise InputError(
            f'{path}: pos_embed is {list(embedding.shape)}; expected [1, 1 + M * M, D]'
        )
    return resample_positions(embedding, *grid)
