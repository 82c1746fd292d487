"""Descriptors: unit vectors that depend on the image, and the spec of what made them."""

from __future__ import annotations

from dataclasses import fields, replace
import json

import cv2
from husky_placerec.config import make_config
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.descriptor.fusion import normalize, turned_round
from husky_placerec.descriptor.preparation import resize
from husky_placerec.descriptor.spec import DEFAULTS, DescriptorSpec, resolve_spec
from husky_placerec.errors import InputError
import numpy as np
import pytest
from support.builders import BACK, frame, FRONT, smooth_image

WITHOUT_TRAINING = pytest.mark.parametrize('name', ['hog', 'pixels'])
# A spec whose fields all differ from the defaults.
FULL = DescriptorSpec(
    cameras=(FRONT, BACK),
    extractor='timm',
    backbone='some_net',
    backbone_options='a=1',
    weights='random',
    weights_sha256='abc',
    normalization='half',
    pooling='netvlad',
    head=5,
    pinhole_focal=99.0,
    fused=('up', 'down'),
    precision='float16',
    preprocessing='AREA',
    fusion='attention',
    input_width=64,
    input_height=48,
    size=7,
)


def extractor(name, cameras=(FRONT, BACK)):
    return load_extractor(make_config({'extractor': name, 'cameras': list(cameras)}))


def describe(name, image):
    return extractor(name, [FRONT]).describe(frame(front=image))[0]


@WITHOUT_TRAINING
@pytest.mark.parametrize('size', [(320, 192), (32, 24), (1280, 720), (101, 333)])
def test_a_descriptor_has_a_unit_vector_per_camera_and_is_deterministic(name, size):
    images = {FRONT: smooth_image(1, *size), BACK: smooth_image(2, *size)}
    made = extractor(name)
    found = made.describe(frame(**images))
    assert found.shape == (2, made.spec.size)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(found, extractor(name).describe(frame(**images)))


@WITHOUT_TRAINING
@pytest.mark.parametrize('order', [(FRONT, BACK), (BACK, FRONT)])
def test_each_camera_has_its_row_in_any_order_of_the_images(name, order):
    images = {FRONT: smooth_image(1), BACK: smooth_image(2)}
    found = extractor(name).describe(frame(**{camera: images[camera] for camera in order}))
    for row, camera in zip(found, (FRONT, BACK), strict=True):
        np.testing.assert_allclose(row, describe(name, images[camera]), atol=1e-6)


@WITHOUT_TRAINING
@pytest.mark.parametrize('absent', [[FRONT], [BACK], [FRONT, BACK]])
def test_an_absent_camera_is_exactly_zero(name, absent):
    images = {FRONT: smooth_image(1), BACK: smooth_image(2)}
    here = {camera: image for camera, image in images.items() if camera not in absent}
    found = extractor(name).describe(frame(**here))
    assert found.any(axis=1).tolist() == [FRONT in here, BACK in here]


@WITHOUT_TRAINING
@pytest.mark.parametrize('value', [0, 255])
def test_an_image_without_texture_gives_finite_values(name, value):
    found = describe(name, np.full((192, 320, 3), value, np.uint8))
    assert np.isfinite(found).all()
    assert np.linalg.norm(found) <= 1 + 1e-5


@pytest.mark.parametrize(('gain', 'offset'), [(0.5, 0), (1, 40), (0.6, 60), (0.3, 5)])
def test_light_changes_a_hog_descriptor_far_less_than_another_place_does(gain, offset):
    for seed in range(3):
        image = smooth_image(seed) // 2 + 20
        lit = (image * gain + offset).clip(0, 255).astype(np.uint8)
        here, same, other = (describe('hog', i) for i in (image, lit, smooth_image(seed + 50)))
        assert 1 - here @ same < 0.1 * (1 - here @ other)


def test_soft_shadows_hardly_change_a_hog_descriptor():
    patches = np.random.default_rng(9).integers(0, 2, (6, 10)).astype(float)
    shadows = cv2.resize(patches, (320, 192), interpolation=cv2.INTER_NEAREST)
    light = 0.3 + 0.7 * cv2.GaussianBlur(shadows, (0, 0), 6)[..., None]
    image = smooth_image(1, cells=60)
    assert describe('hog', image) @ describe('hog', (image * light).astype(np.uint8)) > 0.9


def test_hog_depends_on_edge_directions_and_their_positions():
    stripes = np.zeros((192, 320), np.uint8)
    stripes[:96, ::16], stripes[96:, ::16] = 255, 128
    stripes[::16, :160] = 255
    image = cv2.GaussianBlur(np.dstack([stripes] * 3), (0, 0), 3)
    here = describe('hog', image)
    others = np.rot90(image, 2), image[:, ::-1], cv2.resize(np.rot90(image), (320, 192))
    assert all(here @ describe('hog', np.ascontiguousarray(other)) < 0.9 for other in others)


def test_a_changed_image_changes_only_its_own_row():
    first = extractor('pixels').describe(frame(front=smooth_image(1), back=smooth_image(2)))
    second = extractor('pixels').describe(frame(front=smooth_image(1), back=smooth_image(3)))
    np.testing.assert_array_equal(first[0], second[0])
    assert first[1] @ second[1] < 0.5


def test_pixels_are_grey_values_of_zero_mean():
    image = smooth_image(1, 32, 24, 8)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).ravel().astype(float)
    expected = (grey - grey.mean()) / np.linalg.norm(grey - grey.mean())
    np.testing.assert_allclose(describe('pixels', image), expected, atol=1e-6)


def test_a_camera_outside_the_spec_is_refused():
    with pytest.raises(KeyError):
        extractor('pixels', [FRONT]).describe(frame(back=smooth_image(1)))


@pytest.mark.parametrize(('name', 'size'), [('hog', '320x192'), ('pixels', '32x24')])
def test_an_extractor_of_one_size_refuses_another(name, size):
    with pytest.raises(InputError, match=f'{name}: input size is 999x[0-9]+; expected {size}'):
        load_extractor(make_config({'extractor': name, 'input_width': 999}))


def test_resizing_averages_areas_and_returns_an_image_of_the_right_size_unchanged():
    fine = np.zeros((40, 80, 3), np.uint8)
    fine[::4] = 200
    small = resize(fine, (20, 10))
    assert small.shape == (10, 20, 3)
    assert (small == 50).all()
    assert resize(fine, (80, 40)) is fine


def test_normalizing_keeps_zeros():
    found = normalize(np.array([[3, 4], [0, 0]], np.float32))
    np.testing.assert_allclose(found, [[0.6, 0.8], [0, 0]], rtol=1e-6)


def test_turning_round_swaps_the_rows_of_opposite_cameras():
    rows = np.arange(6).reshape(3, 2)
    assert turned_round(rows, [2, 1, 0]).tolist() == [[4, 5], [2, 3], [0, 1]]


def test_a_spec_survives_json():
    for made in (FULL, DescriptorSpec((FRONT,), 'hog')):
        text = json.dumps(made.as_json())
        assert DescriptorSpec.from_json(json.loads(text), 'map.json') == made
    defaults = DescriptorSpec((), '')
    assert all(getattr(FULL, f.name) != getattr(defaults, f.name) for f in fields(FULL))


@pytest.mark.parametrize('key', ['size', 'colour'])
def test_a_spec_with_missing_or_unknown_keys_is_refused(key):
    values = FULL.as_json()
    if values.pop(key, None) is None:
        values[key] = 1
    with pytest.raises(InputError, match=f'map.json: .*keys: {key}$'):
        DescriptorSpec.from_json(values, 'map.json')


@pytest.mark.parametrize('name', [f.name for f in fields(DescriptorSpec) if f.name != 'weights'])
def test_each_difference_of_two_specs_is_named_with_both_values(name):
    value = {'cameras': (BACK, FRONT), 'extractor': 'hog', 'size': 9}.get(name, 'other')
    found = replace(FULL, **{name: value})
    with pytest.raises(InputError) as caught:
        FULL.require_same(found, 'my map')
    ours = repr(getattr(FULL, name))
    expected = f'my map: made by another descriptor: {name} is {value!r}, the running model has'
    assert str(caught.value) == f'{expected} {ours}'


def test_all_differences_of_two_specs_are_named_at_once():
    with pytest.raises(InputError, match=r'size is 8, .*7') as caught:
        FULL.require_same(replace(FULL, size=8, fusion='mean', weights='hub'), 'my map')
    assert 'fusion' in str(caught.value)
    assert 'weights' not in str(caught.value)


def test_the_source_of_the_weights_does_not_matter():
    FULL.require_same(replace(FULL, weights='hub'), 'my map')


ASKED = {  # values that differ from those of FULL
    'backbone': 'asked_net',
    'backbone_options': 'b=2',
    'weights': 'asked.pth',
    'normalization': 'imagenet',
    'pooling': 'gem:1x3',
    'head': 6,
    'fusion': 'concat',
    'pinhole_focal': 88.0,
    'input_width': 11,
    'input_height': 12,
}


@pytest.mark.parametrize('name', list(ASKED))
def test_the_configuration_beats_the_map(name):
    config = make_config({name: ASKED[name]})
    assert resolve_spec(config, FULL) == replace(FULL, fused=(), **{name: ASKED[name]})
    assert getattr(resolve_spec(config, None), name) == ASKED[name]


def test_the_map_beats_the_defaults():
    assert resolve_spec(make_config({}), FULL) == replace(FULL, fused=())
    assert resolve_spec(make_config({'extractor': 'timm'}), FULL) == replace(FULL, fused=())
    assert all(getattr(FULL, name) != value for name, value in DEFAULTS['timm'].items())


@pytest.mark.parametrize('name', DEFAULTS)
def test_without_a_map_the_defaults_of_an_extractor_apply(name):
    expected = DescriptorSpec((FRONT, BACK), name, **DEFAULTS[name])
    assert resolve_spec(make_config({'extractor': name}), None) == expected


def test_without_a_map_and_a_model_the_shipped_network_serves():
    found = resolve_spec(make_config({}), None)
    assert found == resolve_spec(make_config({'weights': 'shipped'}), None)
    assert (found.extractor, found.weights) == ('onnx', 'shipped')
    named = resolve_spec(make_config({'backbone': 'resnet18'}), None)
    assert (named.extractor, named.weights) == ('timm', 'hub')


def test_an_extractor_other_than_the_maps_takes_nothing_from_the_map():
    found = resolve_spec(make_config({'extractor': 'hog'}), FULL)
    assert found == DescriptorSpec((FRONT, BACK), 'hog', **DEFAULTS['hog'])


def test_a_map_of_an_unknown_extractor_is_refused():
    with pytest.raises(
        InputError, match="no extractor 'sift'; there are: timm, onnx, hub, hog, pixels"
    ):
        resolve_spec(make_config({}), replace(FULL, extractor='sift'))


def test_the_cameras_are_those_of_the_configuration():
    assert resolve_spec(make_config({'cameras': [BACK]}), FULL).cameras == (BACK,)
