"""A world of points with a descriptor each, a robot that drives along them, and what it sees."""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.cameras.intrinsics import Intrinsics
from husky_placerec.cameras.known import KnownCamera
from husky_placerec.metric.building import build_landmarks, Built
from husky_placerec.metric.landmarks import LandmarkSpec
from husky_placerec.metric.rig import Rig
from husky_placerec.metric.sight import quantized, Sight
from husky_placerec.types import Floats, Pose
import numpy as np
from scipy.spatial.transform import Rotation

SIZE, WIDTH, HEIGHT = 64, 640, 360
NAMES = 'front', 'back'
SPEC = LandmarkSpec('shipped', 'a' * 64, WIDTH, 800, SIZE, 200)
OPTICAL = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0.0]])


def camera(focal=340.0, x=0.3, z=0.7, pitch=2.0, yaw=0.0):
    """Return a camera that looks ahead at yaw 0; angles in degrees."""
    turn = Rotation.from_euler('ZY', [yaw, pitch], degrees=True).as_matrix() @ OPTICAL
    mounting = Pose.from_array([x, 0, z, *Rotation.from_matrix(turn).as_quat()])
    lens = Intrinsics(focal, focal, WIDTH / 2, HEIGHT / 2, WIDTH, HEIGHT)
    return KnownCamera(lens, mounting)


def known_cameras():
    return {'front': camera(), 'back': camera(455.0, -0.36, 0.55, -1.5, 180.0)}


def rig(cameras=None):
    return Rig.of(NAMES, cameras or known_cameras(), 'test')


def straight(count=14, step_m=3.0, seed=1):
    """Return [N, 7] poses along the x axis that wander a little, and stand a little tilted."""
    rng = np.random.default_rng(seed)
    poses = np.zeros((count, 7))
    poses[:, 0] = step_m * np.arange(count)
    poses[:, 1] = 0.4 * np.sin(0.9 * np.arange(count))
    poses[:, 2] = rng.normal(0, 0.03, count)
    angles = rng.normal(0, (2.0, 0.7, 0.7), (count, 3))
    poses[:, 3:] = Rotation.from_euler('ZYX', angles, degrees=True).as_quat()
    return poses


def moved(pose: Floats, ahead=0.0, left=0.0, yaw_deg=0.0, pitch_deg=0.0, up=0.0) -> Pose:
    turn = Rotation.from_euler('ZY', [yaw_deg, pitch_deg], degrees=True).as_quat()
    return Pose.from_array(pose) @ Pose.from_array([ahead, left, up, *turn])


@dataclass(frozen=True)
class World:
    """Points [M, 3] with unit descriptors [M, SIZE], on both sides of a road along x."""

    points: Floats
    descriptors: np.ndarray

    @classmethod
    def street(cls, length_m=40.0, count=1500, seed=0):
        rng = np.random.default_rng(seed)
        side = rng.choice([-1.0, 1.0], count) * rng.uniform(5, 14, count)
        along = rng.uniform(-25, length_m + 25, count)
        points = np.column_stack([along, side, rng.uniform(-0.2, 7, count)])
        descriptors = rng.normal(size=(count, SIZE))
        descriptors /= np.linalg.norm(descriptors, axis=1, keepdims=True)
        return cls(points, descriptors.astype(np.float32))

    def seen(self, pose, seen_by, seed=0, noise_px=0.4, change=0.5, false=0, missing=0.2):
        """
        Return the sights [C] of a robot at a pose.

        :param change: how much descriptors differ from those of the points.
        :param false: key points with the descriptor of a point elsewhere.
        :param missing: share of the points that are not found.
        """
        pose = Pose.from_array(pose) if isinstance(pose, np.ndarray) else pose
        rng = np.random.default_rng(seed)
        local = pose.rotation.inv().apply(self.points - pose.as_array()[:3])
        return tuple(
            self._by(each, local, rng, noise_px, change, false, missing)
            for each in seen_by.cameras
        )

    def _by(self, each, local, rng, noise_px, change, false, missing):
        rays = each.mounting.rotation.inv().apply(local - each.mounting.as_array()[:3])
        ahead = (rays[:, 2] > 0.5) & (rays[:, 2] < 40) & (rng.random(len(rays)) >= missing)
        rows = np.flatnonzero(ahead)
        pixels = each.lens.project(rays[rows])
        inside = (pixels > 0).all(axis=1) & (pixels < (WIDTH, HEIGHT)).all(axis=1)
        rows, pixels = rows[inside], pixels[inside]
        pixels = pixels + rng.normal(0, noise_px, pixels.shape)
        wrong = rng.integers(0, len(self.points), false)
        pixels = np.vstack([pixels, rng.uniform((0, 0), (WIDTH, HEIGHT), (false, 2))])
        vectors = self.descriptors[np.concatenate([rows, wrong])]
        vectors = vectors + change / np.sqrt(SIZE) * rng.normal(size=vectors.shape)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return Sight(each.bearings(pixels, WIDTH, HEIGHT), quantized(vectors.astype(np.float32)))


def sights(world, poses, seen_by, **options):
    return [world.seen(pose, seen_by, seed=100 + i, **options) for i, pose in enumerate(poses)]


def built(world, poses, seen_by, given=None, claimed=None, **options) -> Built:
    """
    Return the landmarks of a drive.

    :param given: the poses that are told; by default the true ones.
    :param claimed: the rig that is told; by default the true one.
    """
    seen = sights(world, poses, seen_by)
    if claimed is not None:  # the pixels stay, the bearings are by another calibration
        seen = [_reinterpreted(each, seen_by, claimed) for each in seen]
    told = poses if given is None else given
    tracks = ['drive'] * len(poses)
    return build_landmarks(told, tracks, seen, claimed or seen_by, SPEC, 'drive', **options)


def _reinterpreted(seen, true, claimed):
    return tuple(reinterpreted(s, t, c) for s, t, c in zip(seen, true.cameras, claimed.cameras))


def reinterpreted(sight, true, claimed):
    """Return a sight of one camera as another calibration would tell it."""
    pixels = true.lens.project(true.mounting.rotation.inv().apply(sight.bearings))
    return Sight(claimed.bearings(pixels, WIDTH, HEIGHT), sight.descriptors)
