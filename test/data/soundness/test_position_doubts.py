"""Positions where no robot can have been, and poses that say that the robot is lost."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.data.soundness.judge import sound
from husky_placerec.data.soundness.positions import driven_m, reachable
from husky_placerec.errors import InputError
import numpy as np
import pytest
from support.builders import START_NS
from support.trajectories import directions, odometry_of, places, trajectory

IDENTITY = [0.0, 0, 0, 0, 0, 0, 1]


def drive(away=100.0, **options):
    return trajectory(places('loop') + away, directions('loop'), **options)


def moved(rows, metres):
    """Return a drive with some poses moved away."""
    found = drive()
    poses = found.poses.copy()
    poses[rows, 0] += metres
    return replace(found, poses=poses)


def judged(found, **options):
    """Return which poses are left, and kind and gravity of the doubts."""
    kept = sound(found, lambda: None, refuse=False, **options)
    left = np.isin(found.stamps_ns, kept.stamps_ns)
    return left, [(doubt.kind, doubt.grave) for doubt in kept.doubts]


def test_a_good_drive_is_left_as_it_is():
    found = drive(noise_m=0.02, noise_deg=3)
    left, doubts = judged(found)
    assert left.all()
    assert doubts == []


@pytest.mark.parametrize(
    'rows',
    [slice(300, 301), slice(300, 310), slice(0, 1), slice(599, 600), [5, 200, 201, 480]],
    ids=['one', 'ten', 'first', 'last', 'several'],
)
def test_poses_after_a_jump_away_and_before_one_back_are_left_out_and_named(rows):
    found = moved(rows, 67.0)
    left, doubts = judged(found)
    assert np.flatnonzero(~left).tolist() == np.arange(600)[rows].tolist()
    assert doubts == [('jumps', False)]
    (doubt,) = sound(found, lambda: None).doubts
    assert str(found.stamps_ns[rows][0]) in doubt.what


def test_where_a_jump_parts_a_drive_nothing_is_left_out():
    left, doubts = judged(moved(slice(250, 600), 67.0))
    assert left.all()
    assert doubts == [('parted', False)]


def test_a_fast_robot_and_a_sparse_track_have_no_jumps():
    fast = places('loop') * 25  # 25 m/s
    assert reachable(drive().stamps_ns, fast)[0].all()
    sparse = trajectory(
        np.cumsum(np.tile([[5.0, 0.0], [0.0, 5.0]], (100, 1)), axis=0), np.zeros(200), rate_hz=0.2
    )
    assert reachable(sparse.stamps_ns, sparse.poses[:, :2])[0].all()


def test_noise_is_no_jump_and_a_jump_out_of_the_noise_is_one():
    noisy = trajectory(places('loop'), directions('loop'), noise_m=1.5)
    assert reachable(noisy.stamps_ns, noisy.poses[:, :2])[0].all()
    flat = noisy.poses[:, :2].copy()
    flat[300:310] += 67
    assert np.flatnonzero(~reachable(noisy.stamps_ns, flat)[0]).tolist() == list(range(300, 310))


def test_a_gap_in_the_recording_is_no_jump():
    found = drive()
    kept = found.kept(abs(np.arange(600) - 300) > 100)  # 20 s
    assert judged(kept)[0].all()


def test_the_odometry_tells_a_jump_that_a_robot_could_drive():
    """Fixes every 2 s may lie 8 m apart, but not where the wheels moved by 2 m."""
    rows = slice(None, None, 20)
    stamps, flat = drive().stamps_ns[rows], (places('straight') + 100)[rows].copy()
    flat[13, 1] += 8
    assert reachable(stamps, flat)[0].all()
    way = driven_m(odometry_of('straight'), stamps, flat)
    assert way[-1] - way[0] == pytest.approx(58, rel=0.02)
    assert np.flatnonzero(~reachable(stamps, flat, way)[0]).tolist() == [13]


def test_an_odometry_that_stands_while_the_robot_moves_is_not_asked():
    still = trajectory(np.zeros((600, 2)), np.zeros(600))
    assert driven_m(still, drive().stamps_ns, places('loop')) is None


@pytest.mark.parametrize('rows', [slice(200, 230), slice(0, 20), slice(590, 600), [400]])
@pytest.mark.parametrize('away', [100.0, 2.0])
def test_the_identity_away_from_the_drive_is_left_out(rows, away):
    found = drive(away)
    poses = found.poses.copy()
    poses[rows] = IDENTITY
    left, doubts = judged(replace(found, poses=poses))
    assert np.flatnonzero(~left).tolist() == np.arange(600)[rows].tolist()
    assert doubts == [('null', False)]


def test_a_robot_may_start_at_the_origin_and_come_back():
    flat = places('loop') - places('loop')[0]
    found = trajectory(flat, directions('loop'))
    poses = np.vstack([np.tile(IDENTITY, (50, 1)), found.poses[50:]])
    poses[50:, :2] -= found.poses[50, :2]
    assert judged(replace(found, poses=poses))[1] == []
    assert judged(replace(found, poses=np.tile(IDENTITY, (600, 1))))[1] == []


def test_poses_with_a_huge_covariance_are_left_out():
    sigmas = np.where(np.arange(600) < 40, 99.995, 0.1)
    left, doubts = judged(replace(drive(), sigmas_m=sigmas))
    assert np.flatnonzero(~left).tolist() == list(range(40))
    assert doubts == [('lost', False)]


def test_a_drive_that_is_lost_all_the_way_is_refused():
    lost = replace(drive(), sigmas_m=np.full(600, 99.995))
    with pytest.raises(InputError, match=r'drive: all 600 poses say .* lost.*100 m.*--poses'):
        sound(lost, lambda: None)


def test_unknown_and_modest_covariances_say_nothing():
    sigmas = np.where(np.arange(600) % 2, np.nan, 5.0)
    assert judged(replace(drive(), sigmas_m=sigmas))[1] == []


def test_positions_in_the_axes_of_a_camera_are_refused_and_a_ramp_is_not():
    found = drive()
    poses = found.poses.copy()
    poses[:, 2] = np.arange(600) * 0.1
    poses[:, :2] *= 0.02
    assert ('climb', True) in judged(replace(found, poses=poses))[1]
    ramp = trajectory(places('straight'), directions('straight'), z=0.0)
    poses = ramp.poses.copy()
    poses[:, 2] = np.arange(600) * 0.02
    assert judged(replace(ramp, poses=poses))[1] == []


def test_headings_that_the_user_trusts_are_told_and_not_refused():
    wrong = trajectory(places('loop'), directions('loop') + 2)
    with pytest.raises(InputError, match='drive: the headings are 114 degrees to the left'):
        sound(wrong, lambda: None)
    assert judged(wrong, trusted=True)[1] == [('offset', False)]


def test_the_odometry_is_read_only_where_it_is_needed():
    def never():
        raise AssertionError(START_NS)

    assert sound(drive(), never).doubts == ()


def test_an_odometry_that_cannot_be_read_tells_nothing():
    def broken():
        raise InputError('broken')

    found = sound(trajectory(places('loop'), directions('loop') + np.pi), broken)
    assert [doubt.kind for doubt in found.doubts] == ['backwards']
