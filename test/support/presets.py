"""Small published networks: the definitions of real presets with few layers, and checkpoints."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.config import make_config
from husky_placerec.descriptor.published.presets import PRESETS

VIT = 'embed_dim=32 depth=1 num_heads=2'
TINY = {
    'tiny_cosplace': replace(
        PRESETS['eigenplaces18'],
        options='stages=2',
        arguments={'outputs': 8},
        size=8,
        input_size=(64, 48),
    ),
    'tiny_mixvpr': replace(
        PRESETS['mixvpr'],
        backbone='resnet18',
        options='stages=2',
        arguments={'outputs': 4, 'rows': 2, 'depth': 1},
        size=8,
        input_size=(32, 32),
    ),
    'tiny_boq': replace(
        PRESETS['boq-dinov2'],
        backbone='vit_small_patch14_dinov2',
        options=VIT,
        arguments={'width': 16, 'rows': 2, 'queries': 3, 'layers': 1},
        size=32,
        input_size=(70, 42),
    ),
    'tiny_salad': replace(
        PRESETS['salad'],
        backbone='vit_small_patch14_dinov2',
        options=VIT,
        arguments={'clusters': 3, 'cluster_size': 4, 'token_size': 5, 'hidden': 8},
        size=17,
        input_size=(70, 42),
    ),
    'tiny_megaloc': replace(
        PRESETS['megaloc'],
        backbone='vit_small_patch14_dinov2',
        options=VIT,
        arguments={'clusters': 3, 'cluster_size': 4, 'outputs': 6},
        size=6,
        input_size=(70, 42),
    ),
    'tiny_dinov2': replace(
        PRESETS['dinov2-s'],
        options=VIT,
        size=64,
        input_size=(70, 42),
    ),
}
TRAINED_SIDE = 6  # patches of the square that the checkpoints' position embeddings are for


def network_of(name, weights='random', **changes):
    """Make the network of a preset."""
    from husky_placerec.descriptor.network import make_network
    from husky_placerec.descriptor.spec import resolve_spec

    config = make_config({'preset': name, 'weights': str(weights), 'threads': 1, **changes})
    return make_network(resolve_spec(config, None))


def checkpoint_of(name, seed=0):
    """Return a state dict of random numbers under the authors' names, as they would publish it."""
    import torch

    preset, state = TINY[name], {}
    torch.manual_seed(seed)
    for key, value in network_of(name).state_dict().items():
        theirs, ours = next(pair for pair in preset.keys if key.startswith(pair[1]))
        if key.endswith('pos_embed'):
            value = torch.randn(1, 1 + TRAINED_SIDE**2, value.shape[-1])
        elif value.is_floating_point():
            value = (
                torch.rand(value.shape) * 0.5 + 0.1
                if 'var' in key
                else torch.randn(value.shape) * 0.2
            )
        if key.endswith('gem.p'):
            value = torch.tensor([2.5])  # the authors have a vector of one number
        state[theirs + key[len(ours) :]] = value
    for prefix in preset.ignored:
        state[f'{prefix}weight' if prefix.endswith('.') else prefix] = torch.zeros(1, 32)
    return state
