"""Poses of a drive that are off from those of its map by a constant."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.config import make_config
from husky_placerec.errors import InputError
from husky_placerec.recognition.calibrating.calibrate import calibrate, no_bars
from husky_placerec.recognition.calibrating.leave_out import record_runs, Setting
from husky_placerec.recognition.calibrating.offset import pose_offset
from husky_placerec.recognition.calibrating.samples import DescribedDrive
from husky_placerec.types import SECOND_NS
import numpy as np
import pytest
from support.builders import straight_map

CONFIG = make_config({'extractor': 'pixels'})
COUNT = 30


@pytest.fixture(scope='module')
def place_map():
    return straight_map(COUNT)


def drive(place_map, x=0.0, y=0.0, count=COUNT):
    """Return a second drive whose poses are off."""
    noise = np.random.default_rng(5).normal(0, 0.1, place_map.descriptors.shape)
    seen = place_map.descriptors + noise
    seen /= np.linalg.norm(seen, axis=2, keepdims=True)
    poses = place_map.places.poses + np.array([x, y, 0, 0, 0, 0, 0])
    stamps = 3 * np.arange(COUNT) * SECOND_NS
    return DescribedDrive('second', seen.astype(np.float16), stamps, poses).part(slice(count))


def offset(place_map, *drives):
    return pose_offset([next(record_runs(Setting(place_map, drives), CONFIG, no_bars))])


@pytest.mark.parametrize(('x', 'y'), [(0.0, 40.0), (-20.0, 5.0), (0.0, -6.0)])
def test_an_offset_is_told_as_the_images_see_it(place_map, x, y):
    found = offset(place_map, drive(place_map, x, y))
    assert found.metres == pytest.approx((-x, -y), abs=1.5) and found.share > 0.8
    assert f'second: {100 * found.share:.0f} % of its frames are recognised' in str(found)


def test_poses_that_fit_have_no_offset(place_map):
    assert offset(place_map, drive(place_map, 0.5, 2.0)) is None


def test_an_offset_in_the_frame_of_the_robot_is_of_its_clock(place_map):
    late = drive(place_map, -12.0)
    turned = replace(late, poses=late.poses * [1, 1, 1, 1, 1, 0, 0] + [0, 0, 0, 0, 0, 0.6, 0.8])
    assert not offset(place_map, late).along
    half = late.poses.copy()
    half[::2, 0] += 24.0
    half[::2, 5:] = 1.0, 0.0  # every other frame faces the other way, and lies ahead by as much
    found = offset(place_map, replace(late, poses=half))
    assert found.along and found.metres == pytest.approx((12.0, 0.0), abs=1.5)
    assert not offset(place_map, turned).along


@pytest.mark.parametrize('change', ['few', 'itself', 'unknown', 'scattered'])
def test_without_agreement_there_is_no_offset(place_map, change):
    made = drive(place_map, 0.0, 40.0, count=9 if change == 'few' else COUNT)
    if change == 'itself':
        made = replace(made, itself=True)
    if change == 'unknown':
        made = replace(made, poses=None)
    if change == 'scattered':
        made.poses[:, 1] += np.random.default_rng(1).normal(0, 30, COUNT)
    assert offset(place_map, made) is None


def test_calibrate_tells_of_an_offset(place_map):
    made = calibrate([Setting(place_map, (drive(place_map, 0.0, 6.0),))], CONFIG)
    assert made.grade != 'proven' and made.weakness.startswith('second: ')
    with pytest.raises(InputError, match=r'none of 27 .* -9\.. m in y from their own poses'):
        calibrate([Setting(place_map, (drive(place_map, 9.9, 9.9),))], CONFIG)
