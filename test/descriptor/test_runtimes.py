"""Runtimes of an exported network: what can be chosen, what is measured, and what is refused."""

from __future__ import annotations

import json

from husky_placerec.config import make_config
from husky_placerec.descriptor.agreement import blots, errors, MOST_ERROR
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.descriptor.runtimes import choice, measurement
from husky_placerec.descriptor.runtimes.measurement import Measured, recall, remember, Trial
from husky_placerec.descriptor.runtimes.model_file import metadata_of, ModelFile
from husky_placerec.descriptor.shipped import MODELS_FOLDER
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.errors import InputError
import numpy as np
import pytest
from support.builders import frame, smooth_image
from support.needs import needs

SHIPPED = {'weights': 'shipped', 'threads': 1}
IMAGES = {'front': smooth_image(1, 224, 384), 'back': smooth_image(2, 224, 384)}
WAYS = ('onnxruntime 1 float32', 'openvino 1 float32', 'openvino 1 bfloat16')


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    return tmp_path / 'cache'


@pytest.fixture
def only(monkeypatch):
    """Return a function that hides all runtimes but those that it gets."""

    def hide(*installed):
        monkeypatch.setattr(choice, '_is_installed', lambda name: name in installed)

    return hide


def refused(**values):
    with pytest.raises(InputError) as error:
        load_extractor(make_config({**SHIPPED, **values}))
    return str(error.value)


def test_the_spec_is_read_from_the_file_without_a_library():
    about = json.loads(metadata_of((MODELS_FOLDER / 'campus.onnx').read_bytes())['descriptor'])
    assert about['backbone'] == 'anchored_mobilenetv2'
    assert metadata_of(b'') == {}


@pytest.mark.parametrize(
    'content', [b'\x72\xff', b'\x0b', b'\xff' * 12, b'\x72\x02\x0a\x05', b'no']
)
def test_bytes_that_are_no_model_are_refused_with_the_name_of_the_file(content, tmp_path):
    file = tmp_path / 'a.onnx'
    file.write_bytes(content)
    with pytest.raises(InputError, match=r'a\.onnx: not a model that'):
        ModelFile.read(DescriptorSpec(('front',), 'onnx', weights=str(file)))


def test_the_only_runtime_that_is_installed_is_taken_without_a_measurement(only, cache):
    only('onnxruntime')
    made = load_extractor(make_config(SHIPPED))
    assert 'ONNX Runtime' in made.words
    assert 'the only one that is installed' in made.words
    assert not cache.exists()


def test_a_runtime_that_is_not_installed_says_what_to_install(only):
    only('onnxruntime')
    said = refused(runtime='openvino')
    assert 'runtime: openvino' in said
    assert 'pip install husky_placerec[openvino]' in said


def test_bfloat16_without_a_runtime_that_has_it_says_what_to_install(only):
    only('onnxruntime')
    assert 'pip install husky_placerec[openvino]' in refused(precision='bfloat16')


@pytest.mark.parametrize(
    ('values', 'expected'),
    [
        ({'runtime': 'tensorrt'}, 'device: cpu; set device: cuda'),
        ({'runtime': 'openvino', 'device': 'cuda'}, 'it runs on the CPU'),
        ({'runtime': 'torch', 'extractor': 'onnx'}, 'set extractor: timm'),
    ],
)
def test_what_does_not_go_together_is_refused(values, expected, monkeypatch):
    monkeypatch.setattr(choice, '_is_installed', lambda name: True)
    assert expected in refused(**values)


@needs('torch', 'timm')
def test_a_network_of_torch_does_not_run_by_another_runtime():
    values = {'extractor': 'timm', 'backbone': 'lcn_cnn', 'weights': 'random'}
    said = refused(**values, runtime='openvino')
    assert 'placerec model export' in said


@needs('torch', 'timm', 'safetensors')
def test_runtime_torch_runs_the_shipped_network_too():
    by_torch = load_extractor(make_config({**SHIPPED, 'runtime': 'torch'}))
    assert 'torch' in by_torch.words
    by_onnx = load_extractor(make_config({**SHIPPED, 'runtime': 'onnxruntime'}))
    assert by_torch.spec == by_onnx.spec
    found, expected = (each.describe(frame(**IMAGES)) for each in (by_torch, by_onnx))
    np.testing.assert_allclose(found, expected, atol=1e-5)


@needs('openvino')
def test_openvino_gives_the_same_descriptors_for_any_number_of_images():
    by_openvino = load_extractor(make_config({**SHIPPED, 'runtime': 'openvino'}))
    by_onnx = load_extractor(make_config({**SHIPPED, 'runtime': 'onnxruntime'}))
    assert 'OpenVINO' in by_openvino.words
    images = blots((192, 112), 5)
    for count in (1, 2, 5):
        found, expected = (
            each._images.describe(images[:count]) for each in (by_openvino, by_onnx)
        )
        np.testing.assert_allclose(found, expected, atol=1e-4)


@needs('openvino')
def test_a_processor_without_bfloat16_takes_float32_and_says_so(monkeypatch):
    from husky_placerec.descriptor.runtimes import openvino_runtime

    monkeypatch.setattr(openvino_runtime, 'has_bfloat16', lambda: False)
    made = load_extractor(make_config({**SHIPPED, 'runtime': 'openvino', 'precision': 'bfloat16'}))
    assert made.spec.precision == 'float32'
    assert 'the processor has no bfloat16, so that float32 is taken' in made.words


def test_the_fastest_way_whose_descriptors_agree_is_the_best():
    agreeing = Measured(WAYS, (3.0, 2.0, 1.0), (0.0, 0.0, MOST_ERROR))
    assert agreeing.best(WAYS) == 2
    apart = Measured(WAYS, (3.0, 2.0, 1.0), (0.0, 0.0, 2 * MOST_ERROR))
    assert apart.best(WAYS) == 1
    assert 'off by e = 0.040' in apart.words(WAYS, 1)


def test_a_measurement_is_kept_and_found_again():
    measured = Measured(WAYS, (3.0, 2.0, 1.0), (0.0, 0.0, 0.01))
    assert recall('key', WAYS) == ''
    remember('key', measured)
    assert recall('key', WAYS) == measured
    assert recall('another key', WAYS) == ''
    assert 'other versions' in recall('key', ('onnxruntime 2 float32',))


def test_a_measurement_of_another_processor_is_made_anew(monkeypatch):
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(measurement, 'processor_name', lambda: 'another one')
        remember('key', Measured(WAYS, (3.0, 2.0, 1.0), (0.0, 0.0, 0.01)))
    assert 'of another processor' in recall('key', WAYS)


@pytest.mark.parametrize('content', ['', '{', '[]', '{"processor": 1}', '{"ways": []}'])
def test_a_damaged_cache_is_made_anew(content):
    remember('key', Measured(WAYS, (3.0, 2.0, 1.0), (0.0, 0.0, 0.01)))
    measurement._file('key').write_text(content)
    assert 'damaged' in recall('key', WAYS) or recall('key', WAYS) == ''


@needs('openvino')
def test_the_second_start_uses_what_the_first_measured():
    config = make_config(SHIPPED)
    assert 'measured now' in load_extractor(config).words
    assert 'measured before' in load_extractor(config).words


def test_the_error_is_relative_to_the_distance_between_places():
    apart = np.eye(3, dtype=np.float32)  # the distance is the root of 2
    near = apart + np.float32(0.01 / np.sqrt(3))
    np.testing.assert_allclose(errors(near, apart), 0.01 / np.sqrt(2), rtol=1e-3)
    assert Trial.of((8, 16, 3), 2, None).frame.shape == (2, 8, 16, 3)
