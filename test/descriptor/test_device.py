"""The device that runs a network: the one asked for, or an error that says what to do."""

from __future__ import annotations

from importlib.util import find_spec

from husky_placerec.config import make_config
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.errors import InputError
from husky_placerec.evaluation.baselines import baselines
import pytest
from support.builders import frame, smooth_image, write_track_folder

SHIPPED = {'weights': 'shipped', 'threads': 1}
BY_TORCH = {**SHIPPED, 'extractor': 'timm'}
CUDA = {'device': 'cuda'}
IMAGES = {'front': smooth_image(1, 224, 384), 'back': smooth_image(2, 224, 384)}


@pytest.fixture
def runtime(monkeypatch):
    """Return ONNX Runtime as it is on a machine without a GPU."""
    onnxruntime = pytest.importorskip('onnxruntime')
    if 'CUDAExecutionProvider' in onnxruntime.get_available_providers():
        monkeypatch.setattr(
            onnxruntime, 'get_available_providers', lambda: ['CPUExecutionProvider']
        )
    return onnxruntime


@pytest.fixture
def torch(monkeypatch):
    """Return torch as it is on a machine without a GPU."""
    torch = pytest.importorskip('torch')
    if not find_spec('timm'):
        pytest.skip('needs the extra [timm]')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    return torch


def test_the_default_device_is_the_cpu(runtime):
    config = make_config({**SHIPPED, 'runtime': 'onnxruntime'})
    session = load_extractor(config)._images.runtime.session
    assert session.get_providers() == ['CPUExecutionProvider']


def test_the_error_names_the_providers_of_an_onnx_runtime_without_cuda(runtime):
    with pytest.raises(InputError) as refused:
        load_extractor(make_config({**SHIPPED, **CUDA}))
    words = 'parameter device: cuda', 'CPUExecutionProvider', 'onnxruntime-gpu', 'device: cpu'
    assert all(word in str(refused.value) for word in words), refused.value


@pytest.mark.filterwarnings('ignore:Specified provider')
def test_a_session_that_fell_back_to_the_cpu_is_refused(runtime, monkeypatch):
    """ONNX Runtime falls back if the driver or cuDNN is not the one that it was built for."""
    has = ['CUDAExecutionProvider', 'CPUExecutionProvider']
    monkeypatch.setattr(runtime, 'get_available_providers', lambda: has)
    with pytest.raises(InputError, match=r'could not start CUDA.*would run on CPUExecutionP'):
        load_extractor(make_config({**SHIPPED, **CUDA}))


def test_the_error_names_a_torch_without_cuda(torch):
    with pytest.raises(InputError) as refused:
        load_extractor(make_config({**BY_TORCH, **CUDA}))
    words = 'parameter device: cuda', 'is_available() is False', 'CUDA build', 'device: cpu'
    assert all(word in str(refused.value) for word in words), refused.value


def test_network_and_images_go_to_the_device(torch, monkeypatch):
    """Use `meta` as the GPU: its tensors have no values, and do not mix with the CPU's."""
    from husky_placerec.descriptor import torch_extractor

    monkeypatch.setattr(torch_extractor, '_device', lambda _: torch.device('meta'))
    made = load_extractor(make_config(BY_TORCH))
    assert {p.device.type for p in made._images.network.parameters()} == {'meta'}
    seen = []
    made._images.network.register_forward_pre_hook(
        lambda _, given: seen.append(given[0].device.type)
    )
    with pytest.raises((NotImplementedError, RuntimeError)):  # there are no values to copy back
        made.describe(frame(**IMAGES))
    assert seen == ['meta']


@pytest.mark.parametrize('name', ['hog', 'pixels'])
def test_an_extractor_without_a_network_refuses_a_gpu(name):
    with pytest.raises(InputError, match=f'device: cuda, but extractor {name} has no network'):
        load_extractor(make_config({'extractor': name, **CUDA}))


def test_the_baselines_without_a_network_stay_on_the_cpu(runtime):
    found, _ = baselines(make_config({'weights': 'random', **CUDA}))
    assert {name: each.device for name, each in found.items()} == {
        'grey pixels': 'cpu',
        'HOG': 'cpu',
    }


@pytest.mark.parametrize('value', ['gpu', 'cuda:1', ''])
def test_an_unknown_device_is_refused(value):
    with pytest.raises(InputError, match=r'device is .* expected one of cpu, cuda'):
        make_config({'device': value})


def test_a_map_is_built_only_on_the_device_that_was_asked_for(runtime, tmp_path, placerec):
    track = write_track_folder(tmp_path / 'track')
    shipped = '-s', 'weights=shipped', '--set'
    ended = placerec('map', 'build', track, tmp_path / 'a.map', *shipped, 'device=cuda')
    assert ended.returncode == 2
    assert 'parameter device: cuda' in ' '.join(ended.stderr.split())
    assert not (tmp_path / 'a.map').exists()
    ended = placerec('map', 'build', track, tmp_path / 'a.map', *shipped, 'device=cpu')
    assert ended.returncode == 0, ended.stderr


def test_the_device_is_not_part_of_the_spec(runtime):
    assert 'device' not in load_extractor(make_config(SHIPPED)).spec.as_json()
