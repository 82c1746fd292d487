"""
Whether the headings of poses agree with the motion of the robot.

A robot drives forwards or backwards, and a holonomic one in any direction. So a heading is doubted
only for what no such robot does: it never turns although the motion does, it keeps one angle to
the motion, or it turns the other way. Odometry, where there is any, says which way the robot drove
as it saw it, and decides.
"""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.data.soundness.chords import Chords, chords_between, chords_of, yaws_of
from husky_placerec.data.soundness.circular import (
    concentration,
    mean_angle,
    share_of,
    spread,
    wrapped,
)
from husky_placerec.data.soundness.doubt import Doubt
from husky_placerec.data.trajectory import Trajectory
from husky_placerec.types import Floats, SECOND_NS
import numpy as np

LEAST_CHORDS = 5
MANY_CHORDS = 10  # for a doubt that noise could raise
CONSTANT_RAD = np.radians(0.1)  # less than the noise of any estimate
VARIED = 0.9  # least concentration of directions that are nearly one
CONCENTRATED = 0.8
NARROW = 0.95
MISALIGNED_DEG, WRONG_DEG, REVERSED_DEG = 20.0, 45.0, 135.0
LEAST_CORNERS = 2
SPREAD_RAD, LESS_SPREAD = np.radians(25.0), 0.4
ALIGNED = 0.7  # least share of the way that a robot with wheels drives forwards or backwards
NOISE_DEG = 60.0
FEW = 0.05  # share of the way that is not worth a warning
LYING_DEG, OVER_DEG = 60.0, 120.0  # from upright; no robot with wheels leans so
ODOMETRY_GAP_NS = SECOND_NS
LEAST_MOVED = 0.3  # of a chord; an odometry that says less does not see the motion

MOTION = '--heading motion takes the direction of motion'
AS_THEY_ARE = '--heading poses takes them as they are'
REMEDY = (
    f'{MOTION}, for a robot that never drove backwards; --heading TOPIC takes them from there; '
    f'{AS_THEY_ARE}'
)


@dataclass(frozen=True)
class _Seen:
    """
    The chords that the odometry covers.

    :param course: [M] direction of motion as the robot sees it, by its odometry, radians.
    :param wheeled: whether it drives forwards and backwards only.
    """

    chords: Chords
    course: Floats
    wheeled: bool


def doubts_of_headings(trajectory: Trajectory, odometry: Trajectory | None) -> list[Doubt]:
    """
    Compare the headings with the motion.

    :param odometry: of the same robot; None without.
    :return: at most one doubt; none where the drive is too short to tell.
    """
    if doubt := _lying(trajectory):
        return [doubt]
    chords = chords_of(trajectory.stamps_ns, trajectory.poses)
    if doubt := _noisy(trajectory):
        return [doubt]
    if len(chords) < LEAST_CHORDS:
        return []
    seen = None if odometry is None else _seen_by(odometry, trajectory, chords)
    doubt = _by_motion(chords) if seen is None else _by_odometry(seen)
    return [] if doubt is None else [doubt]


def needs_odometry(trajectory: Trajectory) -> bool:
    """Return whether the motion alone does not show that the headings are right."""
    chords = chords_of(trajectory.stamps_ns, trajectory.poses)
    if len(chords) < LEAST_CHORDS:
        return False
    forwards = share_of(chords, abs(wrapped(chords.course)) <= np.radians(MISALIGNED_DEG))
    return forwards < ALIGNED or _by_motion(chords) is not None


def _by_motion(chords: Chords) -> Doubt | None:
    """Judge by the directions of motion alone."""
    if _never_turns(chords):
        return _constant(chords)
    if _is_mirrored(chords) and not _may_reverse(chords):
        return _mirrored()
    course = chords.course
    if concentration(chords, course) >= CONCENTRATED:
        off_deg = np.degrees(mean_angle(chords, course))
        if abs(off_deg) > REVERSED_DEG:
            return Doubt(
                'backwards',
                'the robot faces against its motion all the way: it drove backwards, or its '
                'headings are half a turn off',
                f'if it drove forwards, {MOTION}',
            )
        return _offset(chords, off_deg, course)
    if concentration(chords, 2 * course) >= CONCENTRATED:  # forwards and backwards
        return _offset(chords, np.degrees(mean_angle(chords, 2 * course)) / 2, course)
    return None


def _by_odometry(seen: _Seen) -> Doubt | None:
    chords, off = seen.chords, seen.chords.course - seen.course
    if _never_turns(chords):
        return _constant(chords)
    if concentration(chords, off) >= CONCENTRATED:
        off_deg = np.degrees(mean_angle(chords, off))
        return _offset(chords, off_deg, off, 'the odometry') or _turned(chords, off)
    if _is_mirrored(chords):
        return _mirrored()
    axis_deg = np.degrees(mean_angle(chords, 2 * off)) / 2
    if concentration(chords, 2 * off) >= CONCENTRATED and abs(axis_deg) < MISALIGNED_DEG:
        return _turned(chords, off)
    if not seen.wheeled:
        return None
    return Doubt(
        'unrelated',
        'the headings have nothing to do with the motion, by the odometry',
        REMEDY,
        grave=True,
    )


def _constant(chords: Chords) -> Doubt:
    degrees = np.degrees(mean_angle(chords, chords.heading))
    return Doubt(
        'constant',
        f'the heading is always {degrees:.0f} degrees, while the robot drove in other directions: '
        'these are no orientations',
        REMEDY,
        grave=True,
    )


def _mirrored() -> Doubt:
    return Doubt(
        'mirrored',
        'the headings turn left where the motion turns right: north-east-down or a compass; '
        'expected east-north-up, counter-clockwise from x',
        REMEDY,
        grave=True,
    )


def _offset(
    chords: Chords, degrees: float, course: Floats, reference: str = 'the direction of motion'
) -> Doubt | None:
    """Return the doubt about headings that are at one angle to where they should be."""
    wrong = abs(degrees) >= WRONG_DEG
    narrow = concentration(chords, 2 * course) >= NARROW and len(chords) >= MANY_CHORDS
    if not wrong and not (narrow and abs(degrees) > MISALIGNED_DEG):
        return None
    # The course is the direction less the heading: a positive one means a heading to the right.
    side = 'right' if degrees > 0 else 'left'
    return Doubt(
        'offset',
        f'the headings are {abs(degrees):.0f} degrees to the {side} of {reference} all the way',
        REMEDY,
        grave=bool(wrong),
    )


def _turned(chords: Chords, off: Floats) -> Doubt | None:
    """Return the doubt about headings that are half a turn off on a part of the way."""
    share = share_of(chords, abs(wrapped(off)) > np.radians(REVERSED_DEG))
    if share < FEW:
        return None
    return Doubt(
        'turned',
        f'on {100 * share:.0f} % of the way the headings are half a turn off, by the odometry, as '
        'the direction of motion is where the robot drives backwards',
        'name a topic with the heading: --heading TOPIC',
        grave=share > 0.5,
    )


def _noisy(trajectory: Trajectory) -> Doubt | None:
    """Return the doubt about headings that are noise."""
    turns = abs(wrapped(np.diff(yaws_of(trajectory.poses))))
    usual_deg = float(np.degrees(np.median(turns))) if len(turns) >= MANY_CHORDS else 0.0
    if usual_deg < NOISE_DEG:
        return None
    return Doubt(
        'noisy',
        f'the heading turns by {usual_deg:.0f} degrees from pose to pose, in the median',
        REMEDY,
    )


def _lying(trajectory: Trajectory) -> Doubt | None:
    """Return the doubt about a robot that lies on its side or its back."""
    x, y, z = trajectory.poses[:, 3:6].T
    tilts = np.degrees(np.arccos(np.clip(1 - 2 * (x**2 + y**2), -1, 1)))
    lying = tilts > LYING_DEG
    if lying.mean() <= FEW:
        return None
    # The same numbers read as w x y z.
    real_last = np.degrees(np.arccos(np.clip(1 - 2 * (y**2 + z**2), -1, 1)))
    if (real_last < LYING_DEG).mean() > 1 - FEW:
        cause = 'north-east-down, or quaternions that begin with w; expected x, y, z, w'
    elif np.median(tilts[lying]) > OVER_DEG:
        cause = 'north-east-down axes'
    else:
        cause = 'poses of a camera in its optical axes'
    return Doubt(
        'lying',
        f'the robot lies on its side or its back in {lying.sum()} of {len(lying)} poses: {cause}; '
        'expected x ahead, y left, z up',
        REMEDY,
        grave=bool(lying.mean() > 0.5),
    )


def _seen_by(odometry: Trajectory, trajectory: Trajectory, chords: Chords) -> _Seen | None:
    """
    Return what the odometry says about the chords.

    None where it is the same topic, covers too little, or cannot be right itself.
    """
    if odometry.source == trajectory.source:
        return None
    stamps_ns = trajectory.stamps_ns
    there = odometry.covers(stamps_ns, ODOMETRY_GAP_NS)
    poses = np.zeros_like(trajectory.poses)
    poses[:, 6] = 1.0
    if there.any():
        poses[there] = odometry.at(stamps_ns[there])
    missing = np.concatenate([[0], np.cumsum(~there)])
    covered = chords.of(missing[chords.end + 1] == missing[chords.begin])
    by_odometry = chords_between(poses, covered.begin, covered.end)
    covered = covered.of(np.isin(covered.begin, by_odometry.begin))
    moved = by_odometry.length_m >= LEAST_MOVED * covered.length_m
    covered, by_odometry = covered.of(moved), by_odometry.of(moved)
    if len(covered) < LEAST_CHORDS or _never_turns(by_odometry):
        return None
    course = by_odometry.course
    ahead = abs(wrapped(2 * course)) <= np.radians(2 * WRONG_DEG - MISALIGNED_DEG)
    return _Seen(covered, course, share_of(covered, ahead) >= ALIGNED)


def _never_turns(chords: Chords) -> bool:
    """Return whether the heading is constant, but not the line of the motion."""
    middle = mean_angle(chords, chords.heading)
    still = (abs(wrapped(chords.heading - middle)) <= CONSTANT_RAD).all()
    return bool(still) and concentration(chords, 2 * chords.direction) < VARIED


def _is_mirrored(chords: Chords) -> bool:
    """Return whether the heading turns the other way than the motion."""
    together = spread(chords, chords.course)
    against = spread(chords, chords.direction + chords.heading)
    concentrated = concentration(chords, chords.direction + chords.heading) >= CONCENTRATED
    return concentrated and together >= SPREAD_RAD and against <= LESS_SPREAD * together


def _may_reverse(chords: Chords) -> bool:
    """
    Return whether the headings are as well those of a robot that drives backwards now and then.

    Such a robot changes between forwards and backwards with a cusp. On streets at right angles,
    mirrored headings change between the two at the corners.
    """
    course = chords.course
    if concentration(chords, 2 * course) < CONCENTRATED:
        return False
    if abs(mean_angle(chords, 2 * course)) > np.radians(2 * MISALIGNED_DEG):
        return False
    backwards = np.cos(course) < 0
    changes = np.flatnonzero(backwards[1:] != backwards[:-1])
    bends = abs(wrapped(chords.direction[changes + 1] - chords.direction[changes]))
    corners = bends < np.radians(REVERSED_DEG)
    return not (len(changes) >= LEAST_CORNERS and corners.all())
