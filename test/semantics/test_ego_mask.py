"""The robot itself in the images of a camera: polygons and pictures."""

from __future__ import annotations

from husky_placerec.errors import InputError
from husky_placerec.semantics.ego_mask import EgoMask
import numpy as np
import pytest
from support.builders import encode

NAME = 'camera.front.ego_mask'


def test_polygons_are_shares_of_any_image():
    mask = EgoMask.parse('0,0.75 1,0.75 1,1 0,1; 0,0 0.25,0 0.25,0.5 0,0.5', NAME)
    for size in ((40, 80), (360, 640)):
        hidden = mask.hidden(size)
        expected = np.zeros(size, bool)
        expected[size[0] * 3 // 4 :] = True
        expected[: size[0] // 2, : size[1] // 4] = True
        # A border of a pixel may fall to either side.
        assert (hidden != expected).mean() < 2 / 40
        assert not hidden[size[0] // 4, size[1] // 2]
        assert hidden[-1, 0]
        assert hidden[0, 0]


def test_a_picture_hides_what_is_not_black_in_it(tmp_path):
    picture = np.zeros((20, 40, 3), np.uint8)
    picture[15:] = 200, 0, 0
    (tmp_path / 'front.png').write_bytes(encode(picture))
    hidden = EgoMask.parse(str(tmp_path / 'front.png'), NAME).hidden((40, 80))
    assert hidden[30:].all()
    assert not hidden[:30].any()


def test_nothing_is_hidden_by_an_empty_text():
    assert EgoMask.parse(' ', NAME) is None


@pytest.mark.parametrize(
    'text', ['0,0 1,1', '0,0 1,0 1,2', '0 0 1 1', '0,0,0 1,0,0 1,1,0', 'nowhere.png', __file__]
)
def test_what_is_neither_is_refused_with_the_name_of_the_parameter(text):
    with pytest.raises(InputError, match=r'camera\.front\.ego_mask.*expected x,y of three'):
        EgoMask.parse(text, NAME)
