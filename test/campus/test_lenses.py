"""Lenses of the simulator: their pictures are those of the model that the bag tells."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.cameras.known import cameras_of
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.lens import lens_view, pixel_rays
from husky_placerec.campus.photographer import Photographer
from husky_placerec.campus.recording import write_track
from husky_placerec.campus.rig import BACK, distorted, DISTORTIONS, FOUR_CAMERAS
from husky_placerec.config import make_config
from husky_placerec.data.source import config_of_source, open_source
from husky_placerec.descriptor.pinhole import VirtualPinhole
from husky_placerec.errors import InputError
import numpy as np
import pytest

NEEDS = ('numba',)

SMALL = DriveConfig(seed=3, length_m=3.0, width=160, height=96)
EYES = ['front', 'left', 'back', 'right']


def lens_of(distortion, size=(160, 96)):
    return distorted([BACK], distortion)[0].lens(*size)


@pytest.mark.parametrize('model', DISTORTIONS)
def test_the_rays_of_the_pixels_come_back_to_them(model):
    lens = lens_of(model)
    x, y = np.meshgrid(np.arange(160) + 0.5, np.arange(96) + 0.5)
    np.testing.assert_allclose(lens.project(pixel_rays(lens)), np.stack([x, y], -1), atol=0.01)


@pytest.mark.parametrize(('model', 'faces'), [('plumb_bob', 1), ('equidistant', 3)])
def test_the_pinhole_pictures_of_a_lens_cover_it(model, faces):
    view = lens_view(lens_of(model))
    assert len(view.faces) == faces
    for number, (_, _, (width, height)) in enumerate(view.faces):
        here = view.face == number
        assert here.any()
        assert (view.x[here] >= 0).all() and (view.x[here] <= width - 1).all()
        assert (view.y[here] >= 0).all() and (view.y[here] <= height - 1).all()


def test_a_fisheye_of_150_degrees_sees_150_degrees():
    assert lens_of('equidistant').field_of_view_deg == pytest.approx(150, abs=2)


@pytest.mark.parametrize(
    ('distortion', 'bent'),
    [('plumb_bob', ['left', 'back', 'right']), ('equidistant:front', ['front'])],
)
def test_the_images_that_a_driver_rectifies_stay_straight_unless_they_are_named(distortion, bent):
    rig = distorted(FOUR_CAMERAS, distortion)
    assert [camera.name for camera in rig if camera.distortion] == bent
    assert all('_rect' not in camera.topic for camera in rig if camera.distortion)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'distortion': 'barrel'}, "distortion is 'barrel'; expected one of plumb_bob"),
        ({'distortion': 'plumb_bob:left'}, 'with one of the cameras front, back'),
        ({'upside_down': 'left'}, "upside_down is 'left'; expected one of front, back"),
        ({'field_of_view_deg': 150.0}, 'field_of_view_deg is 150.0; expected 0.0 to 120.0'),
        ({'four_cameras': True, 'identical_cameras': True}, 'exclude each other'),
    ],
)
def test_cameras_that_cannot_be_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        replace(SMALL, **changes).check()


def seen(config):
    """Return the picture of the back camera through a virtual pinhole that all lenses fill."""
    lens = next(camera for camera in config.rig if camera.name == 'back').known(160, 96).lens
    pinhole = VirtualPinhole({'back': lens}, 0.8, (96, 56))
    picture = Photographer(config).pictures(0)['back']
    return pinhole.resample('back', picture.image).astype(float)


def test_the_pictures_of_all_lenses_show_the_same_through_a_virtual_pinhole():
    plain = seen(SMALL)
    for changes in (
        {'distortion': 'plumb_bob:back'},
        {'distortion': 'equidistant:back'},
        {'distortion': 'rational_polynomial:back', 'upside_down': 'back'},
    ):
        other = seen(replace(SMALL, **changes))
        rows = slice(0, 45)  # without the bumper, which is drawn into the picture
        assert np.abs(plain - other)[rows].mean() < 12, changes
        assert np.abs(plain - other[:, ::-1])[rows].mean() > 20


def test_a_track_and_its_bag_tell_what_the_cameras_are(tmp_path):
    config = replace(
        SMALL, four_cameras=True, distortion='plumb_bob', upside_down='left', step_m=2.0
    )
    write_track(tmp_path / 'track', config, workers=1)
    asked = make_config({'cameras': EYES})
    for path in (tmp_path / 'track', tmp_path / 'track' / 'bag'):
        with open_source(path) as source:
            found, notes = config_of_source(source, asked)
            assert len(next(iter(source.frames(found))).images) == 4
        assert notes == []
        assert [found.camera_config(name).opposite for name in EYES] == [
            *('back', 'right', 'front', 'left')
        ]
        for model in config.rig:
            camera = cameras_of(found)[model.name]
            assert camera.turns == (2 if model.name == 'left' else 0)
            lens, expected = camera.intrinsics, model.lens(160, 96)
            assert [lens.fx, lens.cx, lens.cy] == pytest.approx(
                [expected.fx, expected.cx, expected.cy]
            )
            padded = [(*each.distortion, *[0.0] * 5)[:5] for each in (lens, expected)]
            assert padded[0] == pytest.approx(padded[1])
