"""
How much larger the errors of poses by landmarks are on a calibration drive than what they state.

The places of the map have told a factor already, in the light of the mapping drive. Another light,
another day and another load of the robot make errors larger.
"""

from __future__ import annotations

from collections.abc import Iterable

from husky_placerec.metric.scale import CHI2, QUANTILE
from husky_placerec.recognition.calibrating.leave_out import RecordedRun
import numpy as np

LEAST_SOLVED = 20  # frames
MISTAKE_M = 1.0  # from which a pose is wrong, which no covariance tells
MOST = 20.0


def metric_scale(runs: Iterable[RecordedRun]) -> float:
    """
    Return the factor of standard deviations, at least 1; 1 where too few frames are solved.

    It is the one by which the ellipse of the probability QUANTILE holds this share of the errors
    in the plane.

    :param runs: those on the whole map count.
    """
    ratios = []
    for run in runs:
        if not run.whole or run.drive.itself:
            continue
        for truth, result in zip(run.truths, run.results):
            found = None if truth is None else result.again().metric_pose
            if found is None or not found.solved or found.pose is None or truth is None:
                continue
            if found.covariance is None or found.pose.distance_m(truth) > MISTAKE_M:
                continue
            off = np.array([found.pose.x - truth.x, found.pose.y - truth.y])
            block = np.array(found.covariance).reshape(6, 6)[:2, :2]
            ratios.append(float(off @ np.linalg.solve(block, off)))
    if len(ratios) < LEAST_SOLVED:
        return 1.0
    return float(np.clip(np.sqrt(np.quantile(ratios, QUANTILE) / CHI2), 1.0, MOST))
