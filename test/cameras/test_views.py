"""The view that all cameras share: when it is needed, its focal length, and who fills it."""

from __future__ import annotations

from dataclasses import replace
import math

from husky_placerec.cameras.intrinsics import EQUIDISTANT, Intrinsics, RATIONAL
from husky_placerec.cameras.views import (
    alike,
    choose_view,
    covering_focal,
    filled,
    pinhole_view,
    require_filled,
)
from husky_placerec.errors import InputError
import pytest

SIZE = (192, 112)
FRONT = Intrinsics(683.0, 683.0, 640.0, 360.0, 1280, 720)
BACK = Intrinsics(910.0, 910.0, 640.0, 360.0, 1280, 720)


def fisheye(degrees):
    focal = 640 / math.radians(degrees / 2)
    return replace(FRONT, fx=focal, fy=focal, model=EQUIDISTANT, distortion=(0.0,) * 4)


def of_degrees(degrees):
    focal = 640 / math.tan(math.radians(degrees / 2))
    return replace(FRONT, fx=focal, fy=focal)


def test_unlike_cameras_get_the_shortest_focal_length_that_both_fill():
    choice = choose_view({'front': FRONT, 'back': BACK}, SIZE)
    assert choice.focal == 0.737  # 910 / 720 * 112 / 192: the back camera ends above and below
    assert str(choice) == (
        'focal length 0.737 widths (68 degrees): the focal length of front is 0.534 widths, '
        'of back 0.711'
    )


@pytest.mark.parametrize(('longer', 'needed'), [(1.04, False), (1.06, True)])
def test_focal_lengths_that_differ_by_more_than_5_percent_need_a_virtual_pinhole(longer, needed):
    other = replace(FRONT, fx=FRONT.fx * longer)
    assert bool(choose_view({'front': FRONT, 'back': other}, SIZE).focal) == needed
    assert alike(FRONT, other) != needed


def test_the_same_lens_at_another_resolution_is_alike():
    assert alike(FRONT, FRONT.scaled(640, 360))


@pytest.mark.parametrize(('k1', 'needed'), [(-0.02, False), (-0.1, True)])
def test_distortion_that_moves_the_border_by_more_than_2_percent_needs_one(k1, needed):
    bent = replace(FRONT, distortion=(k1, 0.0, 0.0, 0.0, 0.0))
    assert (bent.border_shift > 0.02) == needed
    choice = choose_view({'front': bent, 'back': bent}, SIZE)
    assert bool(choice.focal) == needed
    assert ('the distortion of front (plumb_bob' in choice.reason) == needed


def test_a_camera_that_is_not_known_is_named():
    choice = choose_view({'front': FRONT, 'back': None}, SIZE)
    assert str(choice) == 'none: the intrinsics of back are not known'


@pytest.mark.parametrize('degrees', [125, 150, 179])
def test_of_a_wide_lens_the_middle_90_to_100_degrees_are_used(degrees):
    focal = covering_focal(fisheye(degrees), SIZE)
    assert 90 <= 2 * math.degrees(math.atan(0.5 / focal)) <= 100
    assert filled(fisheye(degrees), pinhole_view(focal, SIZE)) == 1


@pytest.mark.parametrize(
    'lens',
    [
        FRONT,
        replace(FRONT, cx=560.0),
        replace(FRONT, distortion=(-0.25, 0.05, 1e-3, 1e-3, 0.0)),
        replace(FRONT, model=RATIONAL, distortion=(0.5, -0.2, 0, 0, 0.02, 0.8, -0.1, 0.03)),
        replace(FRONT, turns=1),
        fisheye(110),
    ],
)
def test_the_covering_focal_length_is_the_shortest(lens):
    focal = covering_focal(lens, SIZE)
    edges = [replace(pinhole_view(f, SIZE), width=SIZE[0], height=SIZE[1]) for f in (focal,)]
    assert filled(lens, edges[0]) == 1
    # With a focal length 5 % shorter, a corner or a side of the view is not seen.
    assert not lens.sees(pinhole_view(focal * 0.95, SIZE).rays()).all()


def test_a_camera_that_fills_too_little_of_a_view_is_refused_by_name():
    view = pinhole_view(0.737, SIZE)
    assert filled(of_degrees(60), view) == pytest.approx(0.82, abs=0.01)
    require_filled('front', of_degrees(60), view)
    with pytest.raises(InputError) as caught:
        require_filled('front', of_degrees(50), view)
    assert str(caught.value) == (
        'camera front: its images of 50 degrees fill 66 % of the width or height of the view of '
        '68 degrees that the map has; expected at least 70 %: use a wider lens, or a map of a '
        'longer pinhole_focal'
    )
