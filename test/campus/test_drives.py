"""Where simulated drives go, what their wheels count and who is about: nothing is rendered."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
import math

from husky_placerec.campus.drive_path import drive_poses, TimedPose
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.odometry import odometry, odometry_rng, WheelErrors
from husky_placerec.campus.traffic import Traffic
from husky_placerec.campus.world import Campus
from husky_placerec.errors import InputError
from husky_placerec.types import Pose
import numpy as np
import pytest

NEEDS = ('numba',)

CONFIG = DriveConfig(length_m=300.0, step_m=1.0)
EXACT = WheelErrors(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@pytest.fixture(scope='module')
def campus() -> Campus:
    return Campus(CONFIG.seed)


def yaw_of(pose: Pose) -> float:
    return float(pose.rotation.as_euler('ZYX')[0])


def left_of_the_middle_m(campus: Campus, timed: TimedPose) -> float:
    """Return how far to the left of the route's middle, as the robot is headed, a pose is."""
    arcs = np.arange(0, campus.route.length_m, 0.25)
    stations = [campus.route.at(arc) for arc in arcs]
    pose = timed.pose
    nearest = min(stations, key=lambda at: math.hypot(at.x - pose.x, at.y - pose.y))
    east, north = pose.x - nearest.x, pose.y - nearest.y
    left = math.cos(nearest.yaw) * north - math.sin(nearest.yaw) * east
    return left if math.cos(nearest.yaw - yaw_of(pose)) > 0 else -left


def test_reversed_drive_goes_back_along_its_own_right_side(campus: Campus) -> None:
    there = drive_poses(campus, CONFIG)
    back = drive_poses(campus, replace(CONFIG, reverse=True))
    assert len(back) == len(there)
    assert all(a.stamp_ns < b.stamp_ns for a, b in pairwise(back))
    assert back[0].pose.distance_m(there[-1].pose) < 5
    assert back[-1].pose.distance_m(there[0].pose) < 5
    middle = len(there) // 2
    assert there[middle].pose.angle_deg(back[middle].pose) > 160
    for timed in (*there[::50], *back[::50]):
        assert -2.0 < left_of_the_middle_m(campus, timed) < 0.5
    across = [a.pose.distance_m(b.pose) for a, b in zip(there[1:], back[::-1], strict=False)]
    assert np.mean(across) > 1.0


def test_lateral_offset_is_to_the_left_both_ways(campus: Campus) -> None:
    for reverse in (False, True):
        usual = drive_poses(campus, replace(CONFIG, reverse=reverse))[40]
        moved = drive_poses(campus, replace(CONFIG, reverse=reverse, lateral_m=1.5))[40]
        shift = left_of_the_middle_m(campus, moved) - left_of_the_middle_m(campus, usual)
        assert shift == pytest.approx(1.5, abs=0.1)


def test_heading_wanders_as_much_as_asked(campus: Campus) -> None:
    straight = drive_poses(campus, replace(CONFIG, heading_deg=0.0))
    for amplitude in (3.0, 10.0):
        wandering = drive_poses(campus, replace(CONFIG, heading_deg=amplitude))
        off = [a.pose.angle_deg(b.pose) for a, b in zip(straight, wandering, strict=True)]
        assert 0.8 * amplitude < max(off) <= 1.001 * amplitude


@pytest.mark.parametrize(
    ('config', 'expected'),
    [
        (DriveConfig(lateral_m=5.0), 'lateral_m is 5.0; expected -4.0 to 4.0'),
        (DriveConfig(heading_deg=float('nan')), 'heading_deg is nan'),
        (DriveConfig(traffic=-0.5), 'traffic is -0.5'),
    ],
)
def test_impossible_drive_is_refused(config: DriveConfig, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        config.check()


def test_traffic_can_be_more_or_none(campus: Campus) -> None:
    counts = []
    for share in (0.0, 0.3, 1.0, 3.0):
        traffic = Traffic(campus, 0, share)
        places = [campus.route.at(arc) for arc in range(0, 700, 100)]
        counts.append(sum(len(traffic.seen_from(at.x, at.y, 0.0)) for at in places))
    assert counts[0] == 0
    assert counts == sorted(counts)
    assert counts[3] > 2 * counts[2]


def test_exact_wheels_repeat_the_way_from_the_identity(campus: Campus) -> None:
    poses = drive_poses(campus, CONFIG)
    counted = odometry(poses, odometry_rng(CONFIG), EXACT)
    assert counted[0] == Pose.planar(0, 0, 0)
    first, yaw = poses[0].pose, yaw_of(poses[0].pose)
    for timed, odom in zip(poses, counted, strict=True):
        x = first.x + math.cos(yaw) * odom.x - math.sin(yaw) * odom.y
        y = first.y + math.sin(yaw) * odom.x + math.cos(yaw) * odom.y
        assert timed.pose.distance_m(Pose.planar(x, y, 0)) < 1e-6


def test_wheels_drift_but_not_wildly(campus: Campus) -> None:
    drifts, lengths = [], []
    for drive in range(10):
        config = replace(CONFIG, drive=drive)
        poses = drive_poses(campus, config)
        exact = odometry(poses, odometry_rng(config), EXACT)
        counted = odometry(poses, odometry_rng(config))
        assert counted == odometry(poses, odometry_rng(config))
        drifts.append(counted[-1].distance_m(exact[-1]))
        steps = [sum(a.distance_m(b) for a, b in pairwise(way)) for way in (counted, exact)]
        lengths.append(steps[0] / steps[1])
    assert 3 < np.mean(drifts) < 45  # metres after 300
    assert len(set(drifts)) == 10
    assert min(lengths) > 0.96 and max(lengths) < 1.04
