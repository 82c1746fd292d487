"""What is known of the cameras goes along when a drive is converted."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.cameras.intrinsics import EQUIDISTANT
from husky_placerec.cameras.known import cameras_of
from husky_placerec.config import make_config
from husky_placerec.data.camera_file import CAMERA_FILE
from husky_placerec.data.convert import to_bag, to_track
from husky_placerec.data.source import config_of_source, find_trajectory, open_source
from husky_placerec.errors import InputError
import numpy as np
import pytest
from support.camera_drives import BACK, FRONT, write_drive

NEEDS = ('numba',)
FISHEYE = replace(BACK, model=EQUIDISTANT, distortion=(-0.005, 0.002, 0.0, 0.0), turns=2)


def known(path):
    with open_source(path) as source:
        config, notes = config_of_source(source, make_config({}))
    assert notes == []
    return cameras_of(config)


def converted(convert, source, output):
    with open_source(source) as drive:
        rest = (2.0,) if convert is to_track else ()
        poses = find_trajectory(drive, None)
        convert(drive, output, make_config({}), poses, *rest, lambda items, _: items)
    return output


@pytest.fixture(scope='module')
def track(tmp_path_factory):
    folder = tmp_path_factory.mktemp('converted')
    bag = write_drive(folder / 'bag', {'front': FRONT, 'back': FISHEYE}, range(2))
    return converted(to_track, bag, folder / 'track')


def test_a_bag_that_becomes_a_track_and_a_bag_again_keeps_its_cameras(track):
    again = converted(to_bag, track, track.parent / 'again')
    for path in (track, again):
        for name, camera in known(path).items():
            expected = known(track.parent / 'bag')[name]
            assert camera.turns == expected.turns == (2 if name == 'back' else 0)
            np.testing.assert_allclose(
                camera.mounting.as_array(), expected.mounting.as_array(), atol=1e-12
            )
            lens, theirs = camera.intrinsics, expected.intrinsics
            assert (lens.model, lens.width) == (theirs.model, theirs.width)
            assert [lens.fx, lens.cx, *lens.distortion] == pytest.approx(
                [theirs.fx, theirs.cx, *theirs.distortion]
            )


@pytest.mark.parametrize(
    ('old', 'new', 'message'),
    [
        ('image_width: 240', 'image_width: 0', 'front: size is 0x135; expected more than 0'),
        ('[128.0,', '[-128.0,', 'front: focal length fx is -128'),
        ('equidistant', 'atan', "back: distortion model is 'atan'; expected one of"),
        ('front:', 'front: [', 'expected image_width, image_height, camera_matrix'),
    ],
)
def test_a_damaged_camera_file_is_refused_in_a_sentence(track, tmp_path, old, new, message):
    file = track / CAMERA_FILE
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    try:
        with pytest.raises(InputError, match=message) as caught, open_source(track) as source:
            source.found_cameras(make_config({}))
        assert str(caught.value).startswith(str(file))
    finally:
        file.write_text(text)
