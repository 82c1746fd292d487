"""Bearings of pixels: every lens model, mountings, and cameras that are not calibrated."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.cameras.intrinsics import EQUIDISTANT, PLUMB_BOB, RATIONAL
from husky_placerec.cameras.known import KnownCamera
from husky_placerec.errors import InputError
from husky_placerec.metric.rig import Rig, RigCamera, tangents
import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from support.landmark_worlds import camera, known_cameras, NAMES

MODELS = {
    PLUMB_BOB: (-0.2, 0.05, 0.0008, -0.0005, 0.0),
    RATIONAL: (0.3, 0.02, 0.0008, -0.0005, 0.0, 0.5, 0.05, 0.0),
    EQUIDISTANT: (-0.005, 0.002, 0.0, 0.0),
}


@pytest.mark.parametrize('model', ['', *MODELS])
def test_a_bearing_is_the_ray_that_the_lens_projects_to_the_pixel(model):
    known = camera(yaw=30.0)
    lens = replace(known.intrinsics, model=model, distortion=MODELS[model]) if model else None
    each = RigCamera('front', lens or known.intrinsics, known.mounting)
    pixels = np.random.default_rng(0).uniform((60, 40), (580, 320), (50, 2))
    bearings = each.bearings(pixels, 640, 360)
    assert np.linalg.norm(bearings, axis=1) == pytest.approx(1)
    back = each.lens.project(known.mounting.rotation.inv().apply(bearings))
    np.testing.assert_allclose(back, pixels, atol=0.02)


def test_images_of_another_size_have_the_same_bearings():
    each = RigCamera('front', camera().intrinsics, camera().mounting)
    pixels = np.array([[100.0, 80.0], [400.0, 300.0]])
    half = each.bearings(pixels / 2, 320, 180)
    np.testing.assert_allclose(half, each.bearings(pixels, 640, 360), atol=1e-12)
    assert each.focal_px(320) == pytest.approx(each.focal_px(640) / 2)


@pytest.mark.parametrize('turns', [1, 2, 3])
def test_a_camera_that_is_not_upright_sees_the_same_direction(turns):
    known = camera()
    each = RigCamera('front', known.intrinsics, known.mounting)
    turned = replace(each, turns=turns)
    raw = np.zeros((360, 640))
    raw[70, 500] = 1.0
    upright = np.rot90(raw, turns)
    (row,), (column,) = np.nonzero(upright)
    height, width = upright.shape
    found = turned.bearings(np.array([[column + 0.5, row + 0.5]]), width, height)
    np.testing.assert_allclose(found, each.bearings(np.array([[500.5, 70.5]]), 640, 360))


def test_a_fisheye_has_no_bearing_at_its_steepest_rim():
    lens = replace(camera(200.0).intrinsics, model=EQUIDISTANT, distortion=(0.0,) * 4)
    each = RigCamera('front', lens, camera().mounting)
    found = each.bearings(np.array([[320.0, 180.0], [638.0, 180.0]]), 640, 360)
    assert np.isfinite(found[0]).all() and np.isnan(found[1]).all()


def test_tangents_are_across_the_bearing_and_each_other():
    bearings = Rotation.random(30, random_state=1).apply([0.0, 0.0, 1.0])
    found = np.concatenate([tangents(bearings), bearings[:, None]], axis=1)
    np.testing.assert_allclose(
        found @ found.transpose(0, 2, 1), np.eye(3) + np.zeros((30, 3, 3)), atol=1e-12
    )


def test_what_is_not_known_of_a_camera_is_named():
    cameras = known_cameras()
    cameras['back'] = KnownCamera(cameras['back'].intrinsics, None)
    with pytest.raises(InputError, match='drive_1: mounting of back not known'):
        Rig.of(NAMES, cameras, 'drive_1')
    with pytest.raises(InputError, match='intrinsics and mounting of front, mounting of back'):
        Rig.of(NAMES, {'back': cameras['back']}, 'drive_1')
