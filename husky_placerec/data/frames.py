"""The names of coordinate frames, also under the namespace of a robot (REP 105)."""

from __future__ import annotations

import re

BASE_FRAME = 'base_link'
ODOMETRY = 'odom'


def is_odometry_frame(frame_id: str) -> bool:
    """
    Return whether a frame is one in which poses are continuous but drift.

    >>> is_odometry_frame('a200_0000/odom'), is_odometry_frame('odom_combined')
    (True, True)
    >>> is_odometry_frame('map')
    False
    """
    return ODOMETRY in re.split('[/_]', frame_id)


def is_base_frame(frame_id: str) -> bool:
    """Return whether a frame is `base_link`; a source without a frame means it, too."""
    return frame_id.strip('/').split('/')[-1] in ('', BASE_FRAME)
