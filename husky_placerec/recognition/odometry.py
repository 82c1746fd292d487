"""How far the robot moved between two frames, by its odometry."""

from __future__ import annotations

import bisect
import threading

from husky_placerec.types import Pose, SECOND_NS
import numpy as np

KEPT_NS = 10 * SECOND_NS
GAP_NS = SECOND_NS  # longer between two messages, and what was in between is not known
FILLED_NS = 100_000_000  # between poses that are put in where they are known but rare
SLACK_M = 0.1  # of noise, between messages that follow each other quickly
MOST_SPEED = 5.0  # m/s; a robot that is faster did not drive: its odometry jumped


class Odometry:
    """
    The latest poses of the robot in the frame `odom`, in which it never jumps, but may drift.

    One thread adds, another asks.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stamps: list[int] = []
        self._poses: list[Pose] = []

    def add(self, stamp_ns: int, pose: Pose) -> None:
        """Take a pose; a stamp that steps back begins anew, one that is there twice is ignored."""
        if not np.isfinite(pose.as_array()).all():
            return
        with self._lock:
            if self._stamps and stamp_ns < self._stamps[-1] - SECOND_NS:
                self._stamps, self._poses = [], []
            at = bisect.bisect_left(self._stamps, stamp_ns)
            if at < len(self._stamps) and self._stamps[at] == stamp_ns:
                return
            self._stamps.insert(at, stamp_ns)
            self._poses.insert(at, pose)
            old = bisect.bisect_left(self._stamps, self._stamps[-1] - KEPT_NS)
            del self._stamps[:old], self._poses[:old]

    def lead(self, stamp_ns: int, pose: Pose) -> None:
        """
        Take a pose of a drive that is known already; its poses may be seconds apart.

        After more than KEPT_NS nothing is known of the way in between.
        """
        with self._lock:
            last = (self._stamps[-1], self._poses[-1]) if self._stamps else None
        if last is not None and 0 < stamp_ns - last[0] < KEPT_NS:
            stamps, poses = [last[0], stamp_ns], [last[1], pose]
            for between_ns in range(last[0] + FILLED_NS, stamp_ns, FILLED_NS):
                between = _at(stamps, poses, between_ns)
                if between is not None:
                    self.add(between_ns, between)
        self.add(stamp_ns, pose)

    def clear(self) -> None:
        with self._lock:
            self._stamps, self._poses = [], []

    def moved(self, before_ns: int, after_ns: int) -> Pose | None:
        """
        Return the pose at one stamp as seen from that at another.

        None where the odometry does not cover both, stopped in between, or jumped.
        """
        with self._lock:
            begin = max(bisect.bisect_right(self._stamps, before_ns) - 1, 0)
            end = bisect.bisect_left(self._stamps, after_ns) + 1
            stamps, poses = self._stamps[begin:end], self._poses[begin:end]
        first, last = _at(stamps, poses, before_ns), _at(stamps, poses, after_ns)
        if first is None or last is None:
            return None
        elapsed_s = np.diff(stamps) / SECOND_NS
        driven = np.diff([(pose.x, pose.y) for pose in poses], axis=0)
        far = np.hypot(*driven.reshape(-1, 2).T) > MOST_SPEED * elapsed_s + SLACK_M
        if (elapsed_s > GAP_NS / SECOND_NS).any() or far.any():
            return None
        return first.inverse() @ last


def _at(stamps: list[int], poses: list[Pose], stamp_ns: int) -> Pose | None:
    """Interpolate; a little beyond the newest, the newest counts, since frames arrive first."""
    after = bisect.bisect_left(stamps, stamp_ns)
    if after == len(stamps):
        recent = bool(stamps) and stamp_ns - stamps[-1] <= GAP_NS
        return poses[-1] if recent else None
    if stamps[after] == stamp_ns:
        return poses[after]
    if after == 0:
        return None
    part = (stamp_ns - stamps[after - 1]) / (stamps[after] - stamps[after - 1])
    one, other = poses[after - 1].as_array(), poses[after].as_array()
    if one[3:] @ other[3:] < 0:
        other[3:] *= -1  # q and -q are one orientation
    mixed = (1 - part) * one + part * other
    mixed[3:] /= np.linalg.norm(mixed[3:])  # the two are so near that the chord will do
    return Pose.from_array(mixed)
