"""Export: an ONNX file gives its network's descriptors, and works with that network's maps."""

from __future__ import annotations

import re
import subprocess
import sys

from husky_placerec.config import make_config
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.errors import InputError
import numpy as np
import pytest
from support.builders import frame, smooth_image, write_track_folder

NEEDS = 'torch', 'timm', 'safetensors', 'onnx', 'onnxruntime'

NETWORK = {
    'backbone': 'lcn_cnn',
    'weights': 'random',
    'pooling': 'gem:2x4',
    'head': 16,
    'input_width': 160,
    'input_height': 96,
}
IMAGES = {'front': smooth_image(1, 320, 192), 'back': smooth_image(2, 400, 100)}


def settings(values):
    return [word for name, value in values.items() for word in ('-s', f'{name}={value}')]


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    from husky_placerec.descriptor.onnx_export import export_onnx
    from husky_placerec.descriptor.spec import resolve_spec

    path = tmp_path_factory.mktemp('model') / 'small.onnx'
    images = [smooth_image(seed, 160, 96) for seed in range(4)]
    export_onnx(resolve_spec(make_config(NETWORK), None), path, images, threads=1)
    return path


def test_an_exported_network_gives_the_same_descriptors(model):
    by_torch = load_extractor(make_config(NETWORK))
    by_onnx = load_extractor(make_config({'extractor': 'onnx', 'weights': str(model)}))
    by_torch.spec.require_same(by_onnx.spec, 'map')
    for images in (IMAGES, {'back': IMAGES['back']}):
        expected, found = (each.describe(frame(**images)) for each in (by_torch, by_onnx))
        np.testing.assert_allclose(found, expected, atol=1e-5)
    assert found.shape == (2, 16)


@pytest.mark.parametrize(
    'changes',
    [
        {'backbone': 'resnet18', 'pooling': 'netvlad:4', 'head': 0},
        {'backbone': 'convnext_atto', 'pooling': 'gem:1x3'},
        {'backbone': 'mobilenetv3_small_050', 'pooling': 'mixvpr:2'},
        {'backbone': 'lcn_cnn', 'pooling': 'salad:5'},
        {
            'backbone': 'vit_small_patch14_dinov2',
            'backbone_options': 'depth=1 embed_dim=32 num_heads=2',
            'pooling': 'average',
            'fusion': 'add',
        },
    ],
    ids=lambda changes: changes['backbone'],
)
def test_the_command_exports_networks_of_all_kinds(changes, tmp_path, placerec):
    values = {**NETWORK, 'input_width': 96, 'input_height': 64, **changes}
    ended = placerec('model', 'export', tmp_path / 'a.onnx', *settings(values))
    assert ended.returncode == 0, ended.stderr
    assert float(re.search(r'differ from torch by (\S+)', ended.stdout)[1]) < 1e-4


def test_a_map_built_by_torch_is_searched_by_onnx_and_the_other_way(model, tmp_path, placerec):
    track = write_track_folder(tmp_path / 'track')
    by_onnx = {'extractor': 'onnx', 'weights': model}
    trusting = {'trust_map': 'true'}
    for made, used in ((NETWORK, by_onnx), (by_onnx, NETWORK), (by_onnx, trusting)):
        build = placerec('map', 'build', track, tmp_path / 'map', '--overwrite', *settings(made))
        assert build.returncode == 0, build.stderr
        ended = placerec(
            *('replay', track, '--map', tmp_path / 'map', '-o', tmp_path / 'out', '--overwrite'),
            *settings({**used, 'check_images': 'false'}),  # the images are smooth noise
        )
        assert ended.returncode == 0, ended.stderr
        assert '6' in ended.stdout


def test_onnx_runs_without_torch(model):
    code = (
        'import sys; sys.modules["torch"] = None\n'
        'from husky_placerec.config import make_config\n'
        'from husky_placerec.descriptor.extractor import load_extractor\n'
        f'load_extractor(make_config({{"extractor": "onnx", "weights": {str(model)!r}}}))\n'
    )
    ended = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    ('changes', 'expected'),
    [
        ({'weights': 'none.onnx'}, "weights is 'none.onnx'; expected a file that"),
        ({'weights': ''}, "weights is ''; expected a file"),
        ({'input_width': 320}, 'input_width is 160; 320 was asked for'),
        ({'pooling': 'gem'}, "pooling is 'gem:2x4'; 'gem' was asked for"),
    ],
)
def test_a_file_other_than_the_model_asked_for_is_refused(changes, expected, model):
    values = {'extractor': 'onnx', 'weights': str(model), **changes}
    with pytest.raises(InputError, match=expected):
        load_extractor(make_config(values))


def test_the_error_names_a_damaged_file(model, tmp_path):
    broken = tmp_path / 'broken.onnx'
    broken.write_bytes(model.read_bytes()[:2000])
    with pytest.raises(InputError, match=r'broken.onnx: not a model that'):
        load_extractor(make_config({'extractor': 'onnx', 'weights': str(broken)}))


@pytest.mark.parametrize(
    ('name', 'changes', 'expected'),
    [
        ('a.pt', {}, 'expected a name that ends in .onnx'),
        ('a.onnx', {'extractor': 'hog'}, 'no network to export'),
        ('a.onnx', {'fusion': 'attention'}, 'fusion attention cannot be exported'),
    ],
)
def test_what_cannot_be_exported_is_refused(name, changes, expected, tmp_path, placerec):
    ended = placerec('model', 'export', tmp_path / name, *settings({**NETWORK, **changes}))
    assert ended.returncode == 2
    assert expected in ended.stderr
    assert not (tmp_path / name).exists()
