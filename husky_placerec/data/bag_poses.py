"""The poses in a bag, of all message types with poses."""

from __future__ import annotations

from typing import Any

from husky_placerec.data.bag_file import BagFile
from husky_placerec.data.navsat import fix_trajectory, is_usable
from husky_placerec.data.static_tf import BASE_FRAME, pose_in, STATIC_TF, TF_TYPE, transforms_of
from husky_placerec.data.trajectory import refuse_heading, Trajectory
from husky_placerec.errors import InputError
from husky_placerec.types import GeoOrigin, Pose
import numpy as np

ODOMETRY_FRAME = 'odom'  # REP 105: continuous, but drifts
POSE_TYPES = (
    'nav_msgs/msg/Odometry',
    'geometry_msgs/msg/PoseStamped',
    'geometry_msgs/msg/PoseWithCovarianceStamped',
)
FIX_TYPE = 'sensor_msgs/msg/NavSatFix'
IMU_TYPE = 'sensor_msgs/msg/Imu'
NO_ORIENTATION = -1.0  # first covariance of an Imu without orientation


def pose_topics(bag: BagFile) -> list[str]:
    """
    Return the topics with poses, of the best kind that the bag has.

    The order is: poses that do not drift, satellite fixes, poses in the frame `odom`.
    """
    topics = [name for name, kind in bag.topics.items() if kind in POSE_TYPES]
    steady = [name for name in topics if _first(bag, name).header.frame_id != ODOMETRY_FRAME]
    fixes = [name for name, kind in bag.topics.items() if kind == FIX_TYPE]
    return steady or fixes or topics


def odometry_topic(bag: BagFile) -> str | None:
    """Return the topic with the odometry of the robot; None without one."""
    topics = [name for name, kind in bag.topics.items() if kind == POSE_TYPES[0]]
    drifting = [n for n in topics if _first(bag, n).header.frame_id == ODOMETRY_FRAME]
    return drifting[0] if drifting else None


def read_trajectory(
    bag: BagFile, topic: str, heading: str | None = None, origin: GeoOrigin | None = None
) -> Trajectory:
    """
    Read the poses of a topic of Odometry, PoseStamped, PoseWithCovarianceStamped or NavSatFix.

    Poses of another part of the robot are moved to base_link if the bag has the static transforms.

    :param heading: topic with the orientation for satellite fixes: one of those types, or Imu.
    :param origin: of the local frame of fixes; None: the first fix.
    :raises InputError: for a topic that the bag lacks, and as `Trajectory.make`.
    """
    name = bag.resolve(topic, (*POSE_TYPES, FIX_TYPE))
    if bag.topics[name] == FIX_TYPE:
        return _fixes(bag, name, heading, origin)
    refuse_heading(heading, f'{bag.path} {name}')
    stamps, poses, frames = [], [], ('', '')
    for _, stamp_ns, message in bag.messages({name: name}):
        pose = getattr(message.pose, 'pose', message.pose)
        p, q = pose.position, pose.orientation
        stamps.append(stamp_ns)
        poses.append([p.x, p.y, p.z, q.x, q.y, q.z, q.w])
        frames = message.header.frame_id, getattr(message, 'child_frame_id', '')
    return _of_base(bag, Trajectory.make(stamps, poses, f'{bag.path} {name}', *frames))


def _first(bag: BagFile, topic: str) -> Any:
    return next(message for _, _, message in bag.messages({topic: topic}))


def _fixes(bag: BagFile, name: str, heading: str | None, origin: GeoOrigin | None) -> Trajectory:
    turns = None if heading is None else _headings(bag, heading)
    stamps, fixes, antenna = [], [], ''
    for _, stamp_ns, fix in bag.messages({name: name}):
        if is_usable(fix):
            stamps.append(stamp_ns)
            fixes.append((fix.latitude, fix.longitude, fix.altitude))
            antenna = fix.header.frame_id.lstrip('/')
    values = np.array(fixes, np.float64).reshape(-1, 3)
    found = fix_trajectory(stamps, values, f'{bag.path} {name}', turns, origin)
    arm = pose_in(_static_transforms(bag), BASE_FRAME, antenna)
    if arm is None:
        return found.with_notes(f'positions of {antenna or "the antenna"} taken for base_link')
    # The headings are those of base_link, so that only the position of the antenna counts.
    return found.moved(Pose(-arm.x, -arm.y, -arm.z, 0.0, 0.0, 0.0, 1.0), BASE_FRAME)


def _headings(bag: BagFile, topic: str) -> Trajectory:
    """Read the orientations of base_link; the positions of this trajectory have no meaning."""
    name = bag.resolve(topic, (IMU_TYPE, *POSE_TYPES))
    if bag.topics[name] != IMU_TYPE:
        return read_trajectory(bag, name)
    stamps, poses, frame = [], [], ''
    for _, stamp_ns, imu in bag.messages({name: name}):
        if imu.orientation_covariance[0] == NO_ORIENTATION:
            raise InputError(f'{bag.path}: {name} has no orientation (its covariance is -1)')
        q = imu.orientation
        stamps.append(stamp_ns)
        poses.append([0.0, 0.0, 0.0, q.x, q.y, q.z, q.w])
        frame = imu.header.frame_id
    return _of_base(bag, Trajectory.make(stamps, poses, f'{bag.path} {name}', '', frame))


def _of_base(bag: BagFile, trajectory: Trajectory) -> Trajectory:
    """Return the poses of base_link, if the bag has the transform to it."""
    child = trajectory.child_frame_id.lstrip('/')
    if child in ('', BASE_FRAME):
        return trajectory
    base = pose_in(_static_transforms(bag), child, BASE_FRAME)
    if base is None:
        return trajectory
    note = f'poses of {child}, moved to base_link by the static transforms'
    return trajectory.moved(base, BASE_FRAME).with_notes(note)


def _static_transforms(bag: BagFile) -> dict[tuple[str, str], Pose]:
    topics = {
        name: name
        for name, kind in bag.topics.items()
        if kind == TF_TYPE and name.endswith(STATIC_TF)
    }
    found: dict[tuple[str, str], Pose] = {}
    for message in bag.unstamped(topics) if topics else ():
        found |= transforms_of(message)
    return found
