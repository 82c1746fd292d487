"""The odometry in a bag: which topic has it, and whether it can be used."""

from __future__ import annotations

from husky_placerec.data.bag_file import BagFile
from husky_placerec.data.bag_poses import frame_of, POSE_TYPES, read_trajectory
from husky_placerec.data.frames import is_odometry_frame
from husky_placerec.data.trajectory import Trajectory
from husky_placerec.errors import InputError

ODOMETRY_TYPE = POSE_TYPES[0]


def read_odometry(bag: BagFile, named: str = '') -> Trajectory | None:
    """
    Read the odometry of the robot; None without one that can be used.

    The named topic is used if the bag has it. Otherwise it is the topic of Odometry whose frame is
    `odom`, also under the namespace of a robot. What is not used is noted in `bag.problems`, with
    the reason.

    :param named: the parameter `odometry_topic`; empty: none.
    :raises InputError: for broken poses where none are allowed.
    """
    topic = _topic(bag, named)
    if topic is None:
        return None
    try:
        return read_trajectory(bag, topic)
    except InputError as error:
        if not bag.problems.max_broken:
            raise
        bag.problems.tell(f'odometry not used: {error}')
        return None


def _topic(bag: BagFile, named: str) -> str | None:
    kinds = [name for name, kind in bag.topics.items() if kind == ODOMETRY_TYPE]
    wanted = '/' + named.lstrip('/')
    if named and wanted in kinds:
        return wanted
    found = [name for name in kinds if is_odometry_frame(frame_of(bag, name))]
    if named:
        instead = f'the odometry of {found[0]} is used' if found else 'no odometry is used'
        bag.problems.tell(
            f'odometry_topic: no {wanted} of {ODOMETRY_TYPE}; {instead}; there are: '
            f'{", ".join(kinds) or "none at all"}'
        )
    elif len(found) > 1:
        bag.problems.tell(
            f'the odometry of {found[0]} is used; there is also {", ".join(found[1:])}: '
            '--set odometry_topic=TOPIC names the one to use'
        )
    return found[0] if found else None
