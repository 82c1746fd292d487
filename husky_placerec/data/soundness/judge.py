"""
The judgement of the poses of a drive, for every command that reads poses.

Poses that cannot be right are left out. What remains is compared with the motion and the odometry.
What was found are doubts of the trajectory; a grave one means that every place would be wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from husky_placerec.data.soundness.doubt import Doubt, first_stamps, refuse_grave
from husky_placerec.data.soundness.headings import doubts_of_headings, needs_odometry
from husky_placerec.data.soundness.messages import known_odometry
from husky_placerec.data.soundness.positions import identities, jump_doubts, reachable
from husky_placerec.data.trajectory import Trajectory
import numpy as np

LOST_SIGMA_M = 20.0  # a pose whose own standard deviation is larger is none
LEAST_CLIMB_M = 5.0
STEEPEST = 1.0  # metres up for a metre ahead, over a whole drive
OTHER_POSES = 'name other poses with --poses'
AS_A_FILE = '`placerec convert SOURCE FILE --to tum` writes them as they are'


def sound(
    trajectory: Trajectory,
    odometry: Callable[[], Trajectory | None],
    *,
    trusted: bool = False,
    refuse: bool = True,
) -> Trajectory:
    """
    Return the poses that can be right, with the doubts about them.

    :param odometry: returns the odometry of the same drive, if it has one; it is read only where
        the poses alone do not tell.
    :param trusted: the user says that the headings are right; a doubt about them is not grave.
    :param refuse: refuse poses with a grave doubt.
    :raises InputError: for a grave doubt.
    """
    found = _without_lost(trajectory)
    kept, jumps = reachable(found.stamps_ns, found.poses[:, :2])
    doubts = jump_doubts(found.stamps_ns[~kept], jumps, len(kept), 'poses')
    found = found.kept(kept).with_doubts(*doubts, *_climb(found))
    asked = found.origin is not None or needs_odometry(found)
    headings = doubts_of_headings(found, known_odometry(odometry) if asked else None)
    if trusted:
        headings = [replace(doubt, grave=False) for doubt in headings]
    found = found.with_doubts(*headings)
    if refuse:
        refuse_grave(found.doubts, found.source)
    return found


def _without_lost(trajectory: Trajectory) -> Trajectory:
    """Leave out the poses that say themselves that the robot is lost."""
    sigmas = trajectory.sigmas_m
    unsure = np.zeros(len(trajectory.stamps_ns), bool) if sigmas is None else sigmas > LOST_SIGMA_M
    null = identities(trajectory.stamps_ns, trajectory.poses)
    lost = unsure | null
    total = len(lost)
    if lost.all():
        least = float(sigmas.min()) if sigmas is not None else 0.0
        doubt = Doubt(
            'lost',
            f'all {total} poses say that the robot is lost: their own standard deviation is '
            f'{least:.0f} m or more',
            f'{OTHER_POSES}; {AS_A_FILE}',
            grave=True,
        )
        return trajectory.with_doubts(doubt)
    doubts = []
    if unsure.any():
        doubts.append(
            Doubt(
                'lost',
                f'{unsure.sum()} of {total} poses say that the robot is lost (a standard '
                f'deviation over {LOST_SIGMA_M:g} m), at '
                f'{first_stamps(trajectory.stamps_ns[unsure])}',
                'they are left out',
            )
        )
    if null.any():
        doubts.append(
            Doubt(
                'null',
                f'{null.sum()} of {total} poses are the identity, away from the drive, as of a '
                f'lost robot, at {first_stamps(trajectory.stamps_ns[null])}',
                'they are left out',
            )
        )
    return trajectory.kept(~lost).with_doubts(*doubts)


def _climb(trajectory: Trajectory) -> list[Doubt]:
    """Return the doubt about a drive that goes up more than ahead."""
    if trajectory.origin is not None:  # the altitude of satellite fixes wanders
        return []
    x, y, z = np.ptp(np.percentile(trajectory.poses[:, :3], [5, 95], axis=0), axis=0)
    if z < LEAST_CLIMB_M or z < STEEPEST * max(x, y):
        return []
    return [
        Doubt(
            'climb',
            f'the poses go {z:.0f} m up and down, and {max(x, y):.0f} m ahead: the axes of a '
            'camera; expected x and y on the ground, z up',
            OTHER_POSES,
            grave=True,
        )
    ]
