"""Weights of a network: read from a file, checked against the network, and named by a hash."""

from __future__ import annotations

from collections.abc import Set
import hashlib
from pathlib import Path
from typing import Any

from husky_placerec.descriptor.anchored import AnchoredMobileNet
from husky_placerec.errors import InputError
import torch
from torch import nn

MOST_NAMES = 3  # of the wrong keys, in a message
WHOLE = 'backbone.'  # begins keys of a whole network's weights


def load_weights(
    network: nn.Module, backbone: nn.Module, source: str, cut_off: Set[str] = frozenset()
) -> None:
    """
    Load a state dict (.pth, .pt or .safetensors) into the network or the backbone that it fits.

    A classifier's weights in the file are passed over: the backbone has none.

    :param source: the file; keys that begin with `backbone.` say that it has the whole network.
    :param cut_off: keys of the backbone's that it has no use for.
    :raises InputError: for a file that is missing, is no state dict, or does not fit.
    """
    path = Path(source)
    state = read_state(path)
    whole = any(key.startswith(WHOLE) for key in state)
    target, name = (network, 'network') if whole else (backbone, 'backbone')
    if not whole and isinstance(backbone, AnchoredMobileNet):
        state = backbone.of_whole(state)
    wanted = target.state_dict()
    state = {
        key: value
        for key, value in state.items()
        if whole or key in wanted or not (_is_head(key) or key in cut_off)
    }
    problems = {
        'missing': sorted(set(wanted) - set(state)),
        'unknown': sorted(set(state) - set(wanted)),
        'of another shape': [
            f'{key} {list(state[key].shape)} instead of {list(wanted[key].shape)}'
            for key in sorted(set(state) & set(wanted))
            if state[key].shape != wanted[key].shape
        ],
    }
    found = [
        f'{len(keys)} {what} ({", ".join(keys[:MOST_NAMES])}{", ..." * (len(keys) > MOST_NAMES)})'
        for what, keys in problems.items()
        if keys
    ]
    if found:
        raise InputError(
            f'{path}: weights do not fit the {name}, of its {len(wanted)} tensors: '
            + '; '.join(found)
        )
    target.load_state_dict(state)


def weights_sha256(network: nn.Module) -> str:
    """Return the SHA-256 of all names and values, whatever file they came from."""
    digest = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _is_head(key: str) -> bool:
    return key.split('.')[0] in ('classifier', 'fc', 'head')


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """
    Read a state dict of tensors.

    :raises InputError: for a file that is missing or is none.
    """
    if not path.is_file():
        raise InputError(f'{path}: no such weights file')
    try:
        if path.suffix == '.safetensors':
            from safetensors.torch import load_file

            state: Any = load_file(path)
        else:
            state = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # torch raises a dozen kinds for a broken file
        raise InputError(f'{path}: cannot be read as weights ({error})') from error
    if isinstance(state, dict) and isinstance(state.get('state_dict'), dict):
        state = state['state_dict']  # a training checkpoint
    tensors = isinstance(state, dict) and all(
        isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in state.items()
    )
    if not tensors or not state:
        raise InputError(f'{path}: expected a state dict of tensors')
    return state
