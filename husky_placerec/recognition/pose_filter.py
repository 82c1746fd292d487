"""
The filtered pose: the poses of single frames, carried on by the motion of the robot.

A Kalman filter in the plane (Thrun, Burgard and Fox, Probabilistic Robotics, 2005, chapter 3).
Errors along the road average out, and the heading follows the robot where the map's does not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
import math

from husky_placerec.recognition.motion import Motion
from husky_placerec.types import Floats, Pose
import numpy as np

# Standard deviations of a frame's own pose: along and across the road, m, and heading, rad.
ALONG_M, ACROSS_M, HEADING = 3.0, 1.5, np.radians(15.0)
# Least ones of a pose by landmarks: the formal ones leave out what all frames have in common.
LEAST_DEVIATIONS = 0.03, 0.03, np.radians(0.3)
TURNED_OFF = np.radians(20.0)  # angle to the road from which the robot has turned off it
GATE = 16.3  # quantile 0.999 of the chi-square distribution, 3 degrees of freedom
CONTRADICTIONS = 2  # in a row, after which the filter itself is taken to be wrong
CONFIRMATIONS = 3  # poses in a row that have to agree after one that did not


@dataclass(frozen=True, eq=False)
class PlanarEstimate:
    """A pose in the plane: mean [3] as x, y, yaw, and covariance [3, 3]."""

    mean: Floats
    covariance: Floats


class PoseFilter:
    """
    Follow the robot from pose to pose; to begin anew, make a new filter.

    :param spacing_m: distance between places, the least deviation of a frame's pose along the
        road.
    """

    def __init__(self, spacing_m: float) -> None:
        self._deviations = np.array([max(ALONG_M, spacing_m), ACROSS_M, HEADING])
        self._estimate: PlanarEstimate | None = None
        self._contradictions = 0
        self._confirmations_due = 0

    def update(
        self, motion: Motion | None, measured: Pose, covariance: Floats | None = None
    ) -> bool:
        """
        Take the pose of a frame.

        :param motion: since the last pose that was taken; None for the first.
        :param covariance: [3, 3] of x, y and yaw; None: that of poses between places.
        :return: whether the robot can have come there. After a pose to which it cannot, as where
            it turns off the road, the next `CONFIRMATIONS` poses have to agree.
        """
        if covariance is None:
            covariance = _rotated(self._deviations, measured.yaw)
        else:
            covariance = covariance + np.diag(np.square(LEAST_DEVIATIONS))
        measurement = PlanarEstimate(np.array([measured.x, measured.y, measured.yaw]), covariance)
        if self._estimate is None or motion is None:
            self._estimate = measurement
            return True
        expected = _moved(self._estimate, motion)
        off = measurement.mean - expected.mean
        off[2] = _wrapped(off[2])
        spread = expected.covariance + measurement.covariance
        near = float(off @ np.linalg.solve(spread, off)) <= GATE
        self._contradictions = 0 if near else self._contradictions + 1
        if near:
            gain = np.linalg.solve(spread, expected.covariance).T
            expected = PlanarEstimate(
                expected.mean + gain @ off, expected.covariance - gain @ expected.covariance
            )
        elif self._contradictions >= CONTRADICTIONS:
            self._contradictions, expected = 0, measurement
        self._estimate = expected
        faces = abs(_wrapped(measurement.mean[2] - expected.mean[2])) <= TURNED_OFF
        agrees = near and faces
        self._confirmations_due = max(self._confirmations_due - 1, 0) if agrees else CONFIRMATIONS
        return not self._confirmations_due

    @property
    def covariance(self) -> Floats | None:
        """[3, 3] of x, y and yaw after the last pose; None before the first."""
        return None if self._estimate is None else self._estimate.covariance

    def pose(self, motion: Motion | None, measured: Pose) -> Pose:
        """
        Return the filtered pose; height, roll and pitch are those of a measured pose.

        :param motion: since the last pose that was taken; None where that is of this frame.
        """
        if self._estimate is None:
            return measured
        mean = self._estimate.mean if motion is None else _moved(self._estimate, motion).mean
        x, y, yaw = mean.tolist()
        own = replace(measured, x=0.0, y=0.0)
        return Pose.planar(x, y, yaw - measured.yaw) @ own


def _moved(estimate: PlanarEstimate, motion: Motion) -> PlanarEstimate:
    """Return the estimate after a motion, which adds its own covariance."""
    x, y, yaw = estimate.mean.tolist()
    cosine, sine = math.cos(yaw), math.sin(yaw)
    east = cosine * motion.pose.x - sine * motion.pose.y
    north = sine * motion.pose.x + cosine * motion.pose.y
    jacobian = np.eye(3)
    jacobian[:2, 2] = -north, east
    turned = yaw + motion.pose.yaw
    added = np.array([motion.spread_m, motion.spread_m, motion.turn_spread])
    return PlanarEstimate(
        np.array([x + east, y + north, turned]),
        jacobian @ estimate.covariance @ jacobian.T + _rotated(added, turned),
    )


def _rotated(deviations: Floats, yaw: float) -> Floats:
    """Return the covariance in the map frame of deviations ahead, to the left and in heading."""
    cosine, sine = math.cos(yaw), math.sin(yaw)
    along, across, turn = np.square(deviations).tolist()
    xy = (along - across) * sine * cosine
    xx, yy = along * cosine**2 + across * sine**2, along * sine**2 + across * cosine**2
    return np.array([[xx, xy, 0.0], [xy, yy, 0.0], [0.0, 0.0, turn]])


def _wrapped(angle: float) -> float:
    return float((angle + math.pi) % (2 * math.pi) - math.pi)
