"""
Poses from two matches each, of any cameras, where the direction of gravity is known.

The pose of the robot is `about @ Rz(yaw) @ tilt`: `about` is a frame in which the tilt is known,
such as that of a place near by, and `tilt` is how the robot stands otherwise. Two landmarks then
give the yaw and the position in closed form, up to two solutions: the vector between them has the
same height and the same length in both frames. Source: Sweeney, Flynn and Turk, Solving for
relative pose with a partially known rotation is a quadratic eigenvalue problem, 3DV 2014, and the
two-point solvers with known gravity of Kukelova, Bujnak and Pajdla, Closed-form solutions to
minimal absolute pose problems with known vertical direction, ACCV 2010.
"""

from __future__ import annotations

from husky_placerec.metric.correspondences import Correspondences
from husky_placerec.types import Floats
import numpy as np

LEAST_DEPTH_M = 0.3
MOST_ACROSS_M, MOST_UP_M = 12.0, 0.6  # of the robot from the place, and above or below it
MOST_YAW = np.radians(60.0)  # from the heading of the place
EPSILON = 1e-9


def tilted(rng: np.random.Generator, count: int, sigma: float, mean: Floats) -> Floats:
    """
    Return [count, 3, 3] tilts about a mean, of which the first tenth is the mean itself.

    :param sigma: standard deviation about x and about y, rad.
    :param mean: [3, 3].
    """
    roll, pitch = sigma * rng.normal(size=(2, count))
    exact = max(1, count // 10)
    roll[:exact] = pitch[:exact] = 0.0
    cr, sr, cp, sp = np.cos(roll), np.sin(roll), np.cos(pitch), np.sin(pitch)
    zero = np.zeros(count)
    rows = [[cp, sp * sr, sp * cr], [zero, cr, -sr], [-sp, cp * sr, cp * cr]]
    return np.moveaxis(np.array(rows), -1, 0) @ mean


def two_point_poses(
    matches: Correspondences, pairs: np.ndarray, tilts: Floats, about: Floats
) -> tuple[Floats, Floats]:
    """
    Return rotations [H, 3, 3] and positions [H, 3] of the robot, in the frame of the landmarks.

    :param pairs: [S, 2] rows of matches.
    :param tilts: [S, 3, 3], one for each pair.
    :param about: [3, 3] the frame in which yaw is counted, in that of the landmarks.
    """
    one, two = pairs.T
    ray1 = np.einsum('sab,sb->sa', tilts, matches.bearings[one])
    ray2 = np.einsum('sab,sb->sa', tilts, matches.bearings[two])
    from1 = np.einsum('sab,sb->sa', tilts, matches.origins[one])
    from2 = np.einsum('sab,sb->sa', tilts, matches.origins[two])
    points = matches.points @ about
    apart, between = points[one] - points[two], from1 - from2
    # The height of the vector: between.z + d1 ray1.z - d2 ray2.z = apart.z, a line of (d1, d2).
    normal = np.stack([ray1[:, 2], -ray2[:, 2]], axis=1)
    squared = (normal * normal).sum(axis=1)
    good = squared > 1e-5
    squared = np.where(good, squared, 1.0)
    foot = normal * ((apart[:, 2] - between[:, 2]) / squared)[:, None]
    along = np.stack([-normal[:, 1], normal[:, 0]], axis=1) / np.sqrt(squared)[:, None]
    # Its length in the plane: |p0 + s p1| = |apart.xy|, a quadratic equation of s.
    p0 = between[:, :2] + foot[:, :1] * ray1[:, :2] - foot[:, 1:] * ray2[:, :2]
    p1 = along[:, :1] * ray1[:, :2] - along[:, 1:] * ray2[:, :2]
    a, b = (p1 * p1).sum(axis=1), 2 * (p0 * p1).sum(axis=1)
    c = (p0 * p0).sum(axis=1) - (apart[:, :2] ** 2).sum(axis=1)
    inside = b * b - 4 * a * c
    good &= (inside >= 0) & (a > EPSILON)
    root = np.sqrt(np.where(good, inside, 0.0))
    rotations, positions = [], []
    for sign in (-1.0, 1.0):
        s = np.where(good, (-b + sign * root) / np.where(good, 2 * a, 1.0), 0.0)
        depths, flat = foot + s[:, None] * along, p0 + s[:, None] * p1
        yaw = np.arctan2(
            flat[:, 0] * apart[:, 1] - flat[:, 1] * apart[:, 0],
            (flat * apart[:, :2]).sum(axis=1),
        )
        turn = _about_z(yaw)
        there = points[one] - np.einsum('sab,sb->sa', turn, from1 + depths[:, :1] * ray1)
        kept = good & (depths > LEAST_DEPTH_M).all(axis=1) & (np.abs(yaw) < MOST_YAW)
        kept &= np.hypot(there[:, 0], there[:, 1]) < MOST_ACROSS_M
        kept &= np.abs(there[:, 2]) < MOST_UP_M
        rotations.append(about @ turn[kept] @ tilts[kept])
        positions.append(there[kept] @ about.T)
    return np.concatenate(rotations), np.concatenate(positions)


def _about_z(yaw: Floats) -> Floats:
    turn = np.zeros((len(yaw), 3, 3))
    turn[:, 0, 0] = turn[:, 1, 1] = np.cos(yaw)
    turn[:, 1, 0] = np.sin(yaw)
    turn[:, 0, 1] = -turn[:, 1, 0]
    turn[:, 2, 2] = 1.0
    return turn


class Scorer:
    """
    Scores poses by all matches at once, in products of matrices.

    :param tolerance: pixels, at which a match counts nothing.
    """

    def __init__(self, matches: Correspondences, tolerance: float) -> None:
        axes = np.concatenate([matches.across, matches.bearings[:, None]], axis=1)  # [M, 3, 3]
        # Of a pose (R, t): axis . (R^T (X - t) - o) = (X axis^T) : R - axis . R^T t - axis . o
        outer = np.einsum('mi,maj->maij', matches.points, axes).reshape(len(matches), 3, 9)
        fixed = np.einsum('mj,maj->ma', matches.origins, axes)
        table = np.concatenate([outer, -axes, -fixed[..., None]], axis=2)  # [M, 3, 13]
        self._tables = [
            np.ascontiguousarray(table[:, axis].T, dtype=np.float32) for axis in range(3)
        ]
        self._scales = (matches.focals / tolerance).astype(np.float32)

    def __call__(self, rotations: Floats, positions: Floats) -> Floats:
        """Return [H] the scores of poses: the more, the better."""
        local = np.einsum('hab,ha->hb', rotations, positions)
        ones = np.ones((len(rotations), 1))
        poses = np.concatenate([rotations.reshape(-1, 9), local, ones], axis=1)
        poses = poses.astype(np.float32)
        right, down, ahead = (poses @ table for table in self._tables)
        near = ahead < LEAST_DEPTH_M
        ahead[near] = 1.0
        scale = self._scales / ahead
        right *= scale
        down *= scale
        right *= right
        down *= down
        right += down
        np.minimum(right, 1.0, out=right)
        right[near] = 1.0
        return np.asarray(len(self._scales) - right.sum(axis=1), np.float64)
