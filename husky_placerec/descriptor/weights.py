"""The weights of a network: read from a file, checked against the network, and hashed."""

from __future__ import annotations

from collections.abc import Mapping, Set
import hashlib
from pathlib import Path
import re
from typing import Any

from husky_placerec.descriptor.anchored_mobilenet import AnchoredMobileNet
from husky_placerec.errors import InputError
import torch
from torch import nn

MOST_NAMES = 3  # wrong keys that an error names
REFUSED = 'Weights only load failed'
FOREIGN = re.compile(r'GLOBAL (\S+)')  # in what `weights_only` raises
BACKBONE_PREFIX = 'backbone.'  # of the backbone's keys in a file of the whole network


def load_weights(
    network: nn.Module, backbone: nn.Module, source: str, cut_off: Set[str] = frozenset()
) -> None:
    """
    Load a state dict (.pth, .pt or .safetensors) into the whole network or its backbone.

    A classifier's weights in a file of the backbone are ignored.

    :param source: the file; if any key begins with `backbone.`, it holds the whole network.
    :param cut_off: keys of the weights that a cut backbone does not have; they are ignored.
    :raises InputError: for a file that is missing, is no state dict, or does not fit.
    """
    path = Path(source)
    state = read_state_dict(path)
    whole = any(key.startswith(BACKBONE_PREFIX) for key in state)
    target, name = (network, 'network') if whole else (backbone, 'backbone')
    if not whole and isinstance(backbone, AnchoredMobileNet):
        state = backbone.from_timm(state)
    wanted = target.state_dict()
    state = {
        key: value
        for key, value in state.items()
        if whole or key in wanted or not (_is_classifier(key) or key in cut_off)
    }
    if problems := fit_problems(state, wanted):
        raise InputError(
            f'{path}: weights do not fit the {name}, of its {len(wanted)} tensors: {problems}'
        )
    target.load_state_dict(state)


def fit_problems(state: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]) -> str:
    """Return in words what of a state dict does not fit the wanted one; empty if all fits."""
    problems = {
        'missing': sorted(set(wanted) - set(state)),
        'unknown': sorted(set(state) - set(wanted)),
        'of another shape': [
            f'{key} {list(state[key].shape)} instead of {list(wanted[key].shape)}'
            for key in sorted(set(state) & set(wanted))
            if state[key].shape != wanted[key].shape
        ],
    }
    return '; '.join(
        f'{len(keys)} {what} ({", ".join(keys[:MOST_NAMES])}{", ..." * (len(keys) > MOST_NAMES)})'
        for what, keys in problems.items()
        if keys
    )


def weights_sha256(network: nn.Module) -> str:
    """Return the SHA-256 over the names and values of all weights; the file does not matter."""
    digest = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _is_classifier(key: str) -> bool:
    return key.split('.')[0] in ('classifier', 'fc', 'head')


def read_state_dict(path: Path) -> dict[str, torch.Tensor]:
    """
    Read a state dict of tensors.

    :raises InputError: for a file that is missing or is no state dict.
    """
    if not path.is_file():
        raise InputError(f'{path}: no such weights file')
    try:
        if path.suffix == '.safetensors':
            from safetensors.torch import load_file

            state: Any = load_file(path)
        else:
            state = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # torch raises many kinds for a broken file
        if REFUSED in str(error):  # torch's text goes on to advise loading it all the same
            found = FOREIGN.search(str(error))
            named = f' ({found[1]})' if found else ''
            raise InputError(
                f'{path}: cannot be read as weights: it is damaged, or has pickled objects{named} '
                'besides tensors, which are not loaded because they could run code; expected a '
                'state dict of tensors'
            ) from error
        raise InputError(f'{path}: cannot be read as weights ({error})') from error
    if isinstance(state, dict) and isinstance(state.get('state_dict'), dict):
        state = state['state_dict']  # a training checkpoint
    tensors = isinstance(state, dict) and all(
        isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in state.items()
    )
    if not tensors or not state:
        raise InputError(f'{path}: expected a state dict of tensors')
    return state
