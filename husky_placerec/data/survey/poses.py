"""The survey of the poses of a source: coverage, gaps and jumps."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from husky_placerec.data.trajectory import Trajectory
from husky_placerec.types import SECOND_NS
import numpy as np
from numpy.typing import NDArray

JUMP_M, JUMP_M_PER_S = 3.0, 15.0  # more than a robot drives, or noise causes


@dataclass(frozen=True)
class PoseSurvey:
    """
    The numbers of the poses.

    :param covered: number of the `frames` with a pose.
    :param longest_gap_s: longest time between two poses.
    :param jumps: number of steps over 3 m at over 15 m/s; the first is at `first_jump_ns`.
    :param length_m: length of the drive in the plane.
    :param spacing_m: median distance between frames with a pose.
    """

    source: str
    frame_id: str
    child_frame_id: str
    poses: int
    first_ns: int
    last_ns: int
    frames: int
    covered: int
    longest_gap_s: float
    jumps: int
    first_jump_ns: int | None
    length_m: float
    extent_m: tuple[float, float]
    spacing_m: float

    def as_json(self) -> dict[str, Any]:
        """Return the numbers for `json.dump`."""
        return asdict(self)


def survey_poses(
    trajectory: Trajectory, stamps_ns: NDArray[np.int64], max_gap_s: float
) -> PoseSurvey:
    """Survey poses, and their coverage of the stamps of frames."""
    there = trajectory.covers(stamps_ns, round(max_gap_s * SECOND_NS))
    seen = trajectory.at(stamps_ns[there])[:, :2] if there.any() else np.empty((0, 2))
    flat, stamps = trajectory.poses[:, :2], trajectory.stamps_ns
    steps, seconds = np.hypot(*np.diff(flat, axis=0).T), np.diff(stamps) / SECOND_NS
    jumps = np.flatnonzero((steps > JUMP_M) & (steps > JUMP_M_PER_S * seconds))
    spacing = np.hypot(*np.diff(seen, axis=0).T)
    return PoseSurvey(
        source=trajectory.source,
        frame_id=trajectory.frame_id,
        child_frame_id=trajectory.child_frame_id,
        poses=len(stamps),
        first_ns=int(stamps[0]),
        last_ns=int(stamps[-1]),
        frames=len(stamps_ns),
        covered=int(there.sum()),
        longest_gap_s=float(seconds.max(initial=0.0)),
        jumps=len(jumps),
        first_jump_ns=int(stamps[jumps[0] + 1]) if len(jumps) else None,
        length_m=float(steps.sum()),
        extent_m=(float(np.ptp(flat[:, 0])), float(np.ptp(flat[:, 1]))),
        spacing_m=float(np.median(spacing)) if len(spacing) else 0.0,
    )
