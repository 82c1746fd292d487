"""
The chords of a drive: pieces of one length, with their direction and the heading of the robot.

A chord is longer than the noise of the positions, so that its direction is that of the motion.
"""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.types import Floats, Indices, SECOND_NS
import numpy as np

LEAST_CHORD_M = 1.0
NOISES = 10  # a chord is so many times longer than the noise of the positions
SLOWEST_S_PER_M = 10.0  # a slower chord may be the wander of the fixes of a robot that stands
STRAIGHT = 0.9  # least length of the mean of the headings on a chord, as unit vectors


@dataclass(frozen=True)
class Chords:
    """
    Chords, in order.

    :param begin: [M] index of the first pose, and `end` of the last.
    :param length_m: [M] in the plane.
    :param direction: [M] of the motion, radians from x towards y.
    :param heading: [M] mean heading on the chord, radians.
    """

    begin: Indices
    end: Indices
    length_m: Floats
    direction: Floats
    heading: Floats

    def __len__(self) -> int:
        return len(self.begin)

    def of(self, rows: np.ndarray) -> Chords:
        """Return some of the chords."""
        values = (self.begin, self.end, self.length_m, self.direction, self.heading)
        return Chords(*(value[rows] for value in values))

    @property
    def course(self) -> Floats:
        """[M] direction of the motion as the robot sees it: 0 ahead, pi backwards."""
        return np.asarray(self.direction - self.heading)


def noise_m(stamps_ns: Indices, flat: Floats) -> float:
    """
    Return the noise of positions [N, 2]: how far a position is from the line of its neighbours.

    A robust standard deviation, over all positions with two neighbours.
    """
    if len(flat) < 3:
        return 0.0
    seconds = (stamps_ns - stamps_ns[0]) / SECOND_NS
    share = (seconds[1:-1] - seconds[:-2]) / (seconds[2:] - seconds[:-2])
    between = flat[:-2] + share[:, None] * (flat[2:] - flat[:-2])
    return 1.4826 * float(np.median(np.hypot(*(flat[1:-1] - between).T)))


def yaws_of(poses: Floats) -> Floats:
    """Return [N] headings of the body's x axis in the plane, of poses [N, 7]."""
    x, y, z, w = poses[:, 3:].T
    return np.asarray(np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)))


def steps_of(flat: Floats, length_m: float) -> Indices:
    """Return which of the positions [N, 2] are `length_m` away from the last returned one."""
    steps = [0]
    for i, place in enumerate(flat.tolist()):
        x, y = flat[steps[-1]]
        if (place[0] - x) ** 2 + (place[1] - y) ** 2 >= length_m**2:
            steps.append(i)
    return np.array(steps, np.int64)


def chords_of(stamps_ns: Indices, poses: Floats) -> Chords:
    """
    Cut a drive into chords; where the robot stands or turns on the spot there is none.

    :param stamps_ns: [N]; `poses` are [N, 7].
    """
    flat = poses[:, :2]
    length_m = max(LEAST_CHORD_M, NOISES * noise_m(stamps_ns, flat))
    steps = steps_of(flat, length_m)
    made = chords_between(poses, steps[:-1], steps[1:])
    seconds = (stamps_ns[made.end] - stamps_ns[made.begin]) / SECOND_NS
    return made.of(seconds <= SLOWEST_S_PER_M * made.length_m)


def chords_between(poses: Floats, begin: Indices, end: Indices) -> Chords:
    """Return the chords between pairs of poses [N, 7], but for those whose headings vary."""
    flat, turns = poses[:, :2], np.exp(1j * yaws_of(poses))
    step_m = np.hypot(*np.diff(flat, axis=0).T)
    # The headings count by the way, so that turns on the spot do not.
    driven_m = np.concatenate([[0.0], np.cumsum(step_m)])
    facing = np.concatenate([[0.0], np.cumsum(step_m * (turns[1:] + turns[:-1]) / 2)])
    shift, faced = flat[end] - flat[begin], facing[end] - facing[begin]
    made = Chords(
        begin, end, np.hypot(*shift.T), np.arctan2(shift[:, 1], shift[:, 0]), np.angle(faced)
    )
    return made.of(abs(faced) >= STRAIGHT * (driven_m[end] - driven_m[begin]))
