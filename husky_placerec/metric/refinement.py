"""
The robust refinement of poses to six degrees of freedom.

Gauss-Newton with the loss of Geman and McClure, whose scale shrinks from round to round (graduated
non-convexity; Black and Rangarajan, IJCV 1996; Yang et al., IEEE RA-L 2020).
"""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.metric.correspondences import Correspondences
from husky_placerec.types import Floats, Indices, Mask
import numpy as np
from scipy.spatial.transform import Rotation

ANNEALED = (4.0, 3.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0)  # multiples of the tolerance
FIRST, KEPT = 3, 2  # rounds of all poses, and how many of the best go on after them
NEAR = 5.0  # multiples of the tolerance; what is farther off has no weight in later rounds
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
    Refine some poses together; only the KEPT best of them to the end.

    :param tolerance: pixels.
    """
    rotations, positions, used = rotations.copy(), positions.copy(), matches
    information = np.zeros((len(rotations), 6, 6))
    for number, annealed in enumerate(ANNEALED):
        if number == FIRST:
            best, near = _best(matches, rotations, positions, annealed * tolerance)
            rotations, positions, used = rotations[best], positions[best], matches.chosen(near)
        off, slope, good = _linearized(used, rotations, positions)
        scale = annealed * tolerance
        squared = (off * off).sum(axis=2)
        counts = good & (squared < (2.5 * scale) ** 2)
        weight = np.where(counts, 1 / (1 + squared / (0.5 * scale) ** 2) ** 2, 0.0)
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
    off, good = _residuals(matches, rotations, positions)[:2]
    errors = np.where(good, np.linalg.norm(off, axis=2), np.inf)
    return Refined(rotations, positions, information, errors)


def _best(
    matches: Correspondences, rotations: Floats, positions: Floats, scale: float
) -> tuple[Indices, Mask]:
    """Return the KEPT poses of the greatest weight, best first, and the matches near one [M]."""
    off, good = _residuals(matches, rotations, positions)[:2]
    squared = (off * off).sum(axis=2)
    weight = np.where(good, 1 / (1 + squared / (0.5 * scale) ** 2), 0.0).sum(axis=1)
    best = np.argsort(-weight, kind='stable')[:KEPT]
    near = (good & (squared < (NEAR * scale) ** 2))[best].any(axis=0)
    return best, np.asarray(near)


def _linearized(
    matches: Correspondences, rotations: Floats, positions: Floats
) -> tuple[Floats, Floats, Mask]:
    """Return residuals [H, M, 2] in pixels, derivatives [H, M, 2, 6], and what is ahead [H, M]."""
    pixels, good, off, points, ahead = _residuals(matches, rotations, positions)
    across, bearings = matches.across, matches.bearings
    scale = (matches.focals / ahead)[..., None]
    slope = np.empty((*off.shape, 6))
    x, y, z = np.moveaxis(points, 2, 0)
    for axis in (0, 1):
        project = (across[:, axis] - off[..., axis, None] * bearings) * scale
        # Of a step (d, w) of the robot in its own frame, a point moves by -d + point x w.
        np.negative(project, out=slope[..., axis, :3])
        px, py, pz = np.moveaxis(project, 2, 0)
        slope[..., axis, 3] = py * z - pz * y
        slope[..., axis, 4] = pz * x - px * z
        slope[..., axis, 5] = px * y - py * x
    return pixels, slope, good


def _residuals(
    matches: Correspondences, rotations: Floats, positions: Floats
) -> tuple[Floats, Mask, Floats, Floats, Floats]:
    """
    Return residuals [H, M, 2] in pixels, what is ahead [H, M], and what they are made of.

    These are tangents of the residuals [H, M, 2], points in `base_link` [H, M, 3] and their
    distances along the bearings [H, M].
    """
    points = (matches.points[None] - positions[:, None]) @ rotations
    rays = points - matches.origins
    ahead = np.einsum('hmc,mc->hm', rays, matches.bearings)
    good = ahead > LEAST_DEPTH_M
    ahead = np.where(good, ahead, 1.0)
    off = np.einsum('hmc,mac->hma', rays, matches.across) / ahead[..., None]
    return off * matches.focals[:, None], good, off, points, ahead


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
