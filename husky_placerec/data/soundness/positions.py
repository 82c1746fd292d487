"""Positions where a robot cannot have been: jumps away and back, and the pose of a lost robot."""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.data.soundness.chords import noise_m
from husky_placerec.data.soundness.doubt import Doubt, first_stamps
from husky_placerec.data.trajectory import Trajectory
from husky_placerec.types import Floats, Indices, Mask, SECOND_NS
import numpy as np

JUMP_M = 3.0  # what noise causes
SPEED_M_PER_S = 5.0  # of a robot; a faster drive raises it
SPEEDS = 3  # times the usual speed
NOISES = 9  # times the noise
ODOMETRY_SHARE = 1.5  # times the way by the odometry
WINDOW_NS = SECOND_NS  # over which the speed is measured
SLOW_M_PER_S = 0.1  # the robot stands
MOST_LEFT_OUT = 0.25  # share of the poses; more jumps have another cause
MOST_AT_AN_END = 0.05  # of a longer part before a jump nobody knows whether it is the wrong one
AT_AN_END = 3
IDENTITY_M = 0.5
SEEN = 0.3  # least way by the odometry, of the extent of the positions
RUNS = 1000  # that are compared with a run


@dataclass(frozen=True)
class Reach:
    """
    How far a robot can get.

    :param speed_m_per_s: that it may have; `noise_m` is that of the positions.
    :param driven_m: [N] way by the odometry until each pose; NaN where it is not known.
    """

    speed_m_per_s: float
    noise_m: float
    driven_m: Floats

    @classmethod
    def of(cls, stamps_ns: Indices, flat: Floats, driven_m: Floats | None = None) -> Reach:
        """
        Measure the drive itself.

        :param driven_m: [N] way by the odometry; None without.
        """
        unknown = np.full(len(flat), np.nan)
        speed = max(SPEED_M_PER_S, SPEEDS * usual_speed(stamps_ns, flat))
        return cls(speed, noise_m(stamps_ns, flat), unknown if driven_m is None else driven_m)

    def metres(self, seconds: Floats, driven_m: Floats) -> Floats:
        """Return [M] the longest possible steps in a time, with a way by the odometry or NaN."""
        by_speed = self.speed_m_per_s * seconds
        by_wheels = np.where(np.isnan(driven_m), np.inf, ODOMETRY_SHARE * driven_m)
        least = max(JUMP_M, NOISES * self.noise_m)
        return np.asarray(np.maximum(np.minimum(by_speed, by_wheels + least), least))


def usual_speed(stamps_ns: Indices, flat: Floats) -> float:
    """Return the median speed, m/s, of a robot that drives; 0 if it never does."""
    # The first pose of each window with a pose: stamps may be decades apart.
    _, rows = np.unique((stamps_ns - stamps_ns[0]) // WINDOW_NS, return_index=True)
    if len(rows) < 2:
        return 0.0
    seconds = np.diff(stamps_ns[rows]) / SECOND_NS
    speeds = np.hypot(*np.diff(flat[rows], axis=0).T) / seconds
    driving = speeds[speeds > SLOW_M_PER_S]
    return float(np.median(driving)) if len(driving) else 0.0


def reachable(
    stamps_ns: Indices, flat: Floats, driven_m: Floats | None = None
) -> tuple[Mask, Indices]:
    """
    Return which positions [N, 2] a robot can have been at, and the stamps of jumps that stay.

    The positions between two jumps form a run. Of the runs that a robot can have driven one after
    the other, those with most positions count; the others are left out. Where a jump parts a drive
    in two long runs, nothing is left out, because nobody knows which of them is wrong.
    """
    kept = np.ones(len(flat), bool)
    if len(flat) < 3:
        return kept, np.empty(0, np.int64)
    reach = Reach.of(stamps_ns, flat, driven_m)
    seconds, ways = np.diff(stamps_ns) / SECOND_NS, np.diff(reach.driven_m)
    far = np.hypot(*np.diff(flat, axis=0).T) > reach.metres(seconds, ways)
    if not far.any():
        return kept, np.empty(0, np.int64)
    begins = np.concatenate([[0], np.flatnonzero(far) + 1])
    ends = np.concatenate([begins[1:], [len(flat)]]) - 1
    chain = _longest_chain(stamps_ns, flat, begins, ends, reach)
    for run in np.flatnonzero(~chain):
        kept[begins[run] : ends[run] + 1] = False
    inside = np.flatnonzero(chain)
    edges = int((~kept[: begins[inside[0]]]).sum()), int((~kept[ends[inside[-1]] :]).sum())
    long = max(AT_AN_END, MOST_AT_AN_END * len(flat))
    if (~kept).mean() > MOST_LEFT_OUT or max(edges) > long:
        kept[:] = True
        return kept, stamps_ns[begins[1:]]
    return kept, np.empty(0, np.int64)


def _longest_chain(
    stamps_ns: Indices, flat: Floats, begins: Indices, ends: Indices, reach: Reach
) -> Mask:
    """Return which runs are in the chain of most positions that a robot can drive."""
    sizes = ends - begins + 1
    best, before = sizes.astype(np.float64), np.full(len(sizes), -1)
    for run in range(1, len(sizes)):
        earlier = slice(max(0, run - RUNS), run)
        last, first = ends[earlier], begins[run]
        far = np.hypot(*(flat[first] - flat[last]).T)
        seconds = (stamps_ns[first] - stamps_ns[last]) / SECOND_NS
        possible = far <= reach.metres(seconds, reach.driven_m[first] - reach.driven_m[last])
        if possible.any():
            totals = np.where(possible, best[earlier], -np.inf)
            before[run] = earlier.start + int(np.argmax(totals))
            best[run] += totals.max()
    chain = np.zeros(len(sizes), bool)
    run = int(np.argmax(best))
    while run >= 0:
        chain[run] = True
        run = int(before[run])
    return chain


def driven_m(odometry: Trajectory, stamps_ns: Indices, flat: Floats) -> Floats | None:
    """
    Return [N] the way by the odometry until each stamp, NaN where it is not known.

    None where the odometry does not see the motion of the positions [N, 2].
    """
    rows = np.searchsorted(
        odometry.stamps_ns,
        np.arange(odometry.stamps_ns[0], odometry.stamps_ns[-1] + 1, WINDOW_NS // 2),
    )
    rows = np.unique(np.append(rows, len(odometry.stamps_ns) - 1))
    steps = np.hypot(*np.diff(odometry.poses[rows, :2], axis=0).T)
    way = np.concatenate([[0.0], np.cumsum(steps)])
    since = odometry.stamps_ns[rows] - odometry.stamps_ns[0]
    there = odometry.covers(stamps_ns, 2 * SECOND_NS)
    found = np.interp(stamps_ns - odometry.stamps_ns[0], since, way)
    found[~there] = np.nan
    if not there.any() or np.nanmax(found) - np.nanmin(found) < SEEN * max(np.ptp(flat, axis=0)):
        return None
    return found


def identities(stamps_ns: Indices, poses: Floats) -> Mask:
    """
    Return which poses [N, 7] are those of a lost robot: the identity, away from the drive.

    RTAB-Map and others publish it while they do not know the pose. A robot that starts at the
    origin drives on from there.
    """
    null = (poses[:, :6] == 0).all(axis=1)
    lost = np.zeros(len(poses), bool)
    others = np.flatnonzero(~null)
    if not null.any() or not len(others):
        return lost
    speed = usual_speed(stamps_ns[others], poses[others, :2])
    for row in np.flatnonzero(null).tolist():
        place = int(np.searchsorted(others, row))
        away = []
        # The nearest poses before and after the run of identities around the row.
        for other in others[max(0, place - 1) : place + 1].tolist():
            beside = other - 1 if other > row else other + 1  # the identity at its side
            seconds = abs(int(stamps_ns[other] - stamps_ns[beside])) / SECOND_NS
            away.append(np.hypot(*poses[other, :2]) > IDENTITY_M + 2 * speed * seconds)
        lost[row] = all(away)
    return lost


def jump_doubts(left_out: Indices, jumps: Indices, total: int, noun: str) -> list[Doubt]:
    """
    Return the doubts about positions that were left out, and about jumps that stay.

    :param left_out: stamps; `jumps` likewise.
    :param noun: 'poses' or 'fixes'.
    """
    found = []
    if len(left_out):
        found.append(
            Doubt(
                'jumps',
                f'{len(left_out)} of {total} {noun} are where the robot cannot have been, at '
                f'{first_stamps(left_out)}',
                'they are left out',
            )
        )
    if len(jumps):
        found.append(
            Doubt(
                'parted',
                f'{len(jumps)} jumps that no robot can drive, at {first_stamps(jumps)}: on one '
                f'side of a jump the {noun} are wrong',
                'look at them and cut the wrong part off, or name other poses with --poses',
            )
        )
    return found
