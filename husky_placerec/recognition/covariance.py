"""The covariance of a pose, measured at calibration as a function of its probability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import math
from typing import Any

from husky_placerec.types import Floats, Pose
import numpy as np

EDGES = (0.0, 0.9, 0.99, 0.999)  # lower edges of the bins of probability
LEAST = 30  # errors in a bin; a bin with fewer is joined with the one below
INSIDE, LIMIT = 0.95, 5.991  # quantile of the chi-square distribution, 2 degrees of freedom
LEAST_DEVIATION_M = 0.1
LEAST_DEVIATION_RAD = math.radians(0.5)

# The columns of an error: m along the heading, to the left and up; then rad.
COLUMNS = ('along', 'across', 'up', 'roll', 'pitch', 'yaw')


@dataclass(frozen=True, eq=False)
class CovarianceTable:
    """
    Variances in bins of probability.

    :param edges: [B] lower edges of the bins, rising; the first is 0.
    :param variances: [B, 6] in the order of COLUMNS, m^2 and rad^2.
    """

    edges: Floats
    variances: Floats

    @classmethod
    def fit(cls, probability: Floats, errors: Floats) -> CovarianceTable:
        """
        Measure the variances of errors.

        Where the errors have thick tails, the variances in the plane are enlarged until 95 % of
        the errors lie in the 95 % ellipse of a normal distribution.

        :param probability: [N] of right poses.
        :param errors: [N, 6] in the order of COLUMNS.
        """
        kept = [0.0]  # edges of bins that hold enough
        for edge in EDGES[1:]:
            counts = np.histogram(probability, [*kept, edge, math.inf])[0]
            if (counts[-2:] >= LEAST).all():
                kept.append(edge)
        rows = np.searchsorted(kept, probability, 'right') - 1
        variances = [_variances(errors[rows == row]) for row in range(len(kept))]
        return cls(np.array(kept), np.array(variances))

    def covariance(
        self, probability: float, pose: Pose, spacing_m: float
    ) -> tuple[tuple[float, ...], tuple[float, float, float]]:
        """
        Return the variances of x, y, z, roll, pitch, yaw in the map frame, and xx, xy, yy.

        :param spacing_m: distance between the places there. The variance along the route is at
            least `spacing_m^2 / 12`, that of a position rounded to the nearest place.
        """
        row = int(np.searchsorted(self.edges, probability, 'right')) - 1
        along, across, up, roll, pitch, yaw = self.variances[max(row, 0)].tolist()
        along = max(along, spacing_m**2 / 12)
        cosine, sine = math.cos(pose.yaw), math.sin(pose.yaw)
        xx = along * cosine**2 + across * sine**2
        yy = along * sine**2 + across * cosine**2
        xy = (along - across) * sine * cosine
        return (xx, yy, up, roll, pitch, yaw), (xx, xy, yy)

    def as_json(self) -> dict[str, Any]:
        """Return the table as JSON values."""
        return {'edges': self.edges.tolist(), 'variances': self.variances.tolist()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> CovarianceTable:
        """
        Read what `as_json` returned.

        :raises ValueError: for shapes or numbers that make no table.
        """
        edges = np.array(values['edges'], np.float64)
        variances = np.array(values['variances'], np.float64)
        if variances.shape != (len(edges), len(COLUMNS)) or not len(edges):
            raise ValueError(f'variances: expected {len(edges)} rows of {len(COLUMNS)}')
        if edges[0] != 0 or (np.diff(edges) <= 0).any():
            raise ValueError('edges: expected rising numbers, the first 0')
        if not np.isfinite(variances).all() or (variances <= 0).any():
            raise ValueError('variances: expected finite numbers above 0')
        return cls(edges, variances)


def pose_errors(poses: Sequence[Pose], truths: Sequence[Pose]) -> Floats:
    """Return [N, 6] errors in the order of COLUMNS, each in the frame of its pose."""
    errors = np.zeros((len(poses), len(COLUMNS)))
    for row, pose, truth in zip(errors, poses, truths):
        missed = pose.inverse() @ truth
        row[:3] = missed.x, missed.y, missed.z
        row[3:] = missed.rotation.as_euler('xyz')
    return errors


def _variances(errors: Floats) -> Floats:
    """Return [6] the mean squares, at least those of LEAST_DEVIATION, enlarged for thick tails."""
    least = np.array([LEAST_DEVIATION_M] * 3 + [LEAST_DEVIATION_RAD] * 3) ** 2
    if not len(errors):
        return np.array([25.0, 25.0, 25.0, 0.1, 0.1, 0.1])  # nothing was measured
    variances = np.maximum(np.square(errors).mean(axis=0), least)
    squared = (np.square(errors[:, :2]) / variances[:2]).sum(axis=1)
    variances[:2] *= max(float(np.quantile(squared, INSIDE)) / LIMIT, 1.0)
    return np.asarray(variances)
