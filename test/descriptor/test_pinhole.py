"""The virtual pinhole: through it, cameras of different intrinsics show a place the same."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.cameras.intrinsics import Intrinsics
from husky_placerec.config import make_config
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.descriptor.pinhole import VirtualPinhole
from husky_placerec.errors import InputError
import numpy as np
import pytest
from support.builders import BACK, frame, FRONT, smooth_image

SIZE = (320, 192)
FOCAL = 910.0 / 720 * 192 / 320  # the back camera just covers the whole view
INTRINSICS = {
    f'camera.{name}.{key}': value
    for name, focal in (('front', 683.0), ('back', 910.0))
    for key, value in (('fx', focal), ('width', 1280), ('height', 720))
}


def scene(right, down):
    """Return the grey values of rays; they are smooth, so that resampling hardly changes them."""
    grey = 128 + 60 * np.sin(9 * right + 2) + 50 * np.cos(11 * down + 3 * right)
    return np.repeat(grey[..., None], 3, 2).round().astype(np.uint8)


def photo(lens):
    """Return the image that a camera of these intrinsics takes of the scene."""
    x, y = np.meshgrid(np.arange(lens.width) + 0.5, np.arange(lens.height) + 0.5)
    return scene((x - lens.cx) / lens.fx, (y - lens.cy) / lens.fy)


@pytest.mark.parametrize(
    'lens',
    [
        Intrinsics(683.0, 683.0, 640.0, 360.0, 1280, 720),
        Intrinsics(910.0, 900.0, 655.0, 340.0, 1280, 720),
        Intrinsics(200.0, 210.0, 190.0, 110.0, 400, 230),
    ],
)
def test_every_cameras_image_becomes_the_view_of_the_pinhole(lens):
    expected = photo(Intrinsics(320 * FOCAL, 320 * FOCAL, 160.0, 96.0, *SIZE)).astype(int)
    found = VirtualPinhole({'a': lens}, FOCAL, SIZE).resample('a', photo(lens)).astype(int)
    assert abs(found - expected)[20:-20, 20:-20].mean() < 2


def test_intrinsics_given_for_another_image_size_are_scaled():
    lens = Intrinsics(683.0, 683.0, 640.0, 360.0, 1280, 720)
    half = Intrinsics(341.5, 341.5, 320.0, 180.0, 640, 360)
    views = [
        VirtualPinhole({'a': given}, FOCAL, SIZE).resample('a', photo(half)).astype(int)
        for given in (lens, half)
    ]
    np.testing.assert_array_equal(*views)


@pytest.mark.parametrize('key', ['fx', 'width', 'height'])
def test_the_error_names_a_camera_of_unknown_intrinsics(key):
    values = {**INTRINSICS, f'camera.back.{key}': type(INTRINSICS[f'camera.back.{key}'])(0)}
    with pytest.raises(InputError, match=f'camera.back.{key} is 0, not known'):
        load_extractor(make_config({'extractor': 'hog', 'pinhole_focal': FOCAL, **values}))


def test_a_map_built_without_the_pinhole_or_with_another_is_refused():
    config = make_config({'extractor': 'hog', 'pinhole_focal': FOCAL, **INTRINSICS})
    made = load_extractor(config)
    assert made.spec.pinhole_focal == FOCAL
    assert load_extractor(make_config(INTRINSICS), made.spec).spec == made.spec
    for other in (0.0, 0.9):
        with pytest.raises(InputError, match='pinhole_focal is'):
            made.spec.require_same(replace(made.spec, pinhole_focal=other), 'my map')


def test_every_image_goes_through_the_pinhole():
    values = {'extractor': 'pixels', 'pinhole_focal': 910 / 1280, **INTRINSICS}
    values |= {'camera.front.height': 960, 'camera.back.height': 960}
    made = load_extractor(make_config(values))
    image = smooth_image(1, 1280, 960)
    front, back = made.describe(frame(front=image, back=image))
    plain = load_extractor(make_config({'extractor': 'pixels'})).describe(frame(back=image))[1]
    assert back @ plain > 0.95  # the back camera has the pinhole's field of view
    assert front @ back < 0.9


def test_the_unlike_cameras_of_the_campus_show_a_place_the_same_through_the_pinhole():
    rig = pytest.importorskip('husky_placerec.campus.rig')
    lenses = [
        Intrinsics(*model.intrinsics(1280, 720), 1280, 720) for model in (rig.FRONT, rig.BACK)
    ]
    assert [lens.fx for lens in lenses] == [683.0, 910.0]
    images = dict(zip((FRONT, BACK), map(photo, lenses)))
    plain = load_extractor(make_config({'extractor': 'hog'})).describe(frame(**images))
    values = {'extractor': 'hog', 'pinhole_focal': FOCAL, **INTRINSICS}
    alike = load_extractor(make_config(values)).describe(frame(**images))
    assert plain[0] @ plain[1] < 0.6
    assert alike[0] @ alike[1] > 0.9


def test_each_camera_goes_through_the_pinhole_with_its_own_intrinsics():
    made = load_extractor(make_config({'extractor': 'hog', 'pinhole_focal': FOCAL, **INTRINSICS}))
    found = made.describe(frame(**{BACK: smooth_image(1), FRONT: smooth_image(2)}))
    assert found.any(axis=1).all()
