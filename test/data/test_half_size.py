"""A JPEG that is needed at half its size or less is decoded at half its size."""

from __future__ import annotations

from functools import partial

import cv2
from husky_placerec.config import make_config
from husky_placerec.data.images import decode_file
from husky_placerec.descriptor.preparation import needed_by, Preparation
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.session import Session
from husky_placerec.types import Frame
import numpy as np
import pytest
from support.builders import smooth_image
from support.sessions import FakeRecognizer

PICTURE = smooth_image(1, 640, 360)  # width and height
SPEC = DescriptorSpec(('front', 'back'), 'hog', input_width=320, input_height=180)
INTRINSICS = {'fx': 320.0, 'width': 640, 'height': 360}


def encoded(form):
    return cv2.imencode(form, PICTURE[..., ::-1])[1].tobytes()


@pytest.mark.parametrize(
    ('form', 'needed', 'expected'),
    [
        ('.jpg', (320, 180), (180, 320)),
        ('.jpg', (32, 18), (180, 320)),
        ('.jpg', (321, 180), (360, 640)),
        ('.jpg', (10, 181), (360, 640)),
        ('.png', (32, 18), (360, 640)),
    ],
)
def test_only_a_jpeg_is_halved_and_only_where_that_is_enough(form, needed, expected):
    found = decode_file(encoded(form), form, needed=lambda width, height: needed)
    assert found.shape[:2] == expected
    assert decode_file(encoded(form), form).shape == PICTURE.shape


def test_an_image_of_odd_size_is_not_halved():
    content = cv2.imencode('.jpg', PICTURE[:-1])[1].tobytes()
    found = decode_file(content, 'jpeg', needed=lambda width, height: (32, 18))
    assert found.shape == (359, 640, 3)


def test_the_half_of_an_image_shows_the_same():
    content = encoded('.jpg')
    half = decode_file(content, 'jpeg', needed=lambda width, height: (160, 90))
    whole = decode_file(content, 'jpeg')
    small = [cv2.resize(i, (160, 90), interpolation=cv2.INTER_AREA) for i in (half, whole)]
    assert np.abs(small[0].astype(int) - small[1]).mean() < 1.0


def test_the_needed_size_is_that_before_an_image_is_turned():
    plain = Preparation((320, 180))
    turned = Preparation((320, 180), turns={'front': 1, 'back': 2})
    assert plain.needed('front', 1280, 720) == (320, 180)
    assert turned.needed('front', 1280, 720) == (180, 320)
    assert turned.needed('back', 1280, 720) == (320, 180)
    assert needed_by(make_config({}), plain, turned)('front', 1280, 720) == (320, 320)


def test_a_wide_lens_needs_more_of_its_image_than_the_view_has_pixels():
    cameras = {f'camera.{c}.{k}': v for c in SPEC.cameras for k, v in INTRINSICS.items()}
    config = make_config({**cameras, 'extractor': 'hog', 'pinhole_focal': 0.9})
    wide = Preparation.of(SPEC.__class__(**{**vars(SPEC), 'pinhole_focal': 0.9}), config)
    # The view has 0.9 * 320 px of focal length, the image 320 px in 640 px of width.
    assert wide.needed('front', 640, 360) == (576, 324)
    image = wide('front', np.zeros((360, 640, 3), np.uint8))
    assert image.shape == (180, 320, 3)


def test_a_session_tells_its_decoder_what_each_camera_needs():
    asked = {}

    def decode(message, needed):
        asked[message] = needed(1280, 720)
        return np.zeros((4, 4, 3), np.uint8)

    session = Session(FakeRecognizer(), make_config({}), decode=decode)
    session._needs = needed_by(make_config({}), Preparation((320, 180), turns={'back': 1}))
    names = 'front', 'back'
    session._decoded(Frame(1, {n: n for n in names}, dict.fromkeys(names, 1)))
    assert asked == {'front': (320, 180), 'back': (180, 320)}
    assert partial(session._needs, 'front')(1, 1) == (320, 180)
