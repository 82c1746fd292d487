"""Recognitions beside the truth, as columns: one row a query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from husky_placerec.types import Pose, Recognition
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

TOLERANCES_M = (5.0, 10.0, 25.0)
HEADING_DEG = 30.0
RIGHT_M = 10.0  # within which an accepted pose counts as right

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Judged:
    """
    What became of Q queries to a map.

    :param tolerances_m: T distances within which a candidate may count as right.
    :param first_right: [Q, T, 2] int32, the rank, from 1, of the first candidate that is right by
        its position, and by its heading too; 0 where none is.
    :param depth: candidates that were looked at, at most.
    :param distance_m: [Q] from the best candidate's position to the truth, in the plane; infinite
        where there is no candidate.
    :param angle_deg: [Q] between the two orientations, likewise.
    :param similarity: [Q] of the best candidate; minus infinity where there is none.
    :param probability: [Q] that it is right, NaN where nothing can tell.
    :param accepted: [Q] bool.
    :param nearest_m: [Q] from the truth to the nearest place of the map.
    :param places: in the map.
    :param pose_right: [Q] bool, whether the pose that was accepted or refused is right; it may
        be of another place than the best candidate.
    """

    tolerances_m: tuple[float, ...]
    first_right: NDArray[np.int32]
    depth: int
    distance_m: Floats
    angle_deg: Floats
    similarity: Floats
    probability: Floats
    accepted: NDArray[np.bool_]
    nearest_m: Floats
    places: int
    pose_right: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.accepted)

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether the best candidate is, accepted or not."""
        return (self.distance_m <= RIGHT_M) & (self.angle_deg <= HEADING_DEG)

    @property
    def on_map(self) -> NDArray[np.bool_]:
        """Whether the map has a place that could be right."""
        return self.nearest_m <= RIGHT_M

    @property
    def found(self) -> NDArray[np.bool_]:
        """Whether there was any candidate."""
        return np.isfinite(self.distance_m)

    @classmethod
    def of_candidates(
        cls,
        candidates: Floats,
        similarity: Floats,
        truths: Floats,
        accepted: NDArray[np.bool_],
        map_tree: cKDTree,
        tolerances_m: Sequence[float],
        probability: Floats | None = None,
        pose_right: NDArray[np.bool_] | None = None,
    ) -> Judged:
        """
        Judge candidates by their poses.

        :param candidates: [Q, K, 7] x y z qx qy qz qw, the best first, NaN where there is none.
        :param similarity: [Q] of the best.
        :param truths: [Q, 7].
        :param map_tree: of the x and y of the map's places.
        :param pose_right: of the poses given out, where they are not the best candidates'.
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
        """Put the queries of several one after the other; the map's size is the largest."""
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
    Judge recognitions, such as a replay's.

    :param truths: where each frame was taken.
    :param map_poses: [N, 2] or more, x and y of the map's places.
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
    near = pose.distance_m(truth) <= tolerance_m
    return near and (heading_deg is None or pose.angle_deg(truth) <= heading_deg)


def angles_deg(first: Floats, second: Floats) -> Floats:
    """
    Return the angle of the rotation between unit quaternions, 0 to 180 degrees.

    Of two quaternions a rotation's half-angle apart in space, the chord and the sum tell the angle
    exactly, also where it is small and the arc cosine of their product is not.

    :param first: [..., 4], and `second` likewise; shapes are broadcast.
    """
    apart = np.linalg.norm(first - second, axis=-1)
    together = np.linalg.norm(first + second, axis=-1)
    short, long = np.minimum(apart, together), np.maximum(apart, together)  # q and -q are one
    return np.asarray(np.degrees(4 * np.arctan2(short, long)))


def _first(right: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return [Q] the rank, from 1, of the first right one in [Q, K]; 0 where none is."""
    if not right.shape[1]:
        return np.zeros(len(right), np.int64)
    return np.where(right.any(axis=1), right.argmax(axis=1) + 1, 0)
