"""The words of place recognition as data, shared by every part of the package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
import math
from typing import Any, Generic, TypeAlias, TypeVar

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
# From a camera, and the width and height of its image, to the least size that it is needed at.
CameraNeeds: TypeAlias = Callable[[str, int, int], tuple[int, int]]
Classes = NDArray[np.uint8]  # [H, W], the number of a class in each pixel: a semantic mask

SECOND_NS = 1_000_000_000
Quaternion: TypeAlias = tuple[float, float, float, float]  # x, y, z, w


@dataclass(frozen=True)
class Frame(Generic[Image]):
    """
    The images of one moment, by camera name.

    `stamp_ns` is the stamp of the first camera, or of the row of a track's table.
    `image_stamps_ns` has the stamp of each image. A camera without an image is in neither mapping.
    `masks` has the semantic masks of the images that have one.

    >>> import numpy as np
    >>> image = np.zeros((192, 320, 3), np.uint8)
    >>> frame = Frame(0, {'front': image, 'back': image}, {'front': 0, 'back': 400_000})
    >>> frame.cameras
    ('front', 'back')
    """

    stamp_ns: int
    images: Mapping[str, Image]
    image_stamps_ns: Mapping[str, int]
    masks: Mapping[str, Any] = field(default_factory=dict)

    @property
    def cameras(self) -> tuple[str, ...]:
        """The names of the cameras with an image."""
        return tuple(self.images)


@dataclass(frozen=True)
class Pose:
    """
    A pose of `base_link` in the map frame: position in metres (ENU) and unit quaternion.

    >>> import math
    >>> pose = Pose.planar(1.0, 2.0, yaw=math.pi / 2)
    >>> ahead = pose @ Pose.planar(3.0, 0.0, yaw=0.0)
    >>> round(ahead.x, 6), round(ahead.y, 6)
    (1.0, 5.0)
    """

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
        return cls(x, y, z, 0.0, 0.0, math.sin(yaw / 2), math.cos(yaw / 2))

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
    def _turn(self) -> Quaternion:
        """The quaternion, of unit length."""
        length = math.hypot(self.qx, self.qy, self.qz, self.qw)
        return self.qx / length, self.qy / length, self.qz / length, self.qw / length

    @property
    def rotation(self) -> Rotation:
        """The orientation: takes vectors of the body to the map."""
        return Rotation.from_quat([self.qx, self.qy, self.qz, self.qw])

    def __matmul__(self, other: Pose) -> Pose:
        """Return `other`, which is given in this pose's own frame, in the map frame."""
        # A Rotation takes ten times as long for one product, and each frame has several.
        turn = self._turn
        x, y, z = _rotated(turn, (other.x, other.y, other.z))
        return Pose(self.x + x, self.y + y, self.z + z, *_product(turn, other._turn))

    def inverse(self) -> Pose:
        """Return the map frame's own pose, seen from this one."""
        x, y, z, w = self._turn
        back = -x, -y, -z, w
        return Pose(*_rotated(back, (-self.x, -self.y, -self.z)), *back)

    def turned_round(self) -> Pose:
        """Return the same place faced the other way: half a turn about the body's own z axis."""
        # The product of the quaternions (qx, qy, qz, qw) and (0, 0, 1, 0).
        return Pose(self.x, self.y, self.z, self.qy, -self.qx, self.qw, -self.qz)

    def moved(self, ahead_m: float, left_m: float) -> Pose:
        """Return the pose that lies ahead and to the left in the body's own frame."""
        qx, qy, qz, qw = self.qx, self.qy, self.qz, self.qw
        x = (1 - 2 * (qy * qy + qz * qz)) * ahead_m + 2 * (qx * qy - qz * qw) * left_m
        y = 2 * (qx * qy + qz * qw) * ahead_m + (1 - 2 * (qx * qx + qz * qz)) * left_m
        z = 2 * (qx * qz - qy * qw) * ahead_m + 2 * (qy * qz + qx * qw) * left_m
        return Pose(self.x + x, self.y + y, self.z + z, qx, qy, qz, qw)

    def distance_m(self, other: Pose) -> float:
        """Return the distance between the two positions in the plane, in metres."""
        return math.hypot(self.x - other.x, self.y - other.y)

    def angle_deg(self, other: Pose) -> float:
        """Return the angle of the rotation between the two orientations, 0 to 180 degrees."""
        mine = self.qx, self.qy, self.qz, self.qw
        others = other.qx, other.qy, other.qz, other.qw
        apart = math.dist(mine, others)
        together = math.dist(mine, [-value for value in others])
        # q and -q are one orientation; the arc tangent is exact also where the angle is small.
        return math.degrees(4 * math.atan2(min(apart, together), max(apart, together)))


def _product(one: Quaternion, other: Quaternion) -> Quaternion:
    """Return the quaternion of a rotation that is turned by another: one * other."""
    (ax, ay, az, aw), (bx, by, bz, bw) = one, other
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by + ay * bw + az * bx - ax * bz,
        aw * bz + az * bw + ax * by - ay * bx,
        aw * bw - ax * bx - ay * by - az * bz,
    )


def _rotated(turn: Quaternion, vector: tuple[float, float, float]) -> tuple[float, float, float]:
    """Return a vector rotated by a unit quaternion."""
    x, y, z, w = turn
    a, b, c = vector
    # v + 2 w (u x v) + 2 u x (u x v), with u = (x, y, z).
    p, q, r = 2 * (y * c - z * b), 2 * (z * a - x * c), 2 * (x * b - y * a)
    return (
        a + w * p + y * r - z * q,
        b + w * q + z * p - x * r,
        c + w * r + x * q - y * p,
    )


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


class State(str, Enum):
    """
    How sure the robot is of its pose; only LOCALIZED accepts one.

    LOCALIZED begins at a higher probability than it ends (hysteresis).
    """

    LOST = 'LOST'
    TENTATIVE = 'TENTATIVE'
    LOCALIZED = 'LOCALIZED'


class Reason(str, Enum):
    """Why a pose is refused. The values are an interface: other programs read them."""

    NO_CANDIDATE = 'no_candidate'  # no place of the map shares a camera with the frame
    LOW_SIMILARITY = 'low_similarity'  # no place is similar enough
    AMBIGUOUS = 'ambiguous'  # places elsewhere are nearly as similar
    CAMERAS_DISAGREE = 'cameras_disagree'  # one camera supports the place, another does not
    IMAGE_UNUSABLE = 'image_unusable'  # every image is black, saturated, covered or blurred
    MOTION_DISAGREES = 'motion_disagrees'  # the robot cannot have driven there
    UNKNOWN_PLACE = 'unknown_place'  # the robot is more likely off the map than on it
    UNCALIBRATED = 'uncalibrated'  # no drive has measured what the evidence is worth here
    WAITING_FOR_SEQUENCE = 'waiting_for_sequence'  # the pose still lacks evidence


@dataclass(frozen=True)
class Candidate:
    """
    A place that may show what the query shows.

    `similarity` is the mean cosine over the cameras that the query and the place share, -1 to 1.
    `cosines` has the cosine of each of these cameras, by the name of the query's camera.
    `reversed` is True where the robot faces the other way than when the place was mapped; `pose`
    is then the pose of the place after half a turn. `reversed` is None where the descriptor cannot
    tell the direction. `probability` is that of being at this pose, by all frames until now; None
    without the sequence filter.
    """

    place: int
    similarity: float
    reversed: bool | None
    pose: Pose
    cosines: Mapping[str, float] = field(default_factory=dict)
    probability: float | None = None


@dataclass(frozen=True)
class Measurement:
    """
    What one frame says by itself, without the frames before it. A filter may be fed with it.

    `pose` is the estimate, whether it was accepted or not. `probability` is the probability that
    the pose is right. `covariance` has the variances of x, y, z (m^2) and roll, pitch, yaw (rad^2)
    in the map frame. `covariance_xy` is the block (xx, xy, yy) of the plane, because the error is
    mostly along the road. The three are None where the map is not calibrated.
    """

    accepted: bool
    reason: str | None
    pose: Pose | None
    probability: float | None = None
    covariance: tuple[float, ...] | None = None
    covariance_xy: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class TextAgreement:
    """
    How the texts of a frame agree with the place of the estimate.

    `read` are the texts of the frame. `common` is the greatest similarity of one to a text of the
    place, and `contradiction` by how much one is more similar to a text elsewhere; 0 to 1.
    """

    read: tuple[str, ...]
    common: float
    contradiction: float


@dataclass(frozen=True)
class MetricPose:
    """
    The pose of a frame by the landmarks of the map.

    `solved` tells whether it has enough inliers; `reason` says why not. `pose` is the best pose,
    solved or not. `covariance` has 36 numbers, row by row, of x, y, z (m) and of rotations about
    the axes of the map (rad), as in ROS; it is scaled as the places of the map themselves have
    shown. `inliers` are different key points, by camera, and `matches` all that were tried.
    `place` and `reversed` tell beside which candidate it was solved. `lead` is by how many inliers
    it leads over the best candidate elsewhere; None where there is none. `up` is the direction of
    gravity in `base_link` that was used; None: none was measured.
    """

    solved: bool
    reason: str | None
    pose: Pose | None
    covariance: tuple[float, ...] | None
    inliers: Mapping[str, int]
    matches: int
    place: int
    reversed: bool
    lead: int | None = None
    up: tuple[float, float, float] | None = None

    @property
    def variances(self) -> tuple[float, ...] | None:
        """The variances of x, y, z, roll, pitch and yaw."""
        return None if self.covariance is None else self.covariance[::7]

    @property
    def covariance_xy(self) -> tuple[float, float, float] | None:
        """The block (xx, xy, yy) of the plane."""
        found = self.covariance
        return None if found is None else (found[0], found[1], found[7])


@dataclass(frozen=True)
class Recognition:
    """
    The decision about one frame.

    `pose` is the estimate, whether it was accepted or not; publish it only where `accepted` is
    True. `reason` says why it was refused. `margin` is the lead of the best candidate in
    similarity over the best place that contradicts it; None where nothing contradicts.
    `probability` and `covariance` are defined as in a Measurement.

    With the sequence filter these values are the posterior of all frames until now: `state` is
    LOST, TENTATIVE or LOCALIZED, `proof` is the cumulative log likelihood ratio of the estimate,
    `chosen` is the place of the estimate, which need not be among the candidates, and
    `measurement` is what this frame says alone. Without the sequence filter the values are those
    of `measurement`, and `state` is None. `texts` is None where no text was read, or the map has
    none.

    `metric` is the pose by landmarks, where the map has them. Where it is solved beside the place
    of the estimate, pose and covariance are by it.

    >>> found = Candidate(7, 0.93, False, Pose.planar(1.0, 2.0, yaw=0.0))
    >>> said = Recognition(0, {'front': 0}, True, None, (found,))
    >>> said.best.place, said.pose.x
    (7, 1.0)
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
    metric: MetricPose | None = None
    texts: TextAgreement | None = None

    @property
    def best(self) -> Candidate | None:
        """The candidate with the highest similarity."""
        return self.candidates[0] if self.candidates else None

    @property
    def pose(self) -> Pose | None:
        """The estimate; without one the pose of the best candidate."""
        if self.estimate is not None:
            return self.estimate
        return self.best.pose if self.best else None
