"""The robot's odometry as the node keeps it: how far it drove, and where it was lately."""

from __future__ import annotations

from collections import deque
import threading

from husky_placerec.data.trajectory import poses_or_none, Trajectory
from husky_placerec.types import Pose, SECOND_NS
import numpy as np

FRESH_NS = SECOND_NS  # older odometry does not tell where the robot is now
JUMP_M = 5.0  # between two messages: not driven, but set
KEPT = 500  # poses
MAX_GAP_S = 1.0

StampedPose = tuple[int, Pose]


class Travel:
    """One thread adds poses of `base_link` in the frame odom; any thread asks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._recent: deque[StampedPose] = deque(maxlen=KEPT)
        self._news: list[StampedPose] = []
        self._metres = 0.0

    def add(self, stamp_ns: int, pose: Pose) -> bool:
        """Take a pose; return whether it is one: numbers, and a rotation."""
        values = pose.as_array()
        if not np.isfinite(values).all() or not 0.9 < np.linalg.norm(values[3:]) < 1.1:
            return False
        with self._lock:
            if self._recent:
                last_ns, last = self._recent[-1]
                step_m = last.distance_m(pose)
                if stamp_ns < last_ns - SECOND_NS:  # time began anew
                    self._recent.clear()
                elif stamp_ns <= last_ns:
                    return True  # late, or there already
                elif step_m < JUMP_M:
                    self._metres += step_m
            self._recent.append((stamp_ns, pose))
            self._news.append((stamp_ns, pose))
            del self._news[:-KEPT]
        return True

    def news(self) -> list[StampedPose]:
        """Return the poses since the last call, oldest first."""
        with self._lock:
            news, self._news = self._news, []
            return news

    def metres(self, stamp_ns: int) -> float | None:
        """Return the distance driven since the start; None when nothing is known about now."""
        with self._lock:
            fresh = bool(self._recent) and abs(stamp_ns - self._recent[-1][0]) <= FRESH_NS
            return self._metres if fresh else None

    @property
    def total_m(self) -> float:
        return self._metres

    def pose_at(self, stamp_ns: int) -> Pose | None:
        """Return the pose at a stamp; the newest, where that is a little older than the stamp."""
        with self._lock:
            recent = list(self._recent)
        if not recent:
            return None
        newest_ns, newest = recent[-1]
        if newest_ns <= stamp_ns:
            return newest if stamp_ns - newest_ns <= FRESH_NS else None
        stamps, poses = zip(*recent)
        trajectory = Trajectory(
            np.array(stamps, np.int64), np.array([p.as_array() for p in poses]), '', '', 'odometry'
        )
        (pose,) = poses_or_none(trajectory, np.array([stamp_ns]), MAX_GAP_S)
        return pose
