"""Maps whose frames have different origins on the Earth are merged in the frame of the first."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.placemap.geographic import at_origin_of, pose_of_origin
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.merging import merge_maps
from husky_placerec.placemap.storage import save_map
from husky_placerec.types import GeoOrigin
import numpy as np
import pytest
from support.builders import random_map

NEEDS = ('pymap3d',)

HERE = GeoOrigin(55.90, 37.80, 150.0)
THERE = GeoOrigin(55.91, 37.83, 160.0)  # 2.2 km away


def fixes_of(place_map):
    """Return [N, 3] latitude, longitude and altitude of the places of a map."""
    import pymap3d

    origin = place_map.origin
    there = origin.latitude, origin.longitude, origin.altitude
    return np.stack(pymap3d.enu2geodetic(*place_map.places.poses[:, :3].T, *there), axis=1)


def maps():
    one = replace(random_map(1), origin=HERE, name='one.map')
    other = replace(random_map(2), origin=THERE, name='other.map')
    later = replace(other.places, stamps_ns=other.places.stamps_ns + 10**15)
    return one, replace(other, places=later)


def test_each_place_stays_where_it_is_on_the_earth():
    one, other = maps()
    merged = merge_maps([one, other])
    assert merged.place_map.origin == HERE
    expected = np.vstack([fixes_of(one), fixes_of(other)])
    np.testing.assert_allclose(fixes_of(merged.place_map), expected, rtol=0, atol=1e-8)
    ((name, apart_m),) = merged.moved
    assert name == 'other.map'
    assert apart_m == pytest.approx(2182, abs=1)


def test_up_stays_up_and_north_turns_by_the_convergence_of_the_meridians():
    pose = pose_of_origin(THERE, HERE)
    north, up = pose.rotation.apply([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    # atol: 2.2 km of the Earth's circumference of 40,000 km are 0.02 degrees.
    np.testing.assert_allclose(up, [0, 0, 1], atol=5e-4)
    turned = np.degrees(np.arctan2(-north[0], north[1]))
    assert turned == pytest.approx(0.03 * np.sin(np.radians(55.9)), abs=1e-3)
    assert pose.z == pytest.approx(10.0, abs=0.5)


def test_maps_of_one_origin_or_without_one_stay_as_they_are():
    one, other = maps()
    for each in (replace(other, origin=HERE), replace(other, origin=None)):
        assert at_origin_of(one, each) is each
    assert merge_maps([one, replace(other, origin=HERE)]).moved == ()


def test_the_command_says_which_map_was_moved(placerec, tmp_path):
    for place_map, name in zip(maps(), ('one.map', 'other.map'), strict=True):
        save_map(place_map, tmp_path / name)
    merged = placerec(
        'map', 'merge', tmp_path / 'all.map', tmp_path / 'one.map', tmp_path / 'other.map'
    )
    assert merged.returncode == 0, merged.stderr
    assert 'its geographic origin is 2182 m from that of' in merged.stderr
    assert load_map(tmp_path / 'all.map').origin == HERE
