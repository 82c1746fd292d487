"""Wheel odometry: where a robot believes it is when it only counts the turns of its wheels."""

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
    Standard deviations of what wheels count wrongly.

    The defaults are typical of a skid-steered Husky on asphalt: its distances are good to about
    1 %, but its wheels scrub sideways whenever it turns, so that its heading is poor. The first
    three are drawn once a drive (tyre pressure, load, ground); the noises at every step, and
    grow with the square root of the distance.
    """

    scale: float = 0.01  # of the distance
    turn_scale: float = 0.05  # of the angle turned: the effective track is hard to know
    yaw_bias_deg_per_m: float = 0.02  # pulls to one side
    distance_noise_m: float = 0.01  # over a metre
    sideslip_noise_m: float = 0.01  # over a metre
    yaw_noise_deg: float = 0.5  # over a metre


SKID_STEER = WheelErrors()


def odometry_rng(config: DriveConfig) -> np.random.Generator:
    """Return the random numbers for the odometry of one drive, the same each time."""
    return np.random.default_rng([config.seed, 11, config.drive])


def odometry(
    poses: Sequence[TimedPose], rng: np.random.Generator, errors: WheelErrors = SKID_STEER
) -> list[Pose]:
    """
    Return what the wheels say, a pose in the frame `odom` for each true one.

    The first is the identity; the rest add up the noisy motion from each true pose to the next.
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
    """Return how far ahead and to the left, and by what angle, seen from the first pose."""
    yaw, east, north = before.yaw, after.x - before.x, after.y - before.y
    turned = math.remainder(after.yaw - yaw, 2 * math.pi)
    cosine, sine = math.cos(yaw), math.sin(yaw)
    return cosine * east + sine * north, cosine * north - sine * east, turned
