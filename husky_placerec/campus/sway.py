"""The sway of the robot's body on its wheels: how it stands otherwise than the ground below it."""

from __future__ import annotations

from dataclasses import dataclass
import math

from husky_placerec.types import Pose
import numpy as np
from scipy.spatial.transform import Rotation

# Standard deviations of one drive. Two drives differ by sqrt(2) of them: by 1 degree about each
# axis and by 5 cm, which is what a load, the tyres and a slope across the lane do.
TILT_DEG = 0.7
HEIGHT_M = 0.035
_OF_THE_DRIVE = 0.5  # share of the variance that stays for a whole drive: load, tyres
_WAVES = 4
_SHORTEST_M, _LONGEST_M = 3.0, 25.0  # of the waves of the road's surface


@dataclass(frozen=True)
class Standing:
    """How the body stands at one moment: roll and pitch in rad, height in m."""

    roll: float
    pitch: float
    height_m: float


class Sway:
    """
    The body's roll, pitch and height above the ground, smooth along the way.

    One part stays for the whole drive. The other is a sum of a few sine waves of the way, as
    uneven ground and the suspension make it. Each drive has its own, because its wheels take
    another track.

    :param amount: multiple of the usual sway; 0: the body follows the ground.
    """

    def __init__(self, rng: np.random.Generator, amount: float) -> None:
        sigma = amount * np.array([math.radians(TILT_DEG), math.radians(TILT_DEG), HEIGHT_M])
        # Two standard deviations at most, so that no drive is grotesque.
        drawn = np.clip(rng.normal(size=3), -2.0, 2.0)
        self._constant = sigma * math.sqrt(_OF_THE_DRIVE) * drawn
        self._numbers = 2 * math.pi / rng.uniform(_SHORTEST_M, _LONGEST_M, (3, _WAVES))
        self._phases = rng.uniform(0, 2 * math.pi, (3, _WAVES))
        self._amplitudes = sigma * math.sqrt(2 * (1 - _OF_THE_DRIVE) / _WAVES)

    def after(self, driven_m: float) -> Standing:
        """Return how the body stands after a driven distance in metres."""
        waves = np.sin(self._numbers * driven_m + self._phases).sum(axis=1)
        roll, pitch, height_m = self._constant + self._amplitudes * waves
        return Standing(float(roll), float(pitch), float(height_m))

    def applied(self, pose: Pose, driven_m: float) -> Pose:
        """Return the pose of `base_link` of a robot whose wheels stand at a pose."""
        stands = self.after(driven_m)
        tilt = Rotation.from_euler('YX', [stands.pitch, stands.roll])
        x, y, z = pose.rotation.apply([0.0, 0.0, stands.height_m])
        turned = (pose.rotation * tilt).as_quat()
        return Pose.from_array([pose.x + x, pose.y + y, pose.z + z, *turned])
