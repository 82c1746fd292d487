"""Networks as extractors: the smallest will do, with weights made here; nothing is fetched."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
import itertools
import os
import subprocess
import sys

from husky_placerec.config import make_config
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.errors import InputError
import numpy as np
import pytest
from support.builders import frame, smooth_image, write_track_folder

SMALL = {
    'extractor': 'timm',
    'backbone': 'mobilenetv3_small_050',
    'weights': 'random',
    'input_width': 64,
    'input_height': 64,
    'threads': 1,
}
IMAGES = [smooth_image(1, 64, 64), smooth_image(2, 64, 64)]


def load_network(**changes):
    if not all(map(find_spec, ['torch', 'timm', 'safetensors'])):  # to import timm, see _timm.py
        pytest.skip('needs the extra [timm]')
    return load_extractor(make_config({**SMALL, **changes}))


def both(made):
    return made.describe(frame(front=IMAGES[0], back=IMAGES[1]))


@pytest.fixture(scope='module')
def network():
    return load_network()


@pytest.fixture
def state(network):
    return dict(network._images.network.backbone.network.state_dict())


@pytest.fixture
def weights_file(tmp_path):
    def write(content, name='net.pth'):
        import safetensors.torch
        import torch

        save = safetensors.torch.save_file if name.endswith('.safetensors') else torch.save
        save(content, tmp_path / name)
        return str(tmp_path / name)

    return write


def test_a_random_network_is_the_same_each_time_it_is_loaded(network):
    import torch

    torch.manual_seed(1234)
    again = load_network()
    assert again.spec == network.spec
    assert network.spec.size == 288
    assert (network.spec.normalization, network.spec.pooling) == ('imagenet', 'gem')
    np.testing.assert_array_equal(both(again), both(network))
    np.testing.assert_allclose(np.linalg.norm(both(network), axis=1), 1, atol=1e-5)
    assert abs(both(network)[0] - both(network)[1]).max() > 1e-3


def test_one_image_is_described_as_it_is_beside_another(network):
    alone = network.describe(frame(back=IMAGES[1]))
    assert not alone[0].any()
    np.testing.assert_allclose(alone[1], both(network)[1], atol=1e-5)


def test_normalization_and_options_of_the_backbone_are_heeded(network):
    half = load_network(normalization='half')
    assert half.spec == replace(network.spec, normalization='half')
    assert abs(both(half) - both(network)).max() > 1e-4
    other = load_network(backbone_options='act_layer=gelu drop_rate=0.1')
    assert other.spec.weights_sha256 == network.spec.weights_sha256
    assert abs(both(other) - both(network)).max() > 1e-4


@pytest.mark.parametrize(
    ('name', 'form'),
    [
        *itertools.product(['net.pth', 'net.safetensors'], ['bare', 'with head']),
        ('net.pt', 'checkpoint'),
    ],
)
def test_weights_are_the_same_from_whatever_file(name, form, network, state, weights_file):
    import torch

    changed = {
        key: value + 0.01 if value.is_floating_point() else value for key, value in state.items()
    }
    content = changed | ({'classifier.weight': torch.zeros(5, 7)} if form == 'with head' else {})
    if form == 'checkpoint':
        content = {'state_dict': content, 'epoch': 3}
    made = load_network(weights=weights_file(content, name))
    same = load_network(weights=weights_file(state, f'same-{name}'))
    assert same.spec == replace(network.spec, weights=same.spec.weights)
    np.testing.assert_array_equal(both(same), both(network))
    assert made.spec.weights_sha256 != network.spec.weights_sha256
    assert abs(both(made) - both(network)).max() > 1e-4


def without_a_key(state):
    return {key: value for key, value in state.items() if key != 'conv_stem.weight'}


def of_another_shape(state):
    return {**state, 'conv_stem.weight': state['conv_stem.weight'][:, :1].contiguous()}


def with_a_key_too_many(state):
    return {**state, 'extra.weight': state['conv_stem.weight']}


def of_another_network(state):
    return {f'layer1.{key}': value for key, value in state.items()}


@pytest.mark.parametrize(
    ('change', 'expected'),
    [
        (without_a_key, r'of its \d+ tensors: 1 missing \(conv_stem.weight\)$'),
        (of_another_shape, r'1 of another shape .*\[16, 1, 3, 3\] instead of \[16, 3, 3, 3\]'),
        (with_a_key_too_many, r'1 unknown \(extra.weight\)$'),
        (of_another_network, r'missing \(.*, \.\.\.\); \d+ unknown \(layer1'),
        (lambda _: {}, 'expected a state dict of tensors'),
        (lambda _: [1, 2], 'expected a state dict of tensors'),
        (lambda _: {'epoch': 3}, 'expected a state dict of tensors'),
        (lambda state: {1: state['conv_stem.weight']}, 'expected a state dict of tensors'),
    ],
)
def test_weights_that_do_not_fit_are_told_from_those_wanted(change, expected, state, weights_file):
    file = weights_file(change(state))
    with pytest.raises(InputError, match=f'^{file}: .*{expected}'):
        load_network(weights=file)


@pytest.mark.parametrize('name', ['none.pth', 'net.pth', 'net.safetensors', 'folder'])
def test_a_file_that_holds_no_weights_is_named(name, tmp_path):
    (tmp_path / 'folder').mkdir()
    if name.startswith('net'):
        (tmp_path / name).write_bytes(b'garbage' * 100)
    expected = 'cannot be read as weights' if name.startswith('net') else 'no such weights file'
    with pytest.raises(InputError, match=f'{name}: {expected}'):
        load_network(weights=str(tmp_path / name))


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
def test_a_network_that_cannot_be_made_is_named(changes, expected):
    with pytest.raises(InputError, match=expected):
        load_network(**changes)


def test_a_hub_out_of_reach_is_told_with_what_to_give_instead(tmp_path):
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


def test_a_network_of_another_input_size_is_refused_at_loading():
    with pytest.raises(InputError, match=r'vit_tiny_patch16_224: .* images of 64x64'):
        load_network(backbone='vit_tiny_patch16_224', backbone_options='depth=1 img_size=32')


def test_a_network_whose_channels_come_last_is_pooled_over_its_positions():
    options = 'img_size=64 window_size=4 embed_dim=16 depths=[1,1] num_heads=[1,1]'
    made = load_network(backbone='swin_tiny_patch4_window7_224', backbone_options=options)
    assert both(made).shape == (2, 32)
    np.testing.assert_allclose(np.linalg.norm(both(made), axis=1), 1, atol=1e-5)


def test_a_transformer_gives_a_map_of_its_patches_at_any_input_size():
    made = load_network(
        backbone='vit_small_patch14_dinov2',
        backbone_options='depth=1 embed_dim=32 num_heads=2',
        input_width=84,
        input_height=56,
        pooling='gem:2x3',
    )
    assert both(made).shape == (2, 32 * 6)
    network = made._images.network
    half = np.full((56, 84, 3), 90, np.uint8)
    half[:, 42:] = smooth_image(4, 42, 56)
    rows = network.backbone.network.patch_embed.dynamic_feat_size((56, 84))
    assert rows == (4, 6)
    cells = made.describe(frame(front=half))[0].reshape(32, 2, 3)
    assert np.isfinite(cells).all()


@pytest.mark.parametrize(
    'pooling', ['average', 'gem', 'gem:1x2', 'netvlad:3', 'mixvpr:2', 'salad:3']
)
@pytest.mark.parametrize('head', [0, 24])
def test_each_pooling_gives_unit_vectors_and_is_recorded(pooling, head):
    made = load_network(pooling=pooling, head=head)
    found = both(made)
    assert found.shape == (2, head or made.spec.size)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert (found[0] != found[1]).any()
    with pytest.raises(InputError, match='pooling is'):
        made.spec.require_same(load_network(pooling='gem:2x2', head=head).spec, 'my map')


@pytest.mark.parametrize('pooling', ['max', 'gem:3', 'gem:0x2', 'gem:9x9', 'netvlad:x', 'salad:4'])
def test_a_pooling_that_there_is_not_is_refused(pooling):
    with pytest.raises(InputError, match=f"pooling is '{pooling}'; expected "):
        load_network(pooling=pooling)


@pytest.mark.parametrize('fusion', ['add', 'attention'])
def test_a_fused_descriptor_is_one_vector_of_the_cameras_that_are_there(fusion):
    made = load_network(fusion=fusion)
    assert (made.spec.cameras, made.spec.fused) == (('front_back',), ('front', 'back'))
    alone = made.describe(frame(back=IMAGES[1]))
    assert both(made).shape == alone.shape == (1, made.spec.size)
    for found in (both(made), alone):
        np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert abs(both(made) - alone).max() > 1e-3
    assert not made.describe(frame()).any()
    swapped = made.describe(frame(back=IMAGES[0], front=IMAGES[1]))
    np.testing.assert_allclose(swapped, both(made), atol=1e-5)  # attention begins as add


@pytest.mark.parametrize('fusion', ['add', 'attention'])
def test_a_map_of_fused_descriptors_is_stored_and_recognised_without_a_direction(fusion, tmp_path):
    from husky_placerec.data.source import find_trajectory, open_source
    from husky_placerec.placemap.building import describe_places
    from husky_placerec.placemap.storage import load_map, save_map, verify_map
    from husky_placerec.recognition.recognizer import Recognizer

    config = make_config({**SMALL, 'fusion': fusion})
    made = load_network(fusion=fusion)
    with open_source(write_track_folder(tmp_path / 'track')) as source:
        trajectory = find_trajectory(source, None)
        made_map = describe_places(
            source, trajectory, made, config, track='a', max_gap_s=9.0, thumbnail_width=32
        )
    save_map(made_map, tmp_path / 'map')
    verify_map(tmp_path / 'map')
    place_map = load_map(tmp_path / 'map')
    assert place_map.descriptors.shape == (6, 1, 288)
    assert place_map.thumbnails.jpeg(0, 'back')  # of the cameras that were fused
    recognizer = Recognizer(made, place_map, make_config({}))
    recognizer.warm_up()
    best = recognizer.recognize(frame(front=IMAGES[0], back=IMAGES[1])).best
    assert best is not None
    assert best.reversed is None
    assert 'cannot tell' in place_map.spec.limits


CUT = {'backbone_options': 'stages=3'}


def test_a_cut_backbone_takes_the_weights_of_the_whole_one(state, weights_file):
    whole = weights_file(state)
    cut = load_network(weights=whole, **CUT)._images.network.backbone
    kept = cut.network.state_dict()
    assert 0 < len(kept) < len(state)
    assert all(torch_equal(value, state[name]) for name, value in kept.items())
    assert cut(ones(64)).shape == (1, cut.channels, 8, 8)


def test_a_cut_backbone_still_refuses_weights_of_another_network(state, weights_file):
    strange = weights_file({**state, 'strange.weight': next(iter(state.values()))})
    with pytest.raises(InputError, match=r'unknown .strange.weight'):
        load_network(weights=strange, **CUT)


@pytest.mark.parametrize('stages', ['0', '9', 'few', '1.5'])
def test_a_cut_where_there_is_no_stage_is_refused(stages):
    with pytest.raises(InputError, match=f'cannot be cut behind stage .*{stages}'):
        load_network(backbone_options=f'stages={stages}')


def torch_equal(a, b):
    import torch

    return torch.equal(a, b)


def ones(size):
    import torch

    return torch.ones(1, 3, size, size)
