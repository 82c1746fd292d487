"""Thinning of a drive by distance and angle."""

from husky_placerec.placemap.thinning import Thinning
import numpy as np
import pytest
from support.builders import planar


def kept(poses, **options):
    return np.flatnonzero(Thinning(**options).keep(np.array([p.as_array() for p in poses])))


LINE = [planar(float(x)) for x in range(10)]
TURN = [planar(0.0, yaw_deg=10.0 * i) for i in range(10)]


def test_off_by_default():
    assert len(kept(LINE)) == 10
    assert len(kept([])) == 0


@pytest.mark.parametrize(
    ('every', 'expected'),
    [(0.0, range(10)), (1.0, range(10)), (2.5, [0, 3, 6, 9]), (100.0, [0])],
)
def test_places_are_this_far_apart(every, expected):
    assert kept(LINE, every_m=every).tolist() == list(expected)


def test_a_robot_that_turns_on_the_spot_sees_other_things():
    assert kept(TURN, every_m=2.0).tolist() == [0]
    assert kept(TURN, every_m=2.0, turn_deg=29.0).tolist() == [0, 3, 6, 9]
    assert kept(TURN, turn_deg=29.0).tolist() == [0, 3, 6, 9]
    assert kept(LINE, turn_deg=29.0).tolist() == [0]


def test_angles_are_measured_the_short_way():
    poses = [planar(0.0, yaw_deg=a) for a in (175, 185, 195, 215)]
    assert kept(poses, turn_deg=29.0).tolist() == [0, 3]


def test_a_robot_that_comes_back_sees_the_places_from_the_other_side():
    back = [planar(float(x), yaw_deg=180.0) for x in range(9, -1, -1)]
    assert kept([*LINE, *back], every_m=5.0, turn_deg=90.0).tolist() == [0, 5, 10, 15]


def test_a_map_is_thinned_when_it_is_built(placerec, drives, tmp_path):
    options = '--set', 'extractor=hog', '--every', '8'
    built = placerec('map', 'build', drives[0], tmp_path / 'map', *options)
    assert '7 places' in built.stdout  # of 20, 3 m apart: every third
    assert '7/7' in built.stderr
