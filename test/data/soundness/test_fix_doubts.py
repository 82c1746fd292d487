"""Satellite fixes that a receiver calls good and that cannot be."""

from __future__ import annotations

from husky_placerec.data.bag import Bag
from husky_placerec.data.source import find_trajectory
from husky_placerec.errors import InputError
from husky_placerec.types import GeoOrigin
import numpy as np
import pytest
from support.builders import MS, START_NS, write_bag
from support.fixes import at, FIX, fix, MIPT

COUNT = 60  # a fix a second, a metre apart


def good():
    """Return stamp, latitude, longitude and altitude of fixes along the equator of the test."""
    return [[START_NS + i * 1000 * MS, *at(float(i), 0.0), 190.0] for i in range(COUNT)]


def read(tmp_path, rows, **options):
    messages = [(FIX, fix(*row)) for row in rows]
    with Bag(write_bag(tmp_path / 'drive', messages)) as bag:
        return find_trajectory(bag, None, **options)


def without(tmp_path, rows, bad):
    """Check that the bad rows are left out and the rest is as it was; return the doubts."""
    found = read(tmp_path, rows)
    kept = [row[0] for i, row in enumerate(rows) if i not in bad]
    assert found.stamps_ns.tolist() == kept
    first = next(i for i in range(COUNT) if i not in bad)
    expected = [float(i - first) for i in range(COUNT) if i not in bad]
    np.testing.assert_allclose(found.poses[:, 0], expected, atol=0.01)
    np.testing.assert_allclose(found.poses[:, 1:3], 0, atol=0.01)
    yaws = 2 * np.arctan2(found.poses[:, 5], found.poses[:, 6])
    np.testing.assert_allclose(yaws, 0, atol=0.01)
    return found.doubts


@pytest.mark.parametrize(
    ('place', 'kind'),
    [
        ((0.0, 0.0), 'null'),
        ((-2e10, -2e10), 'range'),
        ((5575.1, 3731.1), 'range'),
        ((91.0, 37.5), 'range'),
        ((55.9, 181.0), 'range'),
        (at(20.0, 67.0), 'jumps'),
        ((37.518, 55.929), 'jumps'),
    ],
)
@pytest.mark.parametrize('row', [0, 20, COUNT - 1])
def test_a_fix_that_cannot_be_right_is_left_out_and_named(tmp_path, place, kind, row):
    rows = good()
    rows[row][1:3] = place
    (doubt,) = without(tmp_path, rows, {row})
    assert (doubt.kind, doubt.grave) == (kind, False)
    assert f'1 of {COUNT} fixes' in doubt.what
    assert str(rows[row][0]) in doubt.what


def test_ten_fixes_at_another_place_are_left_out(tmp_path):
    rows = good()
    for i in range(20, 30):
        rows[i][1:3] = at(float(i), 67.0)
    (doubt,) = without(tmp_path, rows, set(range(20, 30)))
    assert doubt.what.startswith('10 of 60 fixes')


def test_the_origin_is_of_the_first_fix_that_can_be_right(tmp_path):
    rows = good()
    rows[0][1:3] = at(300.0, 400.0)
    found = read(tmp_path, rows)
    assert (found.origin.latitude, found.origin.longitude) == pytest.approx(at(1.0, 0.0))


@pytest.mark.parametrize('wrong', [0.0, -2e10, 9500.0, 900.0])
def test_an_altitude_that_cannot_be_right_is_not_that_of_the_origin(tmp_path, wrong):
    rows = good()
    rows[0][3] = wrong
    (doubt,) = without(tmp_path, rows, ())
    assert doubt.kind == 'altitude'
    assert f'{wrong:g} m' in doubt.what


def test_a_missing_altitude_is_that_of_the_next_fix_without_a_word(tmp_path):
    rows = good()
    rows[0][3] = rows[1][3] = np.nan
    assert without(tmp_path, rows, ()) == ()
    assert read(tmp_path / 'again', rows).origin.altitude == 190


def test_altitudes_at_sea_level_on_hills_and_unknown_ones_are_right(tmp_path):
    for name, altitudes in {
        'sea': np.sin(np.arange(COUNT)),
        'hills': 190 + 100 * np.sin(np.arange(COUNT) / 20),
        'none': np.full(COUNT, np.nan),
        'flat': np.zeros(COUNT),
    }.items():
        rows = [[*row[:3], float(z)] for row, z in zip(good(), altitudes)]
        assert read(tmp_path / name, rows).doubts == ()


def test_degrees_and_minutes_are_refused_as_such(tmp_path):
    rows = [[row[0], 5555.74 + i * 1e-4, 3731.08, 190.0] for i, row in enumerate(good())]
    expected = r'none of 60 fixes.*degrees and minutes.*latitude 5555\.74.*expected degrees'
    with pytest.raises(InputError, match=expected):
        read(tmp_path, rows)


def test_only_null_fixes_are_refused(tmp_path):
    rows = [[row[0], 0.0, 0.0, 0.0] for row in good()]
    with pytest.raises(InputError, match=r'none of 60 fixes.*latitude 0, longitude 0'):
        read(tmp_path, rows)


def test_a_fix_whose_covariance_is_huge_is_left_out(tmp_path):
    messages = []
    for i, row in enumerate(good()):
        message = fix(*row)
        message.position_covariance_type = 2
        message.position_covariance[:] = np.diag([4.0, 4.0, 9.0]).ravel()
        if i < 3:
            message.position_covariance[:] = np.diag([1e6, 1e6, 1e6]).ravel()
        messages.append((FIX, message))
    with Bag(write_bag(tmp_path / 'drive', messages)) as bag:
        found = find_trajectory(bag, None)
    assert len(found.stamps_ns) == COUNT - 3
    assert [doubt.kind for doubt in found.doubts] == ['lost']


def test_noise_of_two_metres_is_not_doubted(tmp_path):
    noise = np.random.default_rng(4).normal(0, 2.0, (COUNT, 2))
    rows = good()
    for i, (east, north) in enumerate(noise):
        rows[i][1:3] = at(i + east, north)
    found = read(tmp_path, rows)
    assert found.doubts == ()
    assert len(found.stamps_ns) == COUNT


def test_the_origin_of_a_map_is_kept(tmp_path):
    origin = GeoOrigin(MIPT.latitude, MIPT.longitude, 100.0)
    found = read(tmp_path, good(), origin=origin)
    assert found.origin == origin
    np.testing.assert_allclose(found.poses[:, 2], 90, atol=0.01)
