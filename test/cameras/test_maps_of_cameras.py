"""Maps by what a bag tells of the cameras: the common view, and the cameras of another robot."""

from __future__ import annotations

from dataclasses import replace
import math

from husky_placerec.cameras.intrinsics import EQUIDISTANT, PLUMB_BOB
from husky_placerec.cli.map_tables import map_table
from husky_placerec.config import make_config
from husky_placerec.errors import InputError
from husky_placerec.operations.build_map import build_map
from husky_placerec.operations.change_map import add_to_map
from husky_placerec.operations.drives import describe_drive
from husky_placerec.placemap.loading import load_map
import numpy as np
import pytest
from rich.console import Console
from support.camera_drives import BACK, FRONT, HUSKY, write_drive

NEEDS = ('numba',)
HOG = {'extractor': 'hog'}
FISHEYE = replace(FRONT, fx=90.0, fy=90.0, model=EQUIDISTANT, distortion=(-0.005, 0.002, 0.0, 0.0))


def built(tmp_path, lenses=HUSKY, told=True, **parameters):
    said = []
    bag = write_drive(tmp_path / 'drive', lenses, told=told)
    config = make_config({**HOG, **parameters})
    build_map(bag, tmp_path / 'map', config=config, warn=said.append)
    return load_map(tmp_path / 'map'), said


def cosines(place_map, tmp_path, lenses, told=True, warn=lambda _: None, **parameters):
    """Return the mean cosine of each camera of another drive with the same places of a map."""
    bag = write_drive(tmp_path / 'other', lenses, told=told)
    config = make_config({**HOG, **parameters})
    drive = describe_drive(bag, config, like=place_map, warn=warn)
    ours, theirs = (np.asarray(each.descriptors, np.float32) for each in (place_map, drive))
    return np.einsum('ncd,ncd->c', ours, theirs) / len(ours)


def test_unlike_cameras_are_resampled_to_one_view_that_the_map_keeps(tmp_path):
    place_map, said = built(tmp_path)
    assert place_map.spec.pinhole_focal == 0.758  # 170.6 / 135 * 192 / 320
    view = (
        'focal length 0.758 widths (67 degrees): the focal length of front is 0.533 widths, '
        'of back 0.711'
    )
    assert said == []
    assert place_map.view == view
    assert place_map.cameras['back'].intrinsics == replace(BACK, distortion=(0.0,) * 5)
    console = Console(width=200)
    with console.capture() as shown:
        console.print(map_table(place_map))
    assert view in shown.get()


def test_cameras_that_are_alike_are_not_resampled(tmp_path):
    place_map, _ = built(tmp_path, {'front': FRONT, 'back': FRONT})
    assert place_map.spec.pinhole_focal == 0
    assert place_map.view == 'none: the views of the cameras are alike'


def test_without_camera_info_nothing_is_resampled_and_the_map_says_why(tmp_path):
    place_map, _ = built(tmp_path, told=False)
    assert place_map.spec.pinhole_focal == 0
    assert place_map.view == 'none: the intrinsics of front, back are not known'


@pytest.mark.parametrize(('pinhole', 'focal'), [('off', 0.0), (False, 0.0), (0.9, 0.9)])
def test_the_user_decides_where_he_says_so(tmp_path, pinhole, focal):
    place_map, _ = built(tmp_path, pinhole=pinhole)
    assert place_map.spec.pinhole_focal == focal


@pytest.mark.parametrize(
    'lens',
    [
        replace(BACK, distortion=(-0.2, 0.04, 1e-3, 1e-3, 0.0)),
        FISHEYE,
        replace(BACK, turns=2),
        replace(BACK, width=135, height=240, cx=67.5, cy=120.0, turns=1),
        BACK.scaled(480, 270),
    ],
    ids=['plumb_bob', 'fisheye', 'upside down', 'sideways', 'twice the resolution'],
)
def test_another_robots_camera_is_brought_to_the_view_of_the_map(tmp_path, lens):
    place_map, _ = built(tmp_path)
    found = cosines(place_map, tmp_path, {'front': FRONT, 'back': lens})
    assert (found > 0.9).all()


def test_without_its_camera_info_another_robots_fisheye_is_not_recognised(tmp_path):
    place_map, _ = built(tmp_path)
    said = []
    found = cosines(
        place_map, tmp_path, {'front': FRONT, 'back': FISHEYE}, told=False, warn=said.append
    )
    assert found[0] > 0.99  # the front camera is that of the map
    assert found[1] < 0.6
    assert said == [
        'the intrinsics of front, back are not known; those that the map was built with are used'
    ]


def test_a_map_without_a_virtual_pinhole_keeps_its_view_for_other_cameras(tmp_path):
    place_map, _ = built(tmp_path, {'front': FRONT, 'back': FRONT})
    wide = replace(FRONT, fx=100.0, fy=100.0)
    found = cosines(place_map, tmp_path, {'front': wide, 'back': FISHEYE})
    assert (found > 0.85).all()
    off = cosines(place_map, tmp_path / 'again', {'front': wide, 'back': FISHEYE}, told=False)
    assert (off < found - 0.2).all()


def test_a_camera_that_fills_too_little_of_the_view_is_refused_by_name(tmp_path):
    built(tmp_path)
    narrow = replace(BACK, fx=300.0, fy=300.0)
    bag = write_drive(tmp_path / 'other', {'front': FRONT, 'back': narrow}, range(6, 12))
    before = (tmp_path / 'map' / 'map.json').read_bytes()
    with pytest.raises(InputError, match=r'^camera back: its images of 44 degrees fill 57 %'):
        add_to_map(tmp_path / 'map', bag, config=make_config(HOG))
    assert (tmp_path / 'map' / 'map.json').read_bytes() == before


def test_images_of_a_camera_upside_down_are_turned_without_a_pinhole_too(tmp_path):
    upright, _ = built(tmp_path, {'front': FRONT, 'back': FRONT})
    place_map, _ = built(tmp_path / 'head', {'front': FRONT, 'back': replace(FRONT, turns=2)})
    assert place_map.spec.pinhole_focal == 0
    one, other = (np.asarray(m.descriptors, np.float32) for m in (upright, place_map))
    assert (np.einsum('ncd,ncd->nc', one, other) > 0.99).all()


def test_a_map_that_knows_nothing_of_its_cameras_turns_no_image(tmp_path):
    place_map, _ = built(tmp_path, {'front': FRONT, 'back': replace(FRONT, turns=2)}, told=False)
    found = cosines(place_map, tmp_path, {'front': FRONT, 'back': replace(FRONT, turns=2)})
    assert (found > 0.99).all()


def test_the_distortion_is_that_of_the_parameters_where_they_give_it(tmp_path):
    lens = {'fx': 128.0, 'width': 240, 'height': 135}
    given = {f'camera.{n}.{key}': v for n in ('front', 'back') for key, v in lens.items()}
    bent = {'camera.back.distortion': '-0.3 0.1 0 0', 'camera.back.distortion_model': PLUMB_BOB}
    place_map, _ = built(tmp_path, told=False, **given, **bent)
    assert 'the distortion of back (plumb_bob' in place_map.view
    assert math.isclose(place_map.cameras['back'].intrinsics.distortion[0], -0.3)
    wrong = make_config({**HOG, **given, 'camera.back.distortion': 'much'})
    with pytest.raises(InputError, match=r"camera\.back\.distortion is 'much'; expected numbers"):
        build_map(tmp_path / 'drive', tmp_path / 'new', config=wrong)
