"""Poses from landmarks: how exact, among wrong matches, and when they are refused."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.metric.correspondences import FrameKeyPoints
from husky_placerec.metric.hypotheses import Scorer, tilted, two_point_poses
from husky_placerec.metric.refinement import _linearized, _prior, refine, Standing
from husky_placerec.metric.scale import measured_scale, UNMEASURED
from husky_placerec.metric.sight import Sight
from husky_placerec.metric.solver import (
    FEW_INLIERS,
    FEW_MATCHES,
    ONE_CAMERA,
    Solver,
    SolverSettings,
)
from husky_placerec.types import Pose
import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from support.landmark_worlds import built, moved, rig, sights, SIZE, straight, World

WIDTH = 640
PLACES = [6, 5, 7, 4, 8]


@pytest.fixture(scope='module')
def world():
    return World.street()


@pytest.fixture(scope='module')
def mapped(world):
    return built(world, straight(), rig())


@pytest.fixture(scope='module')
def solver(mapped):
    return Solver(mapped.landmarks, mapped.poses, (1, 0))


def frame_of(seen):
    return FrameKeyPoints(seen, rig(), WIDTH)


def query(world, pose, **options):
    values = {'change': 0.6, 'false': 150, 'seed': 7, **options}
    return world.seen(pose, rig(), **values)


def off(found, truth):
    """Return distance in m, angle in degrees."""
    apart = np.array([found.x - truth.x, found.y - truth.y, found.z - truth.z])
    return float(np.linalg.norm(apart)), found.angle_deg(truth)


TRUTH = {'ahead': 0.8, 'left': -0.9, 'yaw_deg': 6.0}


def test_a_frame_is_solved_in_centimetres_among_wrong_matches(world, solver):
    truth = moved(straight()[6], **TRUTH)
    found = solver.solve(frame_of(query(world, truth)), PLACES, False, 1)
    assert found.reason is None
    metres, degrees = off(found.pose, truth)
    assert metres < 0.03 and degrees < 0.2
    assert found.total > 60 and (found.inliers >= 6).all()
    assert found.matches > found.total


def test_equal_frames_get_equal_poses(world, solver):
    frame = frame_of(query(world, moved(straight()[6], **TRUTH)))
    one, other = (solver.solve(frame, PLACES, False, 5) for _ in range(2))
    assert one.pose == other.pose and (one.covariance == other.covariance).all()


def test_a_robot_that_is_tilted_and_higher_is_solved(world, solver):
    truth = moved(straight()[6], **TRUTH, pitch_deg=2.0, up=0.1)
    found = solver.solve(frame_of(query(world, truth)), PLACES, False, 1)
    assert found.reason is None
    metres, degrees = off(found.pose, truth)
    assert metres < 0.05 and degrees < 0.3


def test_a_measured_gravity_holds_the_tilt(world, solver):
    truth = moved(straight()[6], **TRUTH, pitch_deg=20.0)
    up = truth.rotation.inv().apply([0.0, 0.0, 1.0])
    frame = frame_of(query(world, truth))
    found = solver.solve(frame, PLACES, False, 1, up)
    assert found.reason is None and off(found.pose, truth)[0] < 0.05
    assert solver.solve(frame, PLACES, False, 1).total < 0.5 * found.total


def test_a_robot_that_faces_the_other_way_is_solved_by_the_opposite_cameras(world, solver):
    truth = moved(straight()[6], ahead=0.5, left=0.4, yaw_deg=176.0)
    frame = frame_of(query(world, truth))
    found = solver.solve(frame, PLACES, True, 1)
    assert found.reason is None and off(found.pose, truth)[0] < 0.06
    assert solver.solve(frame, PLACES, False, 1).reason is not None


def test_the_covariance_holds_the_errors(world, mapped):
    poses, inside, spreads = straight(), [], []
    scale, errors = measured_scale(
        mapped.landmarks, poses, ['drive'] * len(poses), sights(world, poses, rig()), rig()
    )
    assert len(errors) == len(poses) and np.median(errors) < 0.02
    spec = replace(mapped.landmarks.spec, scale=scale)
    solver = Solver(replace(mapped.landmarks, spec=spec), poses, None)
    for seed in range(20):
        truth = moved(poses[6], 0.1 * seed - 1, 0.05 * seed, seed - 10.0)
        found = solver.solve(frame_of(query(world, truth, seed=seed)), PLACES, False, seed)
        apart = np.array([found.pose.x - truth.x, found.pose.y - truth.y])
        inside.append(apart @ np.linalg.solve(found.covariance[:2, :2], apart) < 5.991)
        spreads.append(np.sqrt(found.covariance[0, 0]))
    assert np.mean(inside) >= 0.9
    assert 0.001 < np.median(spreads) < 0.05
    np.testing.assert_allclose(found.covariance, found.covariance.T, atol=1e-12)


def test_too_few_places_leave_the_scale_unmeasured(world, mapped):
    few = mapped.landmarks.chosen(slice(0, 3))
    poses = straight()[:3]
    seen = sights(world, poses, rig())
    assert measured_scale(few, poses, ['drive'] * 3, seen, rig())[0] == UNMEASURED


def test_elsewhere_a_frame_is_refused(world, solver):
    stranger = World.street(seed=9)
    found = solver.solve(frame_of(query(stranger, straight()[6])), PLACES, False, 1)
    assert found.reason in (FEW_MATCHES, FEW_INLIERS)
    nothing = frame_of([Sight.nothing(SIZE)] * 2)
    assert solver.solve(nothing, PLACES, False, 1).reason == FEW_MATCHES


def test_inliers_in_one_of_two_cameras_are_not_enough(world, solver):
    truth = moved(straight()[6], **TRUTH)
    front, _ = query(world, truth)
    stranger = query(World.street(seed=9), truth)[1]
    found = solver.solve(frame_of([front, stranger]), PLACES, False, 1)
    assert found.reason == ONE_CAMERA and found.total > 30
    alone = solver.solve(frame_of([front, Sight.nothing(SIZE)]), PLACES, False, 1)
    assert alone.reason is None  # the only camera that there is


def test_a_noisy_map_needs_more_inliers(world, mapped):
    frame = frame_of(query(world, moved(straight()[6], **TRUTH)))
    settings = SolverSettings(least_inliers=100)
    least = Solver(mapped.landmarks, mapped.poses, None, settings)
    assert least.solve(frame, PLACES, False, 1).reason is None
    noisy = replace(mapped.landmarks, spec=replace(mapped.landmarks.spec, noise_px=9.0))
    assert replace(least, landmarks=noisy).solve(frame, PLACES, False, 1).reason == FEW_INLIERS


def matches_of(world, mapped, truth):
    return frame_of(query(world, truth, false=0, noise_px=0.0)).matches(
        mapped.landmarks, mapped.poses, [6], (0, 1)
    )


def test_two_matches_and_gravity_give_the_pose(world, mapped):
    """Of exact points the pose is exact: each landmark is put where its bearing says."""
    home = Pose.from_array(straight()[6])
    truth = home.inverse() @ moved(straight()[6], **TRUTH)
    matches = matches_of(world, mapped, moved(straight()[6], **TRUTH))
    turn = truth.rotation.as_matrix()
    ranges = np.random.default_rng(0).uniform(4, 20, (len(matches), 1))
    points = (matches.origins + ranges * matches.bearings) @ turn.T + truth.as_array()[:3]
    exact = replace(matches, points=points)
    rng = np.random.default_rng(1)
    pairs = rng.integers(0, len(matches), (200, 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    tilts = tilted(rng, len(pairs), 0.0, np.eye(3))
    rotations, positions = two_point_poses(exact, pairs, tilts, np.eye(3))
    near = np.linalg.norm(positions - truth.as_array()[:3], axis=1) < 1e-6
    near &= np.abs(rotations - turn).max(axis=(1, 2)) < 1e-6
    assert near.sum() > 0.8 * len(pairs)
    scores = Scorer(exact, 9.0)(rotations, positions)
    assert near[scores.argmax()] and scores.max() == pytest.approx(len(exact), rel=1e-3)


def test_refinement_ends_at_the_same_pose_from_around_it(world, mapped):
    truth = moved(straight()[6], **TRUTH)
    matches = matches_of(world, mapped, truth)
    local = Pose.from_array(straight()[6]).inverse() @ truth
    shifts = np.random.default_rng(2).normal(0, 0.3, (4, 3))
    turns = Rotation.from_rotvec(np.random.default_rng(3).normal(0, 0.02, (4, 3)))
    rotations = (local.rotation * turns).as_matrix()
    level = np.array([0.0, 0.0, 1.0])
    standing = Standing(level, level, 0.3, 0.05)
    done = refine(matches, rotations, local.as_array()[:3] + shifts, 3.0, standing)
    np.testing.assert_allclose(done.positions - local.as_array()[:3], 0, atol=0.02)
    assert (np.linalg.eigvalsh(done.information) > 0).all()


STEP = 1e-6


@pytest.mark.parametrize('column', range(6))
def test_derivatives_are_those_of_the_residuals(world, mapped, column):
    truth = moved(straight()[6], **TRUTH)
    matches = matches_of(world, mapped, truth)
    local = Pose.from_array(straight()[6]).inverse() @ truth
    turn, at = local.rotation.as_matrix()[None], local.as_array()[None, :3]
    step = np.zeros(6)
    step[column] = STEP
    turned = turn @ Rotation.from_rotvec(step[3:]).as_matrix()
    shifted = at + turn[0] @ step[:3]
    before, slope, good = _linearized(matches, turn, at)
    after, _, _ = _linearized(matches, turned, shifted)
    found = (after - before)[good] / STEP
    np.testing.assert_allclose(slope[good][..., column], found, rtol=1e-3, atol=0.05)
    level = np.array([0.05, 0.02, 1.0])
    standing = Standing(level / np.linalg.norm(level), np.array([0.0, 0, 1]), 0.3, 0.05)
    cost = [_cost(standing, *each) for each in ((turn, at), (turned, shifted))]
    _, pull = _prior(standing, turn, at)
    assert pull[0, column] == pytest.approx((cost[1] - cost[0]) / STEP, abs=1e-2, rel=1e-3)


def _cost(standing, turn, at):
    """Return half the sum of the squares that the prior adds."""
    up = turn[0].T @ standing.up - standing.expected
    height = at[0] @ standing.up
    return 0.5 * ((height / standing.height_m) ** 2 + (up[:2] ** 2).sum() / standing.tilt**2)
