"""Recognitions that are judged by the true poses, as columns with one row for each query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from husky_placerec.types import Floats, Indices, Mask, Pose, Recognition
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

TOLERANCES_M = (5.0, 10.0, 25.0)
HEADING_DEG = 30.0
RIGHT_M = 10.0  # within which a pose counts as right


@dataclass(frozen=True)
class Judged:
    """
    The judged results of Q queries to a map.

    :param tolerances_m: T distances within which a candidate counts as right.
    :param first_right: [Q, T, 2] int32, the rank, from 1, of the first candidate whose position is
        right, and of the first whose heading is right too; 0 where there is none.
    :param depth: largest number of candidates of a query.
    :param distance_m: [Q] from the best candidate to the true position, in the plane; infinite
        where there is no candidate.
    :param angle_deg: [Q] between the two orientations; infinite where there is no candidate.
    :param similarity: [Q] of the best candidate; minus infinity where there is none.
    :param probability: [Q] that the pose is right; NaN where none was stated.
    :param accepted: [Q].
    :param nearest_m: [Q] from the true position to the nearest place of the map.
    :param places: number of places of the map.
    :param pose_right: [Q] whether the estimated pose is right, accepted or not. It may be the pose
        of another place than the best candidate.
    """

    tolerances_m: tuple[float, ...]
    first_right: NDArray[np.int32]
    depth: int
    distance_m: Floats
    angle_deg: Floats
    similarity: Floats
    probability: Floats
    accepted: Mask
    nearest_m: Floats
    places: int
    pose_right: Mask

    def __len__(self) -> int:
        return len(self.accepted)

    @property
    def right(self) -> Mask:
        """Whether the best candidate is right, accepted or not."""
        return (self.distance_m <= RIGHT_M) & (self.angle_deg <= HEADING_DEG)

    @property
    def on_map(self) -> Mask:
        """Whether the map has a place within RIGHT_M of the true position."""
        return self.nearest_m <= RIGHT_M

    @property
    def found(self) -> Mask:
        """Whether there is a candidate."""
        return np.isfinite(self.distance_m)

    @classmethod
    def of_candidates(
        cls,
        candidates: Floats,
        similarity: Floats,
        truths: Floats,
        accepted: Mask,
        map_tree: cKDTree,
        tolerances_m: Sequence[float],
        probability: Floats | None = None,
        pose_right: Mask | None = None,
    ) -> Judged:
        """
        Judge candidates by their poses.

        :param candidates: [Q, K, 7] x y z qx qy qz qw, best first, NaN where there is none.
        :param similarity: [Q] of the best candidate.
        :param truths: [Q, 7].
        :param map_tree: the x and y of the places of the map.
        :param probability: [Q]; None: none was stated.
        :param pose_right: [Q]; None: the estimated poses are those of the best candidates.
        """
        count, depth = candidates.shape[:2]
        distance = np.hypot(*np.moveaxis(candidates[..., :2] - truths[:, None, :2], -1, 0))
        angle = angles_deg(candidates[..., 3:], truths[:, None, 3:])
        distance = np.where(np.isnan(distance), np.inf, distance)
        angle = np.where(np.isnan(angle), np.inf, angle)
        ranks = [
            _first(near & (angle <= limit))
            for near in (distance <= tolerance for tolerance in tolerances_m)
            for limit in (np.inf, HEADING_DEG)
        ]
        none = np.full(count, np.inf)
        first_m, first_deg = (distance[:, 0], angle[:, 0]) if depth else (none, none)
        if pose_right is None:
            pose_right = (first_m <= RIGHT_M) & (first_deg <= HEADING_DEG)
        return cls(
            tuple(tolerances_m),
            np.stack(ranks, axis=1).reshape(count, -1, 2).astype(np.int32),
            depth,
            first_m,
            first_deg,
            similarity,
            np.full(count, np.nan) if probability is None else probability,
            accepted,
            map_tree.query(truths[:, :2])[0],
            map_tree.n,
            pose_right,
        )

    @classmethod
    def join(cls, parts: Sequence[Judged]) -> Judged:
        """Concatenate the queries of several; `places` and `depth` are the largest ones."""
        columns = {
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(cls)
            if field.name not in ('tolerances_m', 'depth', 'places')
        }
        depth, places = max(p.depth for p in parts), max(p.places for p in parts)
        return cls(tolerances_m=parts[0].tolerances_m, depth=depth, places=places, **columns)


def judge(
    recognitions: Sequence[Recognition],
    truths: Sequence[Pose],
    map_poses: Floats,
    tolerances_m: Sequence[float] = TOLERANCES_M,
) -> Judged:
    """
    Judge recognitions, such as those of a replay.

    :param truths: the true pose of each frame.
    :param map_poses: [N, 2 or more] x and y of the places of the map.
    """
    depth = max((len(r.candidates) for r in recognitions), default=0)
    candidates = np.full((len(recognitions), depth, 7), np.nan)
    for row, recognition in zip(candidates, recognitions):
        for rank, candidate in enumerate(recognition.candidates):
            row[rank] = candidate.pose.as_array()
    return Judged.of_candidates(
        candidates,
        np.array([r.best.similarity if r.best else -np.inf for r in recognitions]),
        np.array([truth.as_array() for truth in truths]).reshape(-1, 7),
        np.array([r.accepted for r in recognitions], np.bool_),
        cKDTree(map_poses[:, :2]),
        tolerances_m,
        np.array([np.nan if r.probability is None else r.probability for r in recognitions]),
        np.array(
            [
                r.pose is not None and is_right(r.pose, truth, RIGHT_M, HEADING_DEG)
                for r, truth in zip(recognitions, truths)
            ],
            np.bool_,
        ),
    )


def is_right(pose: Pose, truth: Pose, tolerance_m: float, heading_deg: float | None) -> bool:
    """Return whether a pose is within a distance in the plane, and an angle unless it is None."""
    near = pose.distance_m(truth) <= tolerance_m
    return near and (heading_deg is None or pose.angle_deg(truth) <= heading_deg)


def angles_deg(first: Floats, second: Floats) -> Floats:
    """
    Return the angle of the rotation between unit quaternions, 0 to 180 degrees.

    `angle = 4 atan2(|p - q|, |p + q|)`, which is exact also for small angles, where the arc cosine
    of the product of p and q is not.

    :param first: [..., 4], and `second` likewise; shapes are broadcast.
    """
    apart = np.linalg.norm(first - second, axis=-1)
    together = np.linalg.norm(first + second, axis=-1)
    short, long = np.minimum(apart, together), np.maximum(apart, together)  # q and -q are one
    return np.asarray(np.degrees(4 * np.arctan2(short, long)))


def _first(right: Mask) -> Indices:
    """Return [Q] the rank, from 1, of the first True in [Q, K]; 0 where there is none."""
    if not right.shape[1]:
        return np.zeros(len(right), np.int64)
    return np.where(right.any(axis=1), right.argmax(axis=1) + 1, 0)
