"""Published networks: their checkpoints load whatever wraps them, and wrong ones are refused."""

from __future__ import annotations

import os
import pickle
import re

from husky_placerec.config import make_config
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.descriptor.published.presets import PRESETS
from husky_placerec.descriptor.spec import DescriptorSpec, resolve_spec
from husky_placerec.errors import InputError
import numpy as np
import pytest
from support.builders import frame, smooth_image
from support.presets import checkpoint_of, network_of, TINY

NEEDS = 'torch', 'timm', 'safetensors'


@pytest.fixture(autouse=True)
def tiny_presets(monkeypatch):
    for name, preset in TINY.items():
        monkeypatch.setitem(PRESETS, name, preset)


@pytest.fixture
def images():
    import torch

    return torch.from_numpy(np.random.default_rng(0).random((2, 3, 42, 70), np.float32))


def saved(state, path):
    import torch

    torch.save(state, path)
    return path


@pytest.mark.parametrize('name', TINY)
def test_a_checkpoint_with_its_authors_names_is_all_of_a_preset(name, tmp_path):
    import torch

    state = checkpoint_of(name)
    network = network_of(name, saved(state, tmp_path / 'a.pth'))
    width, height = TINY[name].input_size
    with torch.inference_mode():
        found = network(torch.rand(3, 3, height, width))
    assert found.shape == (3, TINY[name].size)
    assert float((found[0] - found[1]).norm()) > 1e-3
    key = next(each for each in state if 'bias' in each)
    del state[key]
    with pytest.raises(InputError, match=f'not a checkpoint of preset {name}.*1 missing'):
        network_of(name, saved(state, tmp_path / 'b.pth'))


def test_wrappers_and_half_precision_are_understood(tmp_path):
    from safetensors.torch import save_file
    import torch

    state = checkpoint_of('tiny_cosplace')
    expected = network_of('tiny_cosplace', saved(state, tmp_path / 'plain.pth')).state_dict()
    parallel = {f'module.{key}': value for key, value in state.items()}
    save_file(state, tmp_path / 'safe.safetensors')
    wrapped = {'state_dict': state, 'epoch': 3, 'lr_schedulers': []}
    for file in (
        saved(parallel, tmp_path / 'parallel.pth'),
        saved(wrapped, tmp_path / 'lightning.ckpt'),
        tmp_path / 'safe.safetensors',
    ):
        found = network_of('tiny_cosplace', file).state_dict()
        assert all(torch.equal(found[key], expected[key]) for key in expected)
    half = {
        key: value.half() if value.is_floating_point() else value for key, value in state.items()
    }
    found = network_of('tiny_cosplace', saved(half, tmp_path / 'half.pth')).state_dict()
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value, atol=1e-3, rtol=1e-3)


def test_a_checkpoint_of_another_preset_is_recognised(tmp_path):
    file = saved(checkpoint_of('tiny_salad'), tmp_path / 'salad.ckpt')
    with pytest.raises(InputError, match=r'21 unknown of its 34 keys .*those of salad or'):
        network_of('tiny_boq', file)
    wide = checkpoint_of('tiny_cosplace')
    wide['aggregation.3.weight'] = wide['aggregation.3.weight'].repeat(2, 1)
    with pytest.raises(InputError, match=r'linear\.weight \[16, 64\] instead of \[8, 64\]'):
        network_of('tiny_cosplace', saved(wide, tmp_path / 'wide.pth'))


class Mischief:
    """An object that makes a folder when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, (self.file,)

    def __init__(self, file):
        self.file = str(file)


def test_nothing_in_a_checkpoint_runs(tmp_path):
    evil = tmp_path / 'evil.pth'
    evil.write_bytes(pickle.dumps({'a': Mischief(tmp_path / 'touched')}, protocol=2))
    with pytest.raises(InputError, match=r'evil\.pth: .*pickled objects \(posix\.mkdir'):
        network_of('tiny_cosplace', evil)
    assert not (tmp_path / 'touched').exists()


def test_a_truncated_checkpoint_is_refused(tmp_path):
    file = saved(checkpoint_of('tiny_cosplace'), tmp_path / 'short.pth')
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(InputError, match=r'short\.pth: cannot be read as weights'):
        network_of('tiny_cosplace', file)
    with pytest.raises(InputError, match='no such weights file'):
        network_of('tiny_cosplace', tmp_path / 'none.pth')


@pytest.mark.parametrize(
    ('values', 'expected'),
    [
        ({'preset': 'eigenplace50'}, 'preset eigenplace50: .*did you mean eigenplaces50'),
        ({'preset': 'zzz'}, 'preset zzz: .*there are: cosplace18'),
        (
            {'preset': 'salad', 'input_width': 320},
            '320x196; expected sides multiples of 14, such',
        ),
        ({'preset': 'mixvpr', 'input_width': 322}, '322x320; expected 320x320 only'),
        ({'preset': 'megaloc', 'pooling': 'gem'}, 'megaloc: pooling is given; expected none'),
        ({'preset': 'megaloc', 'extractor': 'onnx'}, 'extractor is onnx; expected timm'),
        ({'preset': 'megaloc', 'weights': 'hub'}, 'weights is hub; expected a file, published'),
    ],
)
def test_the_error_names_what_a_preset_does_not_take(values, expected):
    with pytest.raises(InputError, match=expected):
        resolve_spec(make_config(values), None)


def test_salad_refuses_an_input_with_fewer_patches_than_clusters():
    with pytest.raises(InputError, match='gives 2 patches; expected more than its 3 clusters'):
        network_of('tiny_salad', input_width=28, input_height=14)


def test_a_map_of_one_preset_is_refused_by_another(tmp_path):
    def extractor(name, stored=None):
        file = saved(checkpoint_of(name), tmp_path / f'{name}.pth')
        config = make_config({'preset': name, 'weights': str(file), 'threads': 1})
        return load_extractor(config, stored)

    mapped = extractor('tiny_salad').spec
    extractor('tiny_salad', mapped).spec.require_same(mapped, 'campus.map')
    other = extractor('tiny_megaloc', mapped).spec
    with pytest.raises(InputError, match="is 'tiny_salad', the running model has 'tiny_megaloc'"):
        other.require_same(mapped, 'campus.map')


def test_the_map_of_a_preset_remembers_it(tmp_path):
    file = saved(checkpoint_of('tiny_salad'), tmp_path / 'a.pth')
    given = {'preset': 'tiny_salad', 'weights': str(file), 'input_width': 84, 'threads': 1}
    stored = load_extractor(make_config(given)).spec
    read = DescriptorSpec.from_json(stored.as_json(), 'map')
    again = resolve_spec(make_config({'weights': str(file)}), read)
    assert (again.backbone, again.input_width) == ('tiny_salad', 84)
    by_name = resolve_spec(make_config({'preset': 'tiny_salad'}), read)
    assert (by_name.weights, by_name.input_width) == ('published', 84)


def test_cosplace_is_its_formula(tmp_path):
    import torch

    state = checkpoint_of('tiny_cosplace')
    network = network_of('tiny_cosplace', saved(state, tmp_path / 'a.pth'))
    images = torch.rand(2, 3, 48, 64)
    with torch.inference_mode():
        maps = network.features(images)[0]
        unit = (maps / maps.norm(dim=1, keepdim=True)).clamp(min=1e-6)
        pooled = unit.pow(2.5).mean((-2, -1)).pow(1 / 2.5)
        linear = pooled @ state['aggregation.3.weight'].T + state['aggregation.3.bias']
        expected = linear / linear.norm(dim=1, keepdim=True)
        torch.testing.assert_close(network(images), expected)


def test_salad_takes_the_class_token(tmp_path, images):
    import torch

    network = network_of('tiny_salad', saved(checkpoint_of('tiny_salad'), tmp_path / 'a.pth'))
    with torch.inference_mode():
        features, token = network.features(images)
        found = network(images)[:, :5]
        of_token = torch.nn.functional.normalize(network.pooling.token(token), dim=1)
        of_mean = torch.nn.functional.normalize(
            network.pooling.token(features.mean((-2, -1))), dim=1
        )
        unit = found / found.norm(dim=1, keepdim=True)
    torch.testing.assert_close(unit, of_token)
    assert float((unit - of_mean).norm()) > 1e-2


def test_the_final_norm_of_boq_on_dinov2_is_left_out(images, tmp_path):
    import torch

    network = network_of('tiny_boq', saved(checkpoint_of('tiny_boq'), tmp_path / 'a.pth'))
    with torch.inference_mode():
        features = network.features(images)[0]
    assert float(features.mean(1).abs().max()) > 1e-3  # a layer norm of 1 and 0 would give 0
    assert isinstance(network.backbone.network.norm, torch.nn.Identity)


def cubic(distance):
    """Return the weight of a sample in a cubic convolution with a = -0.75."""
    t, a = np.abs(distance), -0.75
    near = ((a + 2) * t - (a + 3)) * t * t + 1
    far = ((a * t - 5 * a) * t + 8 * a) * t - 4 * a
    return np.where(t <= 1, near, np.where(t < 2, far, 0))


def interpolated(line, count):
    """Interpolate [M, ...] to `count` samples, M / (count + 0.1) apart, with repeated borders."""
    side = len(line)
    at = (np.arange(count) + 0.5) * side / (count + 0.1) - 0.5
    taps = np.floor(at).astype(int)[:, None] + np.arange(-1, 3)
    weights = cubic(at[:, None] - taps)
    return np.einsum('nt,nt...->n...', weights, line[np.clip(taps, 0, side - 1)])


def test_position_embeddings_follow_dinov2s_rule():
    from husky_placerec.descriptor.published.positions import resample_positions
    from timm.layers import resample_abs_pos_embed
    import torch

    embedding = torch.randn(1, 1 + 7 * 7, 4)
    found = resample_positions(embedding, 4, 9)
    grid = embedding[0, 1:].reshape(7, 7, 4).numpy()
    rows = interpolated(grid, 4)
    expected = interpolated(rows.transpose(1, 0, 2), 9).transpose(1, 0, 2)
    np.testing.assert_allclose(found[0, 1:].reshape(4, 9, 4).numpy(), expected, atol=1e-5)
    assert torch.equal(found[:, 0], embedding[:, 0])
    by_timm = resample_abs_pos_embed(embedding, (4, 9))
    assert float((by_timm - found).norm() / found.norm()) > 0.05


def test_a_checkpoints_position_embeddings_are_resampled_at_load(tmp_path):
    from husky_placerec.descriptor.published.positions import resample_positions
    import torch

    state = checkpoint_of('tiny_dinov2')
    network = network_of('tiny_dinov2', saved(state, tmp_path / 'a.pth'))
    found = network.backbone.network.pos_embed
    assert torch.equal(found, resample_positions(state['pos_embed'], 3, 5))
    state['pos_embed'] = torch.zeros(1, 8, 32)
    with pytest.raises(InputError, match=re.escape('pos_embed is [1, 8, 32]; expected [1, 1 + M')):
        network_of('tiny_dinov2', saved(state, tmp_path / 'b.pth'))


@pytest.mark.parametrize('name', ['tiny_boq', 'tiny_megaloc'])
def test_an_exported_preset_searches_the_maps_of_torch(name, tmp_path):
    pytest.importorskip('onnx')
    from husky_placerec.descriptor.onnx_export import export_onnx

    file = saved(checkpoint_of(name), tmp_path / 'a.pth')
    config = make_config({'preset': name, 'weights': str(file), 'threads': 1})
    images = [smooth_image(seed, *TINY[name].input_size) for seed in range(3)]
    path = tmp_path / 'a.onnx'
    assert export_onnx(resolve_spec(config, None), path, images, threads=1) <= 1e-4
    by_torch = load_extractor(config)
    by_onnx = load_extractor(make_config({'weights': str(path), 'threads': 1}), by_torch.spec)
    by_onnx.spec.require_same(by_torch.spec, 'campus.map')
    seen = frame(front=smooth_image(7), back=smooth_image(8))
    np.testing.assert_allclose(by_onnx.describe(seen), by_torch.describe(seen), atol=1e-5)
