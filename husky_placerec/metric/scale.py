"""
How much larger true errors are than formal ones: the places of a map solved by their neighbours.

A formal covariance assumes that residuals are independent. Those of a landmark that is off, or of
a place whose pose is off, are not. So each of some places is solved by the landmarks of its
neighbours, without its own, and its error is compared with what was claimed.
"""

from __future__ import annotations

from collections.abc import Sequence

from husky_placerec.metric.correspondences import FrameKeyPoints
from husky_placerec.metric.landmarks import Landmarks
from husky_placerec.metric.matching import neighbours
from husky_placerec.metric.rig import Rig
from husky_placerec.metric.sight import Sight
from husky_placerec.metric.solver import Solver
from husky_placerec.types import Floats, Pose
import numpy as np

MOST_PLACES = 60  # that are solved
QUANTILE = 0.9
CHI2 = 4.605  # that quantile of the chi-square distribution, 2 degrees of freedom
LEAST, MOST = 2.5, 100.0  # at night, errors are larger than in the light of the map
UNMEASURED = 4.0  # where too few places are solved
LEAST_SOLVED = 10


def measured_scale(
    landmarks: Landmarks,
    poses: Floats,
    tracks: Sequence[str],
    sights: Sequence[Sequence[Sight]],
    rig: Rig,
) -> tuple[float, Floats]:
    """
    Return the factor of standard deviations, and the errors of the places in the plane, m.

    :param poses: [N, 7] of the places, and `sights` [N][C] what the cameras saw there.
    """
    solver = Solver(landmarks, poses, None)
    ratios, errors = [], []
    for place in np.unique(np.linspace(0, len(poses) - 1, MOST_PLACES).astype(int)).tolist():
        around = neighbours(poses, tracks, place, 2)
        if not around:
            continue
        frame = FrameKeyPoints(sights[place], rig, landmarks.spec.input_width)
        found = solver.solve(frame, around, False, place)
        if found.reason is not None or found.pose is None or found.covariance is None:
            continue
        truth = Pose.from_array(poses[place])
        off = np.array([found.pose.x - truth.x, found.pose.y - truth.y])
        ratios.append(off @ np.linalg.solve(found.covariance[:2, :2], off))
        errors.append(float(np.linalg.norm(off)))
    if len(ratios) < LEAST_SOLVED:
        return UNMEASURED, np.array(errors)
    factor = np.sqrt(np.quantile(ratios, QUANTILE) / CHI2)
    return float(np.clip(factor, LEAST, MOST)), np.array(errors)
