"""The robot's odometry: the distance driven, the motion between two stamps, the pose at one."""

from __future__ import annotations

import bisect
import threading

from husky_placerec.types import Pose, SECOND_NS
import numpy as np

KEPT_NS = 10 * SECOND_NS  # of poses, up to the newest
GAP_NS = 2 * SECOND_NS  # a longer gap may hide a restart of the odometry
FRESH_NS = SECOND_NS  # an older pose does not tell where the robot is now
MAX_SPEED = 5.0  # m/s; a robot that seems faster did not drive: its odometry was set
NOISE_M = 0.1  # between messages that follow each other quickly
MOST_NEW = 10_000  # poses that wait for a frame
UNIT_TOLERANCE = 0.1  # of the norm of a quaternion
FILLED_NS = 100_000_000  # between the poses that fill a gap in a recorded drive

StampedPose = tuple[int, Pose]


def driven(before: StampedPose, after: StampedPose) -> float | None:
    """
    Return the metres between two odometry messages, or None where the robot cannot have driven.

    This is the only rule for jumps: `distance > MAX_SPEED * dt + NOISE_M`, or `dt > GAP_NS`.
    """
    elapsed_ns = after[0] - before[0]
    distance_m = before[1].distance_m(after[1])
    possible_m = MAX_SPEED * elapsed_ns / SECOND_NS + NOISE_M
    return distance_m if elapsed_ns <= GAP_NS and distance_m <= possible_m else None


class Odometry:
    """
    The latest poses of `base_link` in the frame `odom`, which may drift.

    Any thread may add poses and ask for the distance or the pose. `motion` uses only the poses
    that `take_new` has returned: whoever logs these poses can repeat every decision.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buffer: list[StampedPose] = []  # sorted by stamp
        self._new: list[StampedPose] = []  # added since take_new
        self._taken: list[StampedPose] = []  # the buffer as it was at take_new
        self._total_m = 0.0

    def add(self, stamp_ns: int, pose: Pose) -> bool:
        """
        Add a pose. A late or repeated stamp is ignored; one that steps back over 1 s begins anew.

        :return: False for values that are no pose: not finite, or no unit quaternion.
        """
        values = pose.as_array()
        norm = np.linalg.norm(values[3:])
        if not np.isfinite(values).all() or abs(norm - 1) > UNIT_TOLERANCE:
            return False
        with self._lock:
            if self._buffer and stamp_ns < self._buffer[-1][0] - SECOND_NS:
                self._buffer = []
            if self._buffer:
                if stamp_ns <= self._buffer[-1][0]:
                    return True
                self._total_m += driven(self._buffer[-1], (stamp_ns, pose)) or 0.0
            self._buffer.append((stamp_ns, pose))
            self._new.append((stamp_ns, pose))
            _drop_old(self._buffer)
            _drop_old(self._new)
            del self._new[:-MOST_NEW]  # a step back leaves later stamps in front
        return True

    def add_recorded(self, stamp_ns: int, pose: Pose) -> None:
        """
        Add a pose of a recorded drive, whose poses may be up to KEPT_NS apart.

        Interpolated poses fill the gap since the last one.
        """
        with self._lock:
            last = self._buffer[-1] if self._buffer else (stamp_ns, pose)
        if 0 < stamp_ns - last[0] < KEPT_NS:
            for between_ns in range(last[0] + FILLED_NS, stamp_ns, FILLED_NS):
                self.add(between_ns, _interpolated(last, (stamp_ns, pose), between_ns))
        self.add(stamp_ns, pose)

    def take_new(self) -> list[StampedPose]:
        """Return the poses added since the last call; `motion` knows them from now on."""
        with self._lock:
            new, self._new = self._new, []
            self._taken = list(self._buffer)
            return new

    def begin_anew(self) -> None:
        """Forget the poses that were taken, so that only the new ones count."""
        with self._lock:
            self._buffer, self._taken = list(self._new), []

    def motion(self, before_ns: int, after_ns: int) -> Pose | None:
        """
        Return the pose at the later stamp, seen from the pose at the earlier one.

        None where the odometry does not cover both stamps, or jumped or stopped in between.
        """
        first, last = _at(self._taken, before_ns), _at(self._taken, after_ns)
        if first is None or last is None:
            return None
        begin = max(_after(self._taken, before_ns) - 1, 0)
        end = bisect.bisect_left(self._taken, after_ns, key=_stamp) + 1
        steps = zip(self._taken[begin:end], self._taken[begin + 1 : end])
        if any(driven(*step) is None for step in steps):
            return None
        return first.inverse() @ last

    def pose_at(self, stamp_ns: int) -> Pose | None:
        """Return the pose at a stamp by all poses, the new ones included; None if unknown."""
        with self._lock:
            return _at(self._buffer, stamp_ns)

    def driven_m(self, stamp_ns: int) -> float | None:
        """Return the metres driven since the start; None without an odometry near the stamp."""
        with self._lock:
            fresh = bool(self._buffer) and abs(stamp_ns - self._buffer[-1][0]) <= FRESH_NS
            return self._total_m if fresh else None

    @property
    def total_m(self) -> float:
        """The metres driven since the start."""
        return self._total_m


def _stamp(stamped: StampedPose) -> int:
    return stamped[0]


def _after(buffer: list[StampedPose], stamp_ns: int) -> int:
    return bisect.bisect_right(buffer, stamp_ns, key=_stamp)


def _drop_old(buffer: list[StampedPose]) -> None:
    newest_ns = buffer[-1][0]
    if buffer[0][0] < newest_ns - KEPT_NS:
        del buffer[: bisect.bisect_left(buffer, newest_ns - KEPT_NS, key=_stamp)]


def _at(buffer: list[StampedPose], stamp_ns: int) -> Pose | None:
    """
    Interpolate between two messages that the robot drove between.

    A little after the newest message the newest pose counts, because frames arrive before it.
    """
    after = _after(buffer, stamp_ns)
    if after == 0:
        return None
    before_ns, before = buffer[after - 1]
    if before_ns == stamp_ns:
        return before
    if after == len(buffer):
        return before if stamp_ns - before_ns <= FRESH_NS else None
    if driven(buffer[after - 1], buffer[after]) is None:
        return None
    return _interpolated(buffer[after - 1], buffer[after], stamp_ns)


def _interpolated(one: StampedPose, other: StampedPose, stamp_ns: int) -> Pose:
    """Interpolate linearly; the rotations are so near that the chord equals the arc."""
    part = (stamp_ns - one[0]) / (other[0] - one[0])
    first, last = one[1].as_array(), other[1].as_array()
    if first[3:] @ last[3:] < 0:
        last[3:] *= -1  # q and -q are one orientation
    mixed = (1 - part) * first + part * last
    mixed[3:] /= np.linalg.norm(mixed[3:])
    return Pose.from_array(mixed)
