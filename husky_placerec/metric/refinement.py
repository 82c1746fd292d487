"""
The robust refinement of poses to six degrees of freedom.

Gauss-Newton with the loss of Geman and McClure, whose scale shrinks from round to round (graduated
non-convexity; Black and Rangarajan, IJCV 1996; Yang et al., IEEE RA-L 2020).
"""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.metric.correspondences import Correspondences
from husky_placerec.types import Floats, Mask
import numpy as np
from scipy.spatial.transform import Rotation

ANNEALED = (4.0, 3.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0)  # multiples of the tolerance
LEAST_DEPTH_M = 0.3
STIFF = 1e-9


@dataclass(frozen=True, eq=False)
class Standing:
    """
    What is known of height and tilt beforehand.

    :param up: [3] the direction up in the frame of the landmarks, in which the height is 0.
    :param expected: [3] the same direction in `base_link`, as the robot is expected to stand.
    :param height_m: standard deviation of the height, and `tilt` of the tilt, rad.
    """

    up: Floats
    expected: Floats
    height_m: float
    tilt: float


@dataclass(frozen=True, eq=False)
class Refined:
    """
    Poses [H] after refinement, in the frame of the landmarks.

    :param information: [H, 6, 6] of position and rotation in `base_link`, by residuals of a pixel.
    :param errors: [H, M] residuals in pixels; infinite behind a camera.
    """

    rotations: Floats
    positions: Floats
    information: Floats
    errors: Floats


def refine(
    matches: Correspondences,
    rotations: Floats,
    positions: Floats,
    tolerance: float,
    standing: Standing,
) -> Refined:
    """
    Refine some poses together.

    :param tolerance: pixels.
    """
    rotations, positions = rotations.copy(), positions.copy()
    information = np.zeros((len(rotations), 6, 6))
    for annealed in ANNEALED:
        off, slope, good = _linearized(matches, rotations, positions)
        scale = annealed * tolerance
        squared = (off * off).sum(axis=2)
        used = good & (squared < (2.5 * scale) ** 2)
        weight = np.where(used, 1 / (1 + squared / (0.5 * scale) ** 2) ** 2, 0.0)
        heavy = slope * weight[:, :, None, None]
        count = len(rotations)
        flat, other = (each.reshape(count, -1, 6) for each in (heavy, slope))
        information = flat.transpose(0, 2, 1) @ other
        gradient = (flat.transpose(0, 2, 1) @ off.reshape(count, -1, 1))[..., 0]
        stiff, pull = _prior(standing, rotations, positions)
        information = information + stiff + STIFF * np.eye(6)
        step = -np.linalg.solve(information, (gradient + pull)[..., None])[..., 0]
        positions = positions + np.einsum('hab,hb->ha', rotations, step[:, :3])
        rotations = rotations @ Rotation.from_rotvec(step[:, 3:]).as_matrix()
        if annealed == ANNEALED[-1] and np.abs(step).max() < 1e-4:
            break
    off, _, good = _linearized(matches, rotations, positions)
    errors = np.where(good, np.linalg.norm(off, axis=2), np.inf)
    return Refined(rotations, positions, information, errors)


def _linearized(
    matches: Correspondences, rotations: Floats, positions: Floats
) -> tuple[Floats, Floats, Mask]:
    """Return residuals [H, M, 2] in pixels, derivatives [H, M, 2, 6], and what is ahead [H, M]."""
    points = (matches.points[None] - positions[:, None]) @ rotations  # in `base_link`
    rays = points - matches.origins
    ahead = (rays * matches.bearings).sum(axis=2)
    good = ahead > LEAST_DEPTH_M
    ahead = np.where(good, ahead, 1.0)
    across, bearings = matches.across, matches.bearings
    off = np.stack([(rays * across[:, axis]).sum(axis=2) for axis in (0, 1)], axis=2)
    off /= ahead[..., None]
    scale = (matches.focals / ahead)[..., None]
    slope = np.empty((*off.shape, 6))
    for axis in (0, 1):
        project = (across[:, axis] - off[..., axis, None] * bearings) * scale
        # Of a step (d, w) of the robot in its own frame, a point moves by -d + point x w.
        slope[..., axis, :3] = -project
        slope[..., axis, 3:] = np.cross(project, points)
    return off * matches.focals[:, None], slope, good


def _prior(standing: Standing, rotations: Floats, positions: Floats) -> tuple[Floats, Floats]:
    """Return the information [H, 6, 6] of height and tilt, and the pull [H, 6] towards them."""
    up = rotations.transpose(0, 2, 1) @ standing.up  # [H, 3] in `base_link`
    height = positions @ standing.up
    count = len(rotations)
    rows = np.zeros((count, 3, 6))
    rows[:, 0, :3] = up
    # The up vector in `base_link`, moved by w, is up + up x w: of tilt, its x and y count.
    rows[:, 1, 3:] = np.cross(np.eye(3)[0], up)
    rows[:, 2, 3:] = np.cross(np.eye(3)[1], up)
    off = up - standing.expected
    values = np.column_stack([height, off[:, 0], off[:, 1]])
    weights = np.array([standing.height_m, standing.tilt, standing.tilt]) ** -2.0
    heavy = rows * weights[:, None]
    return rows.transpose(0, 2, 1) @ heavy, np.einsum('hra,hr->ha', heavy, values)
