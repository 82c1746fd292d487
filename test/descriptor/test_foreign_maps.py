"""A map from someone else names options and weights of a network: neither opens a file."""

from __future__ import annotations

from dataclasses import replace
import os

from husky_placerec.config import make_config
from husky_placerec.descriptor.backbone_options import backbone_options
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.descriptor.spec import resolve_spec
from husky_placerec.errors import InputError
from husky_placerec.placemap.storage import save_map
import pytest
from support.builders import random_map, spec
from support.needs import needs
from support.networks import SMALL

HARMFUL = [
    'checkpoint_path=/tmp/weights.pth',
    'pretrained_cfg_overlay={file:/tmp/weights.pth}',
    'pretrained_cfg={file:/tmp/weights.pth}',
    'cache_dir=/tmp',
    'pretrained=true',
    'features_only=true',
    'scriptable=true',
    'drop_rate=0.1 checkpoint_path=/tmp/weights.pth',
]
NONSENSE = [
    'img_size=1000000000',
    'depth=-1',
    'depth=true',
    'depth=2.0',
    'drop_rate=.nan',
    'drop_rate=2',
    'act_layer=os.system',
    'act_layer={a:1}',
    f'embed_dim=[{"1," * 16}1]',
    'embed_dim=[[1]]',
    'class_token=1',
    'img_size=' + '[' * 999,
]


def stored_spec(**changes):
    """Return the spec of a map that someone else made with a network."""
    values = {name: value for name, value in SMALL.items() if name != 'threads'}
    return replace(spec(), **{**values, 'normalization': 'imagenet', 'pooling': 'gem', **changes})


@pytest.mark.parametrize('text', HARMFUL)
def test_an_option_that_opens_a_file_is_refused_by_its_name(text):
    name = text.split()[-1].partition('=')[0]
    with pytest.raises(InputError, match=f'there is no option {name}'):
        backbone_options(text)


@pytest.mark.parametrize('text', NONSENSE)
def test_a_value_that_no_layer_has_is_refused(text):
    with pytest.raises(InputError, match=f'backbone_options has .*{text[:5]}'):
        backbone_options(text)


def test_options_of_layers_are_read():
    found = backbone_options('pad_type=same depths=[1,2] drop_rate=0.5 class_token=false')
    assert found == {
        'pad_type': 'same',
        'depths': [1, 2],
        'drop_rate': 0.5,
        'class_token': False,
    }


@needs('torch', 'timm')
@pytest.mark.parametrize('backbone', ['resnet18', 'anchored_mobilenetv2'])
def test_a_map_cannot_make_timm_open_a_checkpoint(backbone, tmp_path):
    bait = tmp_path / 'bait.pth'
    os.mkfifo(bait)  # opening it would block for ever
    stored = stored_spec(backbone=backbone, backbone_options=f'checkpoint_path={bait}')
    with pytest.raises(InputError, match='there is no option checkpoint_path'):
        load_extractor(make_config({}), stored)


@needs('torch', 'timm')
@pytest.mark.parametrize('backbone', ['hf-hub:evil/net', 'local-dir:/tmp/net', '/tmp/net.pth'])
@pytest.mark.parametrize('weights', ['hub', 'random'])
def test_a_map_cannot_name_a_backbone_outside_the_list_of_timm(backbone, weights):
    with pytest.raises(InputError, match='there is no such network'):
        load_extractor(make_config({}), stored_spec(backbone=backbone, weights=weights))


@pytest.mark.parametrize('extractor', ['timm', 'onnx'])
@pytest.mark.parametrize('name', ['weights.pth', 'weights.safetensors', 'weights.onnx'])
def test_weights_that_only_the_map_names_are_not_opened(extractor, name, tmp_path):
    bait = tmp_path / name
    os.mkfifo(bait)
    stored = stored_spec(extractor=extractor, weights=str(bait))
    with pytest.raises(InputError, match=rf'the map names the file .*{name}.*--trust'):
        load_extractor(make_config({}), stored)


def test_weights_that_the_user_names_or_trusts_are_opened():
    stored = stored_spec(weights='theirs.pth')
    own = resolve_spec(make_config({'weights': 'own.pth'}), stored)
    assert own.weights == 'own.pth'
    same = resolve_spec(make_config({'weights': 'theirs.pth'}), stored)
    assert same.weights == 'theirs.pth'
    assert resolve_spec(make_config({'trust_map': True}), stored).weights == 'theirs.pth'


@pytest.mark.parametrize('weights', ['hub', 'random', 'shipped'])
def test_weights_that_are_no_file_need_no_trust(weights):
    assert resolve_spec(make_config({}), stored_spec(weights=weights)).weights == weights


@needs('torch', 'timm')
@pytest.mark.parametrize('command', ['replay', 'calibrate', 'add', 'prune'])
def test_a_command_opens_the_weights_of_a_map_only_with_trust(command, track, tmp_path, placerec):
    """The file is missing, so that only an attempt to open it tells that it is missing."""
    stored, gone = tmp_path / 'their.map', tmp_path / 'gone.safetensors'
    save_map(random_map(spec=stored_spec(weights=str(gone))), stored)
    words = {
        'replay': ['replay', track, '--map', stored, '-o', tmp_path / 'results'],
        'calibrate': ['calibrate', stored, track],
        'add': ['map', 'add', stored, track],
        'prune': ['map', 'prune', stored, tmp_path / 'small.map', '--queries', track],
    }[command]
    ended = placerec(*words)
    assert ended.returncode == 2
    assert f'the map names the file {str(gone)!r}, which is not opened' in ended.stderr
    ended = placerec(*words, '--trust')
    assert ended.returncode == 2
    assert f'{gone}: no such weights file' in ended.stderr
