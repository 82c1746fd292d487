"""The intrinsics in a CameraInfo: of the images as they come, and where the message is."""

from __future__ import annotations

from husky_placerec.cameras.camera_info import (
    fitted,
    info_topics,
    intrinsics_of,
    is_rectified,
)
from husky_placerec.cameras.intrinsics import EQUIDISTANT, Intrinsics
from husky_placerec.errors import InputError
import numpy as np
import pytest
from support.camera_messages import camera_info, roi


def lens_of(rectified=False, **changes):
    return intrinsics_of(camera_info(**changes), 'here', rectified=rectified)


def test_the_principal_point_is_counted_from_the_edge_of_the_first_pixel():
    assert lens_of() == Intrinsics(683, 683, 640, 360, 1280, 720, distortion=(0.0,) * 5)


def test_binning_and_a_region_of_interest_are_those_of_the_whole_sensor():
    lens = lens_of(binning_x=2, binning_y=3, roi=roi(100, 60, 1000, 600))
    assert lens == Intrinsics(341.5, 683 / 3, 270, 100, 500, 200, distortion=(0.0,) * 5)


def test_a_rectified_image_has_the_intrinsics_of_p_and_no_distortion():
    p = np.array([600, 0, 650, 0, 0, 610, 350, 0, 0, 0, 1.0, 0])
    bent = {'p': p, 'd': np.array([-0.3, 0.1, 0, 0, 0])}
    assert lens_of(True, **bent) == Intrinsics(600, 610, 650.5, 350.5, 1280, 720)
    assert lens_of(False, **bent).distortion == (-0.3, 0.1, 0, 0, 0)
    assert lens_of(True, p=np.zeros(12)).fx == 683  # a driver that leaves out P


def test_the_model_of_the_distortion_is_taken_over():
    fish = {'distortion_model': EQUIDISTANT, 'd': np.array([0.1, 0, 0, 0])}
    assert (lens_of(**fish).model, lens_of(**fish).distortion) == (EQUIDISTANT, (0.1, 0, 0, 0))
    assert lens_of(distortion_model='', d=np.zeros(0)).is_straight


def test_all_zeros_are_not_known():
    zeros = {'k': np.zeros(9), 'p': np.zeros(12)}
    assert lens_of(**zeros) is None
    assert lens_of(True, **zeros) is None


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'focal': 0.0}, 'focal length fx is 0'),
        ({'focal': -683.0}, 'focal length fx is -683'),
        ({'focal': np.nan}, 'focal length fx is nan'),
        ({'d': np.zeros(3)}, '3 coefficients of plumb_bob; expected 0 or 4 or 5'),
        ({'distortion_model': 'atan'}, "distortion model is 'atan'; expected one of"),
        ({'distortion_model': '', 'd': np.ones(5)}, "distortion model is ''; expected one of"),
        ({'size': (0, 0)}, 'size is 0x0'),
    ],
)
def test_values_that_cannot_be_are_refused(changes, message):
    with pytest.raises(InputError, match=f'^here: {message}'):
        lens_of(**changes)


def test_images_of_another_size_are_resized_ones_or_refused():
    lens = lens_of()
    assert fitted(lens, (1280, 720), 'here') == (lens, '')
    half, note = fitted(lens, (640, 360), 'here')
    assert (half.fx, half.cx, half.width) == (341.5, 320, 640)
    assert note == (
        'here: it is of images of 1280x720; those that came, 640x360, are taken for the same, '
        'resized'
    )
    with pytest.raises(InputError, match=r'1280x720.* but those that came are 640x480; expected'):
        fitted(lens, (640, 480), 'here')


@pytest.mark.parametrize(
    ('topic', 'transport', 'expected'),
    [
        ('/zed/left/image_rect_color/compressed', 'compressed', '/zed/left/camera_info'),
        ('camera/image_raw', 'raw', 'camera/camera_info'),
        ('sensors/camera_0/color/compressed', 'compressed', 'sensors/camera_0/color/camera_info'),
        ('image', 'raw', 'camera_info'),
        ('image', 'compressed', 'camera_info'),
    ],
)
def test_the_camera_info_is_beside_the_images(topic, transport, expected):
    assert info_topics(topic, transport)[0] == expected


def test_a_rectified_topic_is_known_by_its_name():
    assert is_rectified('/zed_node/left/image_rect_color/compressed')
    assert is_rectified('/camera/image_rect')
    assert not is_rectified('/rectory_rect/cam/image_raw')
    assert not is_rectified('/direct/image_raw/compressed')
