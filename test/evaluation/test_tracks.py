"""Drives before they are compared: names, tags, and whether they can be compared."""

from __future__ import annotations

from pathlib import Path

from husky_placerec.errors import InputError
from husky_placerec.evaluation.tags import parse_tags, Tags, tags_of
from husky_placerec.evaluation.tracks import check_comparable, Track, unlike_names
import numpy as np
import pytest


def track(name, x=0.0, frame_id='map', count=30):
    """Make a drive eastwards from x, a frame a metre."""
    poses = np.zeros((count, 7))
    poses[:, 0], poses[:, 6] = x + np.arange(count), 1
    stamps = np.arange(count)
    path = Path(name)
    return Track(name, path, frame_id, stamps, stamps, stamps[:, None], poses, Tags())


@pytest.mark.parametrize(
    ('name', 'season', 'light'),
    [
        ('00_2023-02-21', 'winter', 'day'),
        ('02_2023-02-10', 'winter', 'twilight'),
        ('08_2023-10-11-night', 'autumn', 'night'),
        ('winter_dusk', 'winter', 'twilight'),
        ('autumn_overcast', 'autumn', 'day'),
        ('summer_day_2', 'summer', 'day'),
        ('night', '', 'night'),
        ('Fall-Night', 'autumn', 'night'),
        ('my_bag', '', ''),
        ('today', '', ''),
    ],
)
def test_a_name_tells_season_and_light(name, season, light):
    assert tags_of(name) == Tags(season, light)


def test_the_user_may_say_season_and_light():
    assert parse_tags(['lap=Winter,night', 'other=dusk']) == {
        'lap': Tags('winter', 'night'),
        'other': Tags('', 'twilight'),
    }


@pytest.mark.parametrize('option', ['lap', 'lap=', 'lap=monsoon', 'lap=winter;night'])
def test_malformed_tags_are_refused(option):
    with pytest.raises(InputError, match='expected TRACK=WORD') as refused:
        parse_tags([option])
    assert 'twilight' in str(refused.value)


@pytest.mark.parametrize(
    ('paths', 'names'),
    [
        (['data/a', 'data/b.mcap'], ['a', 'b']),
        (['monday/bag', 'tuesday/bag'], ['monday_bag', 'tuesday_bag']),
        (['lap.mcap', 'lap.db3'], ['lap.mcap', 'lap.db3']),
    ],
)
def test_names_are_the_shortest_that_differ(paths, names):
    assert unlike_names([Path(path) for path in paths]) == names


def test_a_drive_is_not_compared_with_itself():
    with pytest.raises(InputError, match='given 2 times'):
        unlike_names([Path('a/../b'), Path('b')])


def test_a_local_frame_beside_utm():
    with pytest.raises(InputError) as refused:
        check_comparable([track('lap_1'), track('lap_2', x=6_200_000)], 25.0)
    for word in ('lap_1', 'lap_2', 'different frames', '6,200 km'):
        assert word in str(refused.value)


def test_frames_that_have_different_names():
    with pytest.raises(InputError, match=r"lap_1 .*'map', lap_2 in 'odom'"):
        check_comparable([track('lap_1'), track('lap_2', frame_id='odom')], 25.0)
    assert check_comparable([track('lap_1'), track('lap_2', frame_id='')], 25.0) == []


def test_drives_that_do_not_meet():
    with pytest.raises(InputError, match=r'lap_1 and lap_2 do not overlap.* 471 m apart'):
        check_comparable([track('lap_1'), track('lap_2', x=500)], 25.0)


def test_a_drive_that_does_not_meet_the_others_is_returned():
    far = track('lap_3', x=500)
    assert check_comparable([track('lap_1'), track('lap_2', x=5), far], 25.0) == [
        ('lap_1', 'lap_3', 471.0),
        ('lap_2', 'lap_3', 466.0),
    ]


def test_the_largest_tolerance_is_what_counts_as_meeting():
    pair = [track('lap_1'), track('lap_2', x=53)]  # 24 m from the last frame of the first
    assert check_comparable(pair, 24.0) == []
    with pytest.raises(InputError, match=r'do not overlap'):
        check_comparable(pair, 23.9)
