"""Backbones: convolutional networks and transformers, whole, cut, and unknown."""

from __future__ import annotations

import os
import subprocess
import sys

from husky_placerec.errors import InputError
import numpy as np
import pytest
from support.builders import frame, smooth_image, write_track_folder
from support.networks import describe_both, load_network

NEEDS = 'torch', 'timm'

CUT = {'backbone_options': 'stages=3'}


@pytest.mark.parametrize(
    ('changes', 'expected'),
    [
        ({'backbone': 'no_such_net'}, 'backbone no_such_net: cannot be made'),
        ({'backbone': 'resnet_18'}, r'did you mean .*\bresnet18\b'),
        ({'backbone_options': 'depth'}, "'depth'; expected NAME=VALUE"),
        ({'backbone_options': 'colour=red'}, 'colour'),
        ({'backbone_options': 'drop_rate=['}, 'drop_rate=.: not YAML'),
    ],
)
def test_the_error_names_a_backbone_that_cannot_be_made(changes, expected):
    with pytest.raises(InputError, match=expected):
        load_network(**changes)


def test_the_error_for_an_unreachable_hub_says_what_to_give_instead(tmp_path):
    load_network()  # skips without torch
    # In a process of its own: the hub's client reads its settings when it is imported.
    hub = str(tmp_path / 'hub')
    offline = {**os.environ, 'HF_HUB_OFFLINE': '1', 'HF_HOME': hub, 'HF_HUB_CACHE': hub}
    track = write_track_folder(tmp_path / 'track')
    words = ['-s', 'backbone=mobilenetv3_small_050', '-s', 'weights=hub']
    command = [sys.executable, '-m', 'husky_placerec.cli', 'map', 'build', track, tmp_path / 'map']
    ended = subprocess.run([*command, *words], env=offline, capture_output=True, text=True)
    assert ended.returncode == 2
    assert 'backbone mobilenetv3_small_050 with weights from the hub' in ended.stderr
    assert 'give the file, weights=mobilenetv3_small_050.safetensors' in ended.stderr
    assert ended.stderr.count('error: ') == 1
    assert 'Traceback' not in ended.stderr
    assert not (tmp_path / 'map').exists()


def test_a_backbone_of_another_input_size_is_refused_at_loading():
    with pytest.raises(InputError, match=r'vit_tiny_patch16_224: .* images of 64x64'):
        load_network(backbone='vit_tiny_patch16_224', backbone_options='depth=1 img_size=32')


def test_a_backbone_whose_channels_come_last_is_pooled_over_its_positions():
    options = 'img_size=64 window_size=4 embed_dim=16 depths=[1,1] num_heads=[1,1]'
    made = load_network(backbone='swin_tiny_patch4_window7_224', backbone_options=options)
    assert describe_both(made).shape == (2, 32)
    np.testing.assert_allclose(np.linalg.norm(describe_both(made), axis=1), 1, atol=1e-5)


def test_a_transformer_gives_a_map_of_its_patches_at_any_input_size():
    made = load_network(
        backbone='vit_small_patch14_dinov2',
        backbone_options='depth=1 embed_dim=32 num_heads=2',
        input_width=84,
        input_height=56,
        pooling='gem:2x3',
    )
    assert describe_both(made).shape == (2, 32 * 6)
    network = made._images.network
    half = np.full((56, 84, 3), 90, np.uint8)
    half[:, 42:] = smooth_image(4, 42, 56)
    rows = network.backbone.network.patch_embed.dynamic_feat_size((56, 84))
    assert rows == (4, 6)
    cells = made.describe(frame(front=half))[0].reshape(32, 2, 3)
    assert np.isfinite(cells).all()


def test_a_cut_backbone_takes_the_weights_of_the_whole_one(state, weights_file):
    import torch

    whole = weights_file(state)
    cut = load_network(weights=whole, **CUT)._images.network.backbone
    kept = cut.network.state_dict()
    assert 0 < len(kept) < len(state)
    assert all(torch.equal(value, state[name]) for name, value in kept.items())
    assert cut(torch.ones(1, 3, 64, 64)).shape == (1, cut.channels, 8, 8)


def test_a_cut_backbone_refuses_weights_of_another_network(state, weights_file):
    strange = weights_file({**state, 'strange.weight': next(iter(state.values()))})
    with pytest.raises(InputError, match=r'unknown .strange.weight'):
        load_network(weights=strange, **CUT)


@pytest.mark.parametrize('stages', ['0', '9', 'few', '1.5'])
def test_a_cut_behind_a_stage_that_does_not_exist_is_refused(stages):
    with pytest.raises(InputError, match=f'cannot be cut behind stage .*{stages}'):
        load_network(backbone_options=f'stages={stages}')
