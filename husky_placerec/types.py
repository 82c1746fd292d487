"""The words of place recognition as data, shared by every part of the package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
import math
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Image = TypeVar('Image')
# Each array alias of the package stands here, once.
Pixels = NDArray[np.uint8]  # [H, W, 3], RGB
FloatArray = NDArray[np.float32]  # descriptors and what is computed from them
Floats = NDArray[np.float64]  # poses, evidence, probabilities
Indices = NDArray[np.int64]  # rows of a map or a drive, stamps in ns
Mask = NDArray[np.bool_]

SECOND_NS = 1_000_000_000


@dataclass(frozen=True)
class Frame(Generic[Image]):
    """
    Images of one moment, by camera name.

    `stamp_ns` is that of the first camera in it, or what a track's table says; `image_stamps_ns`
    has each image's own.
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
        return cls(*np.asarray(values, np.float64).tolist())

    @classmethod
    def planar(cls, x: float, y: float, yaw: float, z: float = 0.0) -> Pose:
        """Make the pose of a robot on level ground; yaw in radians, from x towards y."""
        return cls(x, y, z, 0.0, 0.0, float(np.sin(yaw / 2)), float(np.cos(yaw / 2)))

    def as_array(self) -> NDArray[np.float64]:
        """Return [7]: x y z qx qy qz qw."""
        return np.array((self.x, self.y, self.z, self.qx, self.qy, self.qz, self.qw))

    @property
    def yaw(self) -> float:
        """The heading in the plane in radians, from x towards y."""
        # Of the body's x axis in the map, which a Rotation takes far longer to tell.
        x, y, z, w = self.qx, self.qy, self.qz, self.qw
        return math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))

    @property
    def rotation(self) -> Rotation:
        """The orientation: takes vectors of the body to the map."""
        return Rotation.from_quat([self.qx, self.qy, self.qz, self.qw])

    def __matmul__(self, other: Pose) -> Pose:
        """Return `other`, which is given in this pose's own frame, in the map frame."""
        shift = self.rotation.apply([other.x, other.y, other.z])
        turn = (self.rotation * other.rotation).as_quat()
        return Pose.from_array([self.x + shift[0], self.y + shift[1], self.z + shift[2], *turn])

    def inverse(self) -> Pose:
        """Return the map frame's own pose, seen from this one."""
        back = self.rotation.inv()
        return Pose.from_array([*(-back.apply([self.x, self.y, self.z])), *back.as_quat()])

    def turned_round(self) -> Pose:
        """Return the same place faced the other way: half a turn about the body's own z axis."""
        # The product of the quaternions (qx, qy, qz, qw) and (0, 0, 1, 0).
        return Pose(self.x, self.y, self.z, self.qy, -self.qx, self.qw, -self.qz)

    def distance_m(self, other: Pose) -> float:
        """Return the distance between the two positions in the plane, in metres."""
        return float(np.hypot(self.x - other.x, self.y - other.y))

    def angle_deg(self, other: Pose) -> float:
        """Return the angle of the rotation between the two orientations, 0 to 180 degrees."""
        mine = self.qx, self.qy, self.qz, self.qw
        others = other.qx, other.qy, other.qz, other.qw
        apart = math.dist(mine, others)
        together = math.dist(mine, [-value for value in others])
        # q and -q are one orientation; the arc tangent is exact also where the angle is small.
        return math.degrees(4 * math.atan2(min(apart, together), max(apart, together)))


def tum_line(stamp_ns: int, pose: Pose) -> str:
    """Return a line of a TUM trajectory; an int division keeps the stamp's digits."""
    seconds, nanoseconds = divmod(stamp_ns, SECOND_NS)
    numbers = ' '.join(f'{value:.9f}' for value in pose.as_array())
    return f'{seconds}.{nanoseconds:09d} {numbers}\n'


@dataclass(frozen=True)
class GeoOrigin:
    """Where on the Earth a map's frame has its origin (WGS 84: degrees, metres), x to the east."""

    latitude: float
    longitude: float
    altitude: float


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
    is the place's, turned round; None where the descriptor cannot tell. `cosines` has the
    similarity of each of these cameras alone, by the name of the query's.
    """

    place: int
    similarity: float
    reversed: bool | None
    pose: Pose
    cosines: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Measurement:
    """
    What one frame says by itself, whatever was before it: what a filter of others may be fed.

    `pose` is there even where it was refused. `covariance` has the variances of x, y, z (m^2),
    roll, pitch and yaw (rad^2) about the map's axes, and `covariance_xy` the whole block
    (xx, xy, yy), since the error lies along the road. Both and `probability`, that the pose is
    right, are None where nothing was calibrated.
    """

    accepted: bool
    reason: str | None
    pose: Pose | None
    probability: float | None = None
    covariance: tuple[float, ...] | None = None
    covariance_xy: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Recognition:
    """
    What was decided about one frame.

    `pose` is the estimate even where it was refused; only an accepted one may be published.
    `reason` says why it was refused. `margin` is the best candidate's lead in similarity over the
    best one elsewhere; None where there is none. `probability` and `covariance` are as in a
    Measurement.

    With a sequence all this is what the frames until now say together, `state` is LOST, TENTATIVE
    or LOCALIZED, `proof` the log of the likelihood ratio that they have come to, `chosen` the
    place that the estimate is at, which need not be among the candidates, and `measurement` is
    what this one says alone; without, the two are the same and `state` is None.
    """

    stamp_ns: int
    image_stamps_ns: Mapping[str, int]
    accepted: bool
    reason: str | None
    candidates: tuple[Candidate, ...]
    margin: float | None = None
    probability: float | None = None
    covariance: tuple[float, ...] | None = None
    state: str | None = None
    measurement: Measurement | None = None
    estimate: Pose | None = None
    covariance_xy: tuple[float, float, float] | None = None
    chosen: Candidate | None = None
    proof: float | None = None

    @property
    def best(self) -> Candidate | None:
        return self.candidates[0] if self.candidates else None

    @property
    def pose(self) -> Pose | None:
        if self.estimate is not None:
            return self.estimate
        return self.best.pose if self.best else None
