"""The words of place recognition as data, shared by every part of the package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Image = TypeVar('Image')
Pixels = NDArray[np.uint8]  # [H, W, 3], RGB

FloatArray = NDArray[np.float32]

SECOND_NS = 1_000_000_000


@dataclass(frozen=True)
class Frame(Generic[Image]):
    """
    Images of one moment, by camera name.

    `stamp_ns` is that of the first camera in it; `image_stamps_ns` has each image's own.
    A camera that gave no image is absent from both.
    """

    stamp_ns: int
    images: Mapping[str, Image]
    image_stamps_ns: Mapping[str, int]

    @property
    def cameras(self) -> tuple[str, ...]:
        return tuple(self.images)


@dataclass(frozen=True)
class Pose:
    """Pose of `base_link` in the map frame: position in metres (ENU), unit quaternion."""

    x: float
    y: float
    z: float
    qx: float
    qy: float
    qz: float
    qw: float

    @classmethod
    def from_array(cls, values: NDArray[np.floating] | list[float]) -> Pose:
        """Make a pose of [7] numbers: x y z qx qy qz qw."""
        return cls(*(float(value) for value in values))

    @classmethod
    def planar(cls, x: float, y: float, yaw: float, z: float = 0.0) -> Pose:
        """Make the pose of a robot on level ground; yaw in radians, from x towards y."""
        return cls(x, y, z, 0.0, 0.0, float(np.sin(yaw / 2)), float(np.cos(yaw / 2)))

    def as_array(self) -> NDArray[np.float64]:
        """Return [7]: x y z qx qy qz qw."""
        return np.array(astuple(self))

    def turned_round(self) -> Pose:
        """Return the same place faced the other way: half a turn about the body's own z axis."""
        half_turn = Rotation.from_quat([0, 0, 1, 0])
        turned = Rotation.from_quat([self.qx, self.qy, self.qz, self.qw]) * half_turn
        return Pose(self.x, self.y, self.z, *(float(q) for q in turned.as_quat()))

    def distance_m(self, other: Pose) -> float:
        """Return the distance between the two positions in the plane, in metres."""
        return float(np.hypot(self.x - other.x, self.y - other.y))

    def angle_deg(self, other: Pose) -> float:
        """Return the angle of the rotation between the two orientations, 0 to 180 degrees."""
        here, there = (Rotation.from_quat([p.qx, p.qy, p.qz, p.qw]) for p in (self, other))
        return float(np.degrees((here.inv() * there).magnitude()))


@dataclass(frozen=True)
class Place:
    """One entry of a map: when and where it was seen, on which drive, by which cameras."""

    stamp_ns: int
    pose: Pose
    track: str
    cameras: tuple[str, ...]


@dataclass(frozen=True)
class Candidate:
    """
    A place that a query may be.

    `similarity` is the mean cosine over the cameras that query and place share, -1 to 1.
    `reversed` says that the robot faces the other way than when the map was made, so that `pose`
    is the place's, turned round; None where the descriptor cannot tell.
    """

    place: int
    similarity: float
    reversed: bool | None
    pose: Pose


@dataclass(frozen=True)
class Recognition:
    """
    What was decided about one frame.

    `pose` is the estimate even where it was refused; only an accepted one may be published.
    `reason` says why it was refused. `probability` and `covariance` (variances of x, y, z, roll,
    pitch, yaw) are None until something has been calibrated that can tell them.
    """

    stamp_ns: int
    image_stamps_ns: Mapping[str, int]
    accepted: bool
    reason: str | None
    candidates: tuple[Candidate, ...]
    probability: float | None = None
    covariance: tuple[float, ...] | None = None
    state: str | None = None

    @property
    def best(self) -> Candidate | None:
        return self.candidates[0] if self.candidates else None

    @property
    def pose(self) -> Pose | None:
        return self.best.pose if self.best else None
