"""
The heading of a frame against a place, from the flow of what matches in their images.

A robot that faces further to the left than the place was mapped sees everything further to the
right. So the mean flow from the frame to the place tells by how much its heading differs. A step
to the side moves the images, too, but those of opposite cameras in opposite directions: in the
mean over both cameras it cancels. With one camera it stays in the heading.

On a map whose cameras have no virtual pinhole, the scale of the flow is fitted to places of the
map that lie near each other and face differently.
"""

from __future__ import annotations

import math

from husky_placerec.types import Floats, Pose
import numpy as np

# The mean flow of the dense matcher as a share of the true one: its matches reach only as far as
# their window, and cells see far beyond their borders. Fitted on the simulated campuses 90 and 91
# at night, in rain, at winter dusk and on a winter night.
SHRINKAGE = 0.65
LEAST_PAIRS = 20  # of places that a scale is fitted to
LEAST_TURN = math.radians(1.0)  # root mean square of their turns


def pinhole_scale(focal: float, columns: int) -> float:
    """
    Return the radians of heading for a cell of mean flow, through a virtual pinhole.

    :param focal: of the pinhole, in widths of the image, above 0.
    :param columns: cells in a row.
    """
    return 1.0 / (SHRINKAGE * focal * columns)


def fitted_scale(across: Floats, turns: Floats) -> float | None:
    """
    Return the radians of heading for a cell of mean flow, fitted to pairs of places.

    :param across: [N] mean flow of all cameras to the right from one place to the other, in cells.
    :param turns: [N] by how many radians the one faces further to the left than the other.
    :return: None for too few pairs, pairs that hardly turn, and flow that does not follow them.
    """
    known = np.isfinite(across) & np.isfinite(turns)
    across, turns = across[known], turns[known]
    if len(turns) < LEAST_PAIRS or np.sqrt(np.square(turns).mean()) < LEAST_TURN:
        return None
    moved = float(across @ across)
    scale = -float(across @ turns) / moved if moved > 0 else 0.0
    return scale if scale > 0 else None


def turn_from_flow(across: float, scale: float) -> float:
    """
    Return by how many radians a frame faces further to the left than a candidate's pose tells.

    A candidate in reverse needs nothing else: its images are compared with those of the opposite
    cameras, and its pose is turned round already.

    :param across: mean flow of all cameras to the right, from the frame to the place, in cells;
        NaN or 0 without matches.
    :param scale: radians for a cell, of `pinhole_scale` or `fitted_scale`.
    """
    return -across * scale if math.isfinite(across) else 0.0


def turned(pose: Pose, turn: float) -> Pose:
    """Return a pose that faces further to the left by some radians, about its own z axis."""
    return pose @ Pose.planar(0.0, 0.0, turn)
