"""Headings for positions: of another topic, or of the motion (`--heading`)."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.data.frames import is_odometry_frame
from husky_placerec.data.soundness.chords import steps_of
from husky_placerec.data.trajectory import Trajectory
from husky_placerec.errors import InputError
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

MOTION = 'motion'  # the direction of motion
POSES = 'poses'  # those of the poses, which the user knows to be right
STEP_M = 2.0  # a shorter motion gives no direction, because fixes jitter
MAX_HEADING_GAP_NS = 500_000_000


def with_headings(trajectory: Trajectory, heading: Trajectory | None) -> Trajectory:
    """
    Return the positions of a trajectory with other orientations.

    :param heading: orientations, whose positions are ignored; None: the direction of motion.
    :raises InputError: for no heading at any of the positions, or a robot that never moves.
    """
    if heading is None:
        turns = motion_headings(trajectory.poses[:, :3], trajectory.source)
        return replace(trajectory, poses=np.hstack([trajectory.poses[:, :3], turns]))
    there = heading.covers(trajectory.stamps_ns, MAX_HEADING_GAP_NS)
    if not there.any():
        raise InputError(
            f'{heading.source}: no heading at the time of any pose of {trajectory.source}'
        )
    notes = []
    if not there.all():
        noun = 'poses' if trajectory.origin is None else 'fixes'
        notes.append(f'{(~there).sum()} of {len(there)} {noun} have no heading and are left out')
    if is_odometry_frame(heading.frame_id):
        notes.append(f'{heading.source}: a heading in odom drifts and does not know north')
    found = trajectory.kept(there)
    turns = heading.at(found.stamps_ns)[:, 3:]
    return replace(found, poses=np.hstack([found.poses[:, :3], turns])).with_notes(*notes)


def refuse_topic(heading: str | None, source: str) -> None:
    """
    Refuse a topic with the heading for a source without topics.

    :raises InputError: if `heading` is a topic.
    """
    if heading not in (None, MOTION, POSES):
        raise InputError(
            f'--heading {heading}: {source} has no topics; expected {MOTION} or {POSES}'
        )


def motion_headings(places: NDArray[np.float64], source: str) -> NDArray[np.float64]:
    """
    Return [N, 4] level quaternions in the direction of motion of positions [N, 3].

    A robot that stands or creeps has the heading of the surrounding step.

    :raises InputError: if the robot never moves by STEP_M.
    """
    steps = steps_of(places[:, :2], STEP_M)
    if len(steps) < 2:
        raise InputError(
            f'{source}: it never moves {STEP_M:g} m, so its heading is not known; '
            'name a topic that has it with --heading'
        )
    last = len(steps) - 1
    after = np.searchsorted(steps, np.arange(len(places)), side='right').clip(1, last)
    before = np.searchsorted(steps, np.arange(len(places)), side='left').clip(1, last) - 1
    ahead = places[steps[after], :2] - places[steps[before], :2]
    yaws = np.arctan2(ahead[:, 1], ahead[:, 0])
    return np.asarray(Rotation.from_euler('z', yaws[:, None]).as_quat())
