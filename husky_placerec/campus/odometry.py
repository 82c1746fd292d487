"""Simulated wheel odometry with the errors of a skid-steered robot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
import math

from husky_placerec.campus.drive_path import TimedPose
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.types import Pose
import numpy as np


@dataclass(frozen=True)
class WheelErrors:
    """
    Standard deviations of the errors of wheel odometry.

    The defaults are typical of a skid-steered Husky on asphalt. Its distances are accurate to
    about 1 %. Its heading is poor, because the wheels slip sideways in each turn. The first three
    errors are drawn once per drive (tyre pressure, load, ground). The noises are drawn at each
    step and grow with the square root of the distance.
    """

    scale: float = 0.01  # relative error of the distance
    turn_scale: float = 0.05  # relative error of the turned angle (effective track width)
    yaw_bias_deg_per_m: float = 0.02  # pull to one side
    distance_noise_m: float = 0.01  # over a metre
    sideslip_noise_m: float = 0.01  # over a metre
    yaw_noise_deg: float = 0.5  # over a metre


SKID_STEER = WheelErrors()


def odometry_rng(config: DriveConfig) -> np.random.Generator:
    """Return the random generator for the odometry of one drive; it is always the same."""
    return np.random.default_rng([config.seed, 11, config.drive])


def odometry(
    poses: Sequence[TimedPose], rng: np.random.Generator, errors: WheelErrors = SKID_STEER
) -> list[Pose]:
    """
    Return the wheel odometry: a pose in the frame `odom` for each true pose.

    The first pose is the identity. The others are the sums of the noisy motions between
    consecutive true poses.
    """
    scale, turn_scale = 1 + errors.scale * rng.normal(), 1 + errors.turn_scale * rng.normal()
    bias_rad_per_m = math.radians(errors.yaw_bias_deg_per_m) * rng.normal()
    x = y = yaw = 0.0
    result = [Pose.planar(x, y, yaw)]
    for before, after in pairwise(poses):
        ahead, left, turned = _motion(before.pose, after.pose)
        metres = math.hypot(ahead, left)
        spread = math.sqrt(metres)
        noise = rng.normal(size=3) * spread
        ahead = ahead * scale + errors.distance_noise_m * noise[0]
        left = left * scale + errors.sideslip_noise_m * noise[1]
        turned = turned * turn_scale + bias_rad_per_m * metres
        turned += math.radians(errors.yaw_noise_deg) * noise[2]
        x += math.cos(yaw) * ahead - math.sin(yaw) * left
        y += math.sin(yaw) * ahead + math.cos(yaw) * left
        yaw += turned
        result.append(Pose.planar(x, y, yaw))
    return result


def _motion(before: Pose, after: Pose) -> tuple[float, float, float]:
    """Return the motion in the frame of the first pose: ahead and left (m), and turn (rad)."""
    yaw, east, north = before.yaw, after.x - before.x, after.y - before.y
    turned = math.remainder(after.yaw - yaw, 2 * math.pi)
    cosine, sine = math.cos(yaw), math.sin(yaw)
    return cosine * east + sine * north, cosine * north - sine * east, turned
