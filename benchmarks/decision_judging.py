"""The decisions about the drives of decisions.py, judged by the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from decision_worlds import Driven
from husky_placerec.config import Config
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.calibrating.samples import (
    DescribedDrive,
    is_right,
    RIGHT_DEG,
    RIGHT_M,
)
from husky_placerec.recognition.calibration import Calibration
from husky_placerec.recognition.descriptor_recognizer import DescriptorRecognizer
from husky_placerec.types import Floats, Mask, Pose, Recognition
import numpy as np
from scipy.spatial.transform import Rotation

SINGLE, SEQUENCE, ALWAYS, THRESHOLD = 'single frame', 'sequence', 'top-1 always', 'similarity'
METHODS = ALWAYS, THRESHOLD, SINGLE, SEQUENCE
SETTLED_M = 15.0  # from here on a drive ought to be recognised


@dataclass(frozen=True)
class Frames:
    """
    N judged frames of one drive, by method where a mapping; NaN or False where not measured.

    :param right: whether the pose is right, and `near` whether it is also within 5 m.
    :param along_m: error along the road.
    :param inside: whether the truth lies in the 95 % ellipse of the covariance.
    :param on_map: whether the map could give a right pose.
    :param settled: whether the robot has been on the map for SETTLED_M.
    :param similarity: of the best candidate.
    """

    accepted: dict[str, Mask]
    right: dict[str, Mask]
    near: dict[str, Mask]
    probability: dict[str, Floats]
    along_m: dict[str, Floats]
    inside: dict[str, Mask]
    on_map: Mask
    settled: Mask
    similarity: Floats


@dataclass(frozen=True)
class Measurer:
    """
    Decides about drives and judges the decisions.

    :param threshold: similarity from which the baseline accepts the best candidate.
    :param wheels: use the odometry.
    """

    config: Config
    calibration: Calibration
    threshold: float
    wheels: bool

    def __call__(self, place_map: PlaceMap, drive: Driven) -> Frames:
        said = decided(place_map, drive, self.config, self.calibration, self.wheels)
        return judged(said, drive, place_map, self.threshold)


def decided(
    place_map: PlaceMap,
    drive: Driven | DescribedDrive,
    config: Config,
    calibration: Calibration,
    wheels: bool,
) -> list[Recognition]:
    """Return the decisions of the robot on a drive."""
    recognizer = DescriptorRecognizer(place_map, config, calibration)
    wheels_at = drive.odometry if isinstance(drive, DescribedDrive) else drive.wheels
    if isinstance(drive, Driven):
        drive = drive.described
    said = []
    for row in range(len(drive)):
        stamp_ns = int(drive.stamps_ns[row])
        if wheels and wheels_at is not None:
            recognizer.odometry.add_recorded(stamp_ns, Pose.from_array(wheels_at[row]))
            recognizer.odometry.take_new()
        query = np.asarray(drive.descriptors[row], np.float32)
        result = drive.searched(recognizer, row, query)
        said.append(recognizer.decide(stamp_ns, {}, result, unusable=not query.any()))
    return said


def judged(
    said: Sequence[Recognition],
    drive: Driven | DescribedDrive,
    place_map: PlaceMap,
    threshold: float,
) -> Frames:
    """Judge decisions by the true poses of the drive."""
    truths = [Pose.from_array(pose) for pose in drive.poses]
    on_map = answerable(place_map, drive.poses)
    driven = np.linalg.norm(np.diff(drive.poses[:, :2], axis=0, prepend=np.nan), axis=1)
    return Frames(
        {
            ALWAYS: np.array([bool(r.candidates) for r in said]),
            THRESHOLD: np.array([bool(r.best) and r.best.similarity >= threshold for r in said]),
            SINGLE: np.array([bool(r.measurement and r.measurement.accepted) for r in said]),
            SEQUENCE: np.array([r.accepted for r in said]),
        },
        *(
            {name: _true(said, name, truths, test) for name in METHODS}
            for test in (is_right, lambda p, t: is_right(p, t) and p.distance_m(t) <= 5)
        ),
        {
            SINGLE: np.array([_number(r.measurement and r.measurement.probability) for r in said]),
            SEQUENCE: np.array([_number(r.probability) for r in said]),
        },
        {name: _numbers(said, name, truths, along_m) for name in METHODS},
        {name: _numbers(said, name, truths, mahalanobis) <= 5.991 for name in (SINGLE, SEQUENCE)},
        on_map,
        _settled(on_map, driven),
        np.array([r.best.similarity if r.best else -1.0 for r in said]),
    )


def answerable(place_map: PlaceMap, poses: Floats) -> Mask:
    """
    Return [N] for which true poses [N, 7] the map could give a right pose.

    Where the robot turns off the mapped road, places are still near but face another way. A place
    that was passed in the other direction counts, because its pose can be turned round.
    """
    near = place_map.positions.query_ball_point(poses[:, :2], RIGHT_M)
    places = place_map.places.poses
    facing, yaws = heading(places), heading(poses)
    most = np.cos(np.radians(RIGHT_DEG))
    reverses = place_map.opposites is not None
    return np.array(
        [
            bool((np.abs(c) if reverses else c).max(initial=-1.0) >= most)
            for c in (np.cos(facing[found] - yaw) for found, yaw in zip(near, yaws))
        ]
    )


def heading(poses: Floats) -> Floats:
    """Return [N] yaws of poses [N, 7]."""
    return Rotation.from_quat(poses[:, 3:]).as_euler('ZYX')[:, 0]


def _settled(on_map: Mask, driven: Floats) -> Mask:
    """Return [N] where the robot has been on the map for SETTLED_M."""
    since, rows = 0.0, []
    for there, metres in zip(on_map.tolist(), np.nan_to_num(driven).tolist()):
        since = since + metres if there else -metres
        rows.append(there and since >= SETTLED_M)
    return np.array(rows, np.bool_)


def pose_by(recognition: Recognition, method: str) -> Pose | None:
    """Return the pose that a method would publish; a baseline publishes that of the place."""
    if method == SEQUENCE:
        return recognition.estimate
    if method == SINGLE:
        return recognition.measurement.pose if recognition.measurement else None
    return recognition.best.pose if recognition.best else None


def along_m(recognition: Recognition, method: str, pose: Pose, truth: Pose) -> float:
    """Return the error along the road, m."""
    return abs((truth.inverse() @ pose).x)


def mahalanobis(recognition: Recognition, method: str, pose: Pose, truth: Pose) -> float:
    """Return the squared Mahalanobis distance of the truth in the plane."""
    by = recognition if method == SEQUENCE else recognition.measurement
    if by is None or by.covariance_xy is None:
        return np.nan
    xx, xy, yy = by.covariance_xy
    error = np.array([truth.x - pose.x, truth.y - pose.y])
    return float(error @ np.linalg.solve([[xx, xy], [xy, yy]], error))


def _true(
    said: Sequence[Recognition],
    method: str,
    truths: Sequence[Pose],
    test: Callable[[Pose, Pose], bool],
) -> Mask:
    poses = [pose_by(r, method) for r in said]
    return np.array([p is not None and test(p, t) for p, t in zip(poses, truths)])


def _numbers(
    said: Sequence[Recognition],
    method: str,
    truths: Sequence[Pose],
    measure: Callable[[Recognition, str, Pose, Pose], float],
) -> Floats:
    poses = [pose_by(r, method) for r in said]
    return np.array(
        [
            measure(r, method, p, t) if p is not None else np.nan
            for r, p, t in zip(said, poses, truths)
        ]
    )


def _number(value: float | None) -> float:
    return np.nan if value is None else value
