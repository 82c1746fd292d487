"""
The pose as driven: what the frames measured, each carried on to the next by the robot's motion.

A Kalman filter in the plane (Thrun, Burgard and Fox, Probabilistic Robotics, 2005, chapter 3). Its
errors along the road average out, and its heading turns with the robot where the map's does not.
"""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.recognition.motion import Moved
from husky_placerec.types import Pose
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Floats = NDArray[np.float64]

# How far off a frame's own pose is: along and across the road in m, heading in rad.
ALONG_M, ACROSS_M, HEADING = 3.0, 1.5, np.radians(15.0)
FACES = np.radians(20.0)  # off the road's heading, from which the robot has turned off it
FAR = 16.3  # squared distance from what was expected, of which 0.1 % is further: chi2 of three
CONTRADICTIONS = 2  # in a row, after which it is the track that is wrong
CONFIRMATIONS = 3  # poses in a row that have to agree again after one that did not


@dataclass(frozen=True, eq=False)
class Estimate:
    """A pose in the plane as x, y, yaw, and the covariance of it [3, 3]."""

    mean: Floats
    covariance: Floats


class Track:
    """
    Follows the robot from pose to pose.

    :param spacing_m: of the places: a frame's own pose is hardly better than that.
    """

    def __init__(self, spacing_m: float) -> None:
        self._deviations = np.array([max(ALONG_M, spacing_m), ACROSS_M, HEADING])
        self.forget()

    def forget(self) -> None:
        """Begin anew with the next pose."""
        self._estimate: Estimate | None = None
        self._contradicted = self._doubts = 0

    def take(self, moved: Moved | None, measured: Pose) -> bool:
        """
        Take the pose that a frame measured; return whether the robot can have come there.

        Where it cannot, as where it has turned off the road, the next ones have to agree first.

        :param moved: since the last that was taken; None for the first.
        """
        measurement = self._measurement(measured)
        if self._estimate is None or moved is None:
            self._estimate = measurement
            return True
        expected = _moved(self._estimate, moved)
        off = measurement.mean - expected.mean
        off[2] = _wrapped(off[2])
        spread = expected.covariance + measurement.covariance
        near = float(off @ np.linalg.solve(spread, off)) <= FAR
        self._contradicted = 0 if near else self._contradicted + 1
        if near:
            gain = np.linalg.solve(spread, expected.covariance).T
            expected = Estimate(
                expected.mean + gain @ off, expected.covariance - gain @ expected.covariance
            )
        elif self._contradicted >= CONTRADICTIONS:
            self._contradicted, expected = 0, measurement
        self._estimate = expected
        faces = abs(_wrapped(measurement.mean[2] - expected.mean[2])) <= FACES
        self._doubts = max(self._doubts - 1, 0) if near and faces else CONFIRMATIONS
        return not self._doubts

    def pose(self, moved: Moved | None, measured: Pose) -> Pose:
        """
        Return where the robot has come to; height, roll and pitch are those of a measured pose.

        :param moved: since the last pose that was taken; None where that is of this frame.
        """
        if self._estimate is None:
            return measured
        mean = self._estimate.mean if moved is None else _moved(self._estimate, moved).mean
        turn = Rotation.from_euler('z', mean[2] - measured.yaw) * measured.rotation
        return Pose(float(mean[0]), float(mean[1]), measured.z, *turn.as_quat().tolist())

    def _measurement(self, pose: Pose) -> Estimate:
        mean = np.array([pose.x, pose.y, pose.yaw])
        return Estimate(mean, _turned(self._deviations, pose.yaw))


def _moved(estimate: Estimate, moved: Moved) -> Estimate:
    """Return the estimate after a motion, which adds its own errors."""
    x, y, yaw = estimate.mean
    motion = moved.pose
    cosine, sine = np.cos(yaw), np.sin(yaw)
    east, north = cosine * motion.x - sine * motion.y, sine * motion.x + cosine * motion.y
    by_heading = np.eye(3)  # how an error of the heading moves the rest
    by_heading[:2, 2] = -north, east
    turned = yaw + motion.yaw
    errors = np.array([moved.spread_m, moved.spread_m, moved.turn_spread])
    return Estimate(
        np.array([x + east, y + north, turned]),
        by_heading @ estimate.covariance @ by_heading.T + _turned(errors, turned),
    )


def _turned(deviations: Floats, yaw: float) -> Floats:
    """Return the covariance of deviations ahead, to the left and in heading."""
    cosine, sine = np.cos(yaw), np.sin(yaw)
    axes = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    return np.asarray(axes @ np.diag(np.square(deviations)) @ axes.T)


def _wrapped(angle: float) -> float:
    return float((angle + np.pi) % (2 * np.pi) - np.pi)
