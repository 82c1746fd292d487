"""Every shipped extractor in every command that describes images."""

from __future__ import annotations

from importlib.util import find_spec
import json

from husky_placerec.config import make_config
from husky_placerec.descriptor.extractor import load_spec
from husky_placerec.evaluation.baselines import baselines
import pytest
from support.folder_drives import folder_drive

NEEDS = 'matplotlib', 'jinja2', 'sklearn', 'onnxruntime'

SMALL_TIMM = ['backbone=lcn_cnn', 'weights=random', 'input_width=64', 'input_height=48']
EXTRACTORS = {
    'pixels': ['extractor=pixels'],
    'hog': ['extractor=hog', 'weights=shipped'],
    'shipped': ['weights=shipped'],
    'timm': SMALL_TIMM,
}


@pytest.fixture
def drives(tmp_path):
    """Two drives along the same six pictures."""
    return [folder_drive(tmp_path / name, 0) for name in ('mapped', 'driven')]


@pytest.fixture(params=EXTRACTORS.values(), ids=list(EXTRACTORS))
def settings(request):
    if request.param is SMALL_TIMM and not all(map(find_spec, ['torch', 'timm', 'safetensors'])):
        pytest.skip('needs the extra [timm]')
    return [word for setting in [*request.param, 'threads=1'] for word in ('--set', setting)]


def test_a_map_is_built_replayed_and_grown(placerec, drives, settings, tmp_path):
    """`calibrate` describes a drive by the code of `map add`."""
    mapped, driven = drives
    path, results = tmp_path / 'campus.map', tmp_path / 'results'
    for words in (
        ['map', 'build', mapped, path, *settings],
        ['replay', driven, '--map', path, '-o', results],
        ['map', 'add', path, driven],
    ):
        done = placerec(*words)
        assert done.returncode == 0, done.stderr
    numbers = json.loads((results / 'summary.json').read_text())
    assert numbers['recall']['5']['1'] == 1.0  # the same pictures


def test_drives_are_evaluated_beside_the_baselines(placerec, drives, settings, tmp_path):
    done = placerec('evaluate', *drives, *settings, '--no-cache', '-o', tmp_path / 'out')
    assert done.returncode == 0, done.stderr
    numbers = json.loads((tmp_path / 'out' / 'summary.json').read_text())
    assert {'grey pixels', 'HOG'} <= {numbers['method'], *numbers['baselines']}
    assert numbers['recall']['5']['1'] == 1.0
    assert 'Describing mapped by' in done.stderr


@pytest.mark.skipif(not find_spec('torch') or not find_spec('timm'), reason='needs [timm]')
def test_the_random_network_beside_a_method_without_one_is_small():
    named, _ = baselines(make_config({'extractor': 'hog'}))
    spec = load_spec(named['lcn_cnn, random weights'])
    assert (spec.input_width, spec.input_height, spec.head) == (160, 96, 128)
    named, _ = baselines(make_config({'extractor': 'hog', 'backbone': 'resnet18'}))
    assert 'resnet18, random weights' in named
