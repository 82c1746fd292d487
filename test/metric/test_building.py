"""Landmarks of drives: true points, noisy poses, wrong calibrations, and drives without any."""

from __future__ import annotations

from husky_placerec.errors import InputError
from husky_placerec.metric.building import build_landmarks
from husky_placerec.metric.matching import neighbours
from husky_placerec.metric.sight import Sight
from husky_placerec.types import Pose
import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from support.landmark_worlds import (
    built,
    camera,
    known_cameras,
    rig,
    sights,
    SIZE,
    SPEC,
    straight,
    World,
)


@pytest.fixture(scope='module')
def world():
    return World.street(count=900)


def distances_to_points(made, poses, world):
    """Return how far landmarks are from the nearest point of the world, as shares of distances."""
    shares = []
    for place, pose in enumerate(poses):
        for number in (0, 1):
            found = made.landmarks.of(place, number)
            at = Pose.from_array(pose).rotation.apply(found.points) + pose[:3]
            apart = np.linalg.norm(at[:, None] - world.points[None], axis=2).min(axis=1)
            shares.append(apart / np.linalg.norm(found.points, axis=1))
    return np.concatenate(shares)


def noisy(poses, metres=0.05, degrees=0.5, seed=3):
    rng = np.random.default_rng(seed)
    given = poses.copy()
    given[:, :3] += rng.normal(size=(len(poses), 3)) * (metres, metres, metres / 3)
    turn = np.radians(degrees) * rng.normal(size=(len(poses), 3)) * (1 / 3, 1 / 3, 1)
    given[:, 3:] = (Rotation.from_quat(poses[:, 3:]) * Rotation.from_rotvec(turn)).as_quat()
    return given


def test_landmarks_are_where_the_points_are(world):
    poses = straight()
    made = built(world, poses, rig())
    assert made.landmarks.per_place > 100
    assert made.landmarks.spec.noise_px < 1.0 and not made.doubts
    assert np.median(distances_to_points(made, poses, world)) < 0.01
    np.testing.assert_array_equal(made.poses, poses)
    assert made.landmarks.spec.map_sigma_m == 0.0


def test_noisy_poses_are_refined(world):
    poses = straight(20)
    given = noisy(poses)
    made = built(world, poses, rig(), given)
    off, still = (np.linalg.norm(p[:, :2] - poses[:, :2], axis=1) for p in (given, made.poses))
    assert np.sqrt((still**2).mean()) < 0.8 * np.sqrt((off**2).mean())
    true = Rotation.from_quat(poses[:, 3:]).inv()
    turned = [(true * Rotation.from_quat(p[:, 3:])).as_rotvec()[:, 2] for p in (given, made.poses)]
    assert np.std(turned[1]) < 0.2 * np.std(turned[0])
    assert any('bundle adjustment' in note for note in made.notes)
    assert made.landmarks.spec.noise_px < 1.5 and made.landmarks.spec.map_sigma_m > 0.01


def test_noise_is_told_where_poses_shall_stay(world):
    poses = straight()
    given = noisy(poses)
    made = built(world, poses, rig(), given, refine=False)
    np.testing.assert_array_equal(made.poses, given)
    assert made.landmarks.spec.noise_px > 2.0
    assert made.landmarks.spec.map_sigma_m > 0.02


def test_a_mount_that_is_off_is_told(world):
    cameras = known_cameras()
    wrong = {**cameras, 'front': camera(yaw=3.0)}
    made = built(world, straight(), rig(cameras), claimed=rig(wrong))
    (doubt,) = made.doubts
    assert 'camera front' in doubt and 'turned by 3.0 degrees' in doubt


def test_a_focal_length_ten_percent_off_is_told(world):
    cameras = known_cameras()
    wrong = {**cameras, 'front': camera(focal=374.0)}
    made = built(world, straight(), rig(cameras), claimed=rig(wrong))
    (doubt,) = [each for each in made.doubts if 'camera front' in each]
    assert 'camera front' in doubt and '% shorter' in doubt and 'check its calibration' in doubt


def test_a_mount_ten_degrees_off_is_refused_or_told(world):
    cameras = known_cameras()
    wrong = {name: camera(yaw=10.0 + 180.0 * (name == 'back')) for name in cameras}
    try:
        made = built(world, straight(), rig(cameras), claimed=rig(wrong))
    except InputError as error:
        assert 'do not fit the poses' in str(error)
    else:
        assert made.doubts


@pytest.mark.parametrize(
    ('poses', 'expected'),
    [
        (straight(6, 20.0), 'places are 20 m apart; expected a place every 3 m'),
        (straight(1), 'a single place has no neighbour'),
        (straight(8, 0.0) * ([1, 0, 0, 1, 1, 1, 1]), 'the places lie on one spot'),
    ],
)
def test_drives_that_give_no_distances_are_refused_with_the_reason(world, poses, expected):
    with pytest.raises(InputError, match=expected):
        built(world, poses, rig())


def test_poses_that_fit_nothing_are_refused(world):
    poses = straight()
    given = poses.copy()
    rng = np.random.default_rng(0)
    given[:, :2] += rng.uniform(-3, 3, (len(poses), 2))
    turn = Rotation.from_rotvec(rng.uniform(-0.4, 0.4, (len(poses), 1)) * [0, 0, 1])
    given[:, 3:] = (Rotation.from_quat(poses[:, 3:]) * turn).as_quat()
    with pytest.raises(InputError, match='do not fit the poses'):
        built(world, poses, rig(), given)


def test_a_jump_of_the_poses_parts_the_neighbours(world):
    poses = straight()
    poses[7:, 0] += 300.0
    tracks = ['drive'] * len(poses)
    assert neighbours(poses, tracks, 6, 4) == [5, 4, 3, 2]
    assert max(neighbours(poses, tracks, 6, 4), default=0) < 7


def test_neighbours_are_apart_of_one_track_and_face_the_same_way():
    poses = straight(40, 0.25)
    tracks = ['one'] * 30 + ['other'] * 10
    near = neighbours(poses, tracks, 15, 2)
    assert len(near) == 4 and max(near) < 30
    ordered = poses[sorted([*near, 15]), :2]
    assert np.linalg.norm(np.diff(ordered, axis=0), axis=1).min() >= 1.0
    assert min(neighbours(poses, tracks, 35)) >= 30
    turned = poses.copy()
    turned[20:, 3:] = Rotation.from_euler('z', 180, degrees=True).as_quat()
    assert max(neighbours(turned, tracks, 15)) < 20


def test_a_camera_that_is_absent_has_no_landmarks(world):
    poses, seen_by = straight(), rig()
    seen = [(front, Sight.nothing(SIZE)) for front, _ in sights(world, poses, seen_by)]
    made = build_landmarks(poses, ['drive'] * len(poses), seen, seen_by, SPEC, 'drive')
    assert all(len(made.landmarks.of(place, 0)) for place in range(len(poses)))
    assert not any(len(made.landmarks.of(place, 1)) for place in range(len(poses)))
