"""
The process in which a foreign network runs; `hub_extractor` starts it.

It speaks over two pipes: a message is JSON, or the bytes of an array whose shape the JSON before
it gave. Nothing is unpickled on either side. Standard input is closed and standard output goes to
a file before the foreign code is imported, so that it can neither ask nor disturb the messages.
"""

from __future__ import annotations

from collections.abc import Mapping
import hashlib
import json
from multiprocessing.connection import Connection
import sys
from typing import Any

import numpy as np
import torch


def main() -> None:
    """Serve requests until the other side closes its pipe: `hub_process READ WRITE`."""
    requests, answers = (Connection(int(handle)) for handle in sys.argv[1:3])
    about = json.loads(requests.recv_bytes())
    try:
        torch.set_num_threads(about['threads'])
        torch.manual_seed(0)
        network = _load(about['folder'], about['entry'], about['arguments'])
        network.eval().to(about['device'])
        answers.send_bytes(json.dumps({'sha256': _sha256(network)}).encode())
        while True:
            try:
                shape = json.loads(requests.recv_bytes())
                pixels = np.frombuffer(requests.recv_bytes(), np.uint8).reshape(shape)
            except EOFError:
                return
            vectors = _describe(network, pixels, about)
            answers.send_bytes(json.dumps({'shape': list(vectors.shape)}).encode())
            answers.send_bytes(vectors.tobytes())
    except BaseException as error:  # of foreign code, SystemExit among them
        answers.send_bytes(json.dumps({'error': f'{type(error).__name__}: {error}'}).encode())


def _load(folder: str, entry: str, arguments: Mapping[str, Any]) -> Any:
    network = torch.hub.load(folder, entry, source='local', trust_repo=True, **arguments)
    if not isinstance(network, torch.nn.Module):
        raise TypeError(f'{entry} returned a {type(network).__name__}; expected a torch.nn.Module')
    return network


def _sha256(network: torch.nn.Module) -> str:
    digest = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


@torch.inference_mode()
def _describe(network: Any, pixels: np.ndarray, about: Mapping[str, Any]) -> np.ndarray:
    images = torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(each).view(3, 1, 1) for each in about['normalization'])
    found = network(((images - mean) / std).to(about['device']))
    while isinstance(found, (tuple, list)) and found:  # such as descriptors and attention
        found = found[0]
    if not isinstance(found, torch.Tensor):
        raise TypeError(f'it returned a {type(found).__name__}; expected a tensor')
    if found.ndim != 2 or len(found) != len(pixels) or not found.shape[1]:
        raise ValueError(
            f'it returned the shape {list(found.shape)} for {len(pixels)} images; expected '
            f'[{len(pixels)}, D]'
        )
    if not torch.isfinite(found).all():
        raise ValueError('it returned numbers that are not finite')
    return found.float().cpu().numpy()


if __name__ == '__main__':
    main()
