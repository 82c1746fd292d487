"""The model of a camera: where rays come to in its image, and what cannot be one."""

from __future__ import annotations

from dataclasses import replace
import math

import cv2
from husky_placerec.cameras.intrinsics import (
    checked,
    EQUIDISTANT,
    Intrinsics,
    PLUMB_BOB,
    RATIONAL,
    turned,
)
from husky_placerec.errors import InputError
import numpy as np
import pytest

PLAIN = Intrinsics(683.0, 690.0, 615.0, 345.0, 1280, 720)
LENSES = {
    'straight': PLAIN,
    'plumb_bob': replace(PLAIN, distortion=(-0.3, 0.1, 0.002, -0.001, -0.01)),
    'rational': replace(
        PLAIN, model=RATIONAL, distortion=(0.5, -0.2, 1e-3, 5e-4, 0.02, 0.8, -0.1, 0.03)
    ),
    'equidistant': replace(
        PLAIN, fx=450.0, fy=455.0, model=EQUIDISTANT, distortion=(-0.02, 0.01, -0.003, 2e-4)
    ),
}


def rays(count=200, steepest_deg=40.0):
    rng = np.random.default_rng(4)
    angle, around = rng.uniform(0, [math.radians(steepest_deg), 2 * math.pi], (count, 2)).T
    away = np.sin(angle)
    return np.stack([away * np.cos(around), away * np.sin(around), np.cos(angle)], axis=-1)


@pytest.mark.parametrize('name', LENSES)
def test_rays_come_to_the_pixels_that_opencv_gives(name):
    lens, seen = LENSES[name], rays()
    k = np.array([[lens.fx, 0, lens.cx], [0, lens.fy, lens.cy], [0, 0, 1.0]])
    still = np.zeros(3)
    if lens.model == EQUIDISTANT:
        expected, _ = cv2.fisheye.projectPoints(
            seen[:, None], still, still, k, np.array(lens.distortion)
        )
    else:
        expected, _ = cv2.projectPoints(
            seen, still, still, k, np.array(lens.distortion or [0] * 4)
        )
    np.testing.assert_allclose(lens.project(seen), expected.reshape(-1, 2), atol=1e-6)


def test_a_fisheye_sees_behind_the_plane_that_a_pinhole_ends_at():
    lens = Intrinsics(400.0, 400.0, 800.0, 800.0, 1600, 1600, EQUIDISTANT, (0.0,) * 4)
    beside = np.array([math.sin(1.8), 0.0, math.cos(1.8)])  # 103 degrees from ahead
    np.testing.assert_allclose(lens.project(beside), [800 + 400 * 1.8, 800])
    assert not PLAIN.sees(beside)


def test_a_polynomial_that_folds_back_sees_nothing_beyond_the_fold():
    lens = replace(PLAIN, distortion=(-0.3, 0.0, 0.0, 0.0, 0.0))  # grows up to r = 1.054
    near, far = math.atan(1.0), math.atan(1.7)
    assert lens.sees(np.array([0.0, math.sin(near) * 0.2, math.cos(near)]))
    assert np.isnan(lens.project(np.array([math.sin(far), 0.0, math.cos(far)]))).all()


@pytest.mark.parametrize('turns', range(4))
def test_an_image_that_is_turned_upright_shows_the_rays_of_the_upright_camera(turns):
    # One bright pixel in the image as it comes; its place after the turn is where the ray is.
    lens = replace(Intrinsics(50.0, 60.0, 18.0, 13.0, 40, 30), turns=turns)
    ray = np.array([0.11, 0.06, 1.0]) @ turned(turns).T  # the same ray, upright
    x, y = lens.project(ray)
    image = np.zeros((30, 40))
    image[int(y), int(x)] = 1
    row, column = np.argwhere(np.rot90(image, turns))[0]
    up = lens.upright
    assert (up.width, up.height) == np.rot90(image, turns).shape[::-1]
    expected = up.fx * ray[0] + up.cx, up.fy * ray[1] + up.cy
    assert (column, row) == (int(expected[0]), int(expected[1]))


def test_the_field_of_view_is_that_of_the_width():
    straight = Intrinsics(640.0, 640.0, 640.0, 360.0, 1280, 720)
    assert straight.field_of_view_deg == pytest.approx(90, abs=0.5)
    assert replace(straight, turns=1).field_of_view_deg == pytest.approx(58.7, abs=0.5)
    fisheye = replace(
        straight, fx=640 / math.radians(75), model=EQUIDISTANT, distortion=(0.0,) * 4
    )
    assert fisheye.field_of_view_deg == pytest.approx(150, abs=0.5)


def test_the_shift_of_the_border_is_in_widths_of_the_image():
    assert PLAIN.border_shift == pytest.approx(0)
    pull = replace(PLAIN, distortion=(-0.02, 0.0, 0.0, 0.0))
    corner = np.array([665 / 683, 375 / 690])  # the furthest from the middle
    expected = 0.02 * corner @ corner * np.linalg.norm(corner * [683, 690]) / 1280
    assert pull.border_shift == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'fx': 0.0}, 'here: focal length fx is 0; expected more than 0'),
        ({'fy': -3.0}, 'here: focal length fy is -3; expected more than 0'),
        ({'fx': math.nan}, 'here: focal length fx is nan; expected more than 0'),
        ({'cx': math.inf}, 'here: principal point is inf, 345; expected numbers'),
        ({'width': 0}, 'here: size is 0x720; expected more than 0'),
        ({'model': 'ftheta'}, "here: distortion model is 'ftheta'; expected one of plumb_bob"),
        ({'distortion': (0.1,) * 3}, 'here: 3 coefficients of plumb_bob; expected 0 or 4 or 5'),
        ({'model': EQUIDISTANT}, 'here: 0 coefficients of equidistant; expected 4'),
        (
            {'model': RATIONAL, 'distortion': (0.1,) * 5},
            'here: 5 coefficients of rational_polynomial; expected 0 or 8',
        ),
        ({'distortion': (0.1, math.nan, 0, 0)}, 'here: a coefficient of distortion is not finite'),
    ],
)
def test_intrinsics_that_cannot_be_are_refused_in_a_sentence(change, message):
    assert checked(PLAIN, 'here') is PLAIN
    with pytest.raises(InputError) as caught:
        checked(replace(PLAIN, **change), 'here')
    assert str(caught.value).startswith(message)


def test_scaling_keeps_the_rays():
    half = LENSES[PLUMB_BOB].scaled(640, 360)
    np.testing.assert_allclose(half.project(rays()) * 2, LENSES[PLUMB_BOB].project(rays()))
