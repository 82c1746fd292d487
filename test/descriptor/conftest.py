"""The small network and its weights, for the tests of networks."""

from __future__ import annotations

import pytest
from support.networks import load_network


@pytest.fixture(scope='module')
def network():
    """Load the small network with random weights, as an extractor."""
    return load_network()


@pytest.fixture
def state(network):
    """Return the state dict of the small network's backbone."""
    return dict(network._images.network.backbone.network.state_dict())


@pytest.fixture
def weights_file(tmp_path):
    """Return a function that writes weights by torch or safetensors and returns the file."""

    def write(content, name='net.pth'):
        import safetensors.torch
        import torch

        save = safetensors.torch.save_file if name.endswith('.safetensors') else torch.save
        save(content, tmp_path / name)
        return str(tmp_path / name)

    return write
