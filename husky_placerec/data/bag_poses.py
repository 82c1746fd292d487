"""The poses in a bag, of all message types with poses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from husky_placerec.data.bag_file import BagFile
from husky_placerec.data.bag_tf import read_tf, static_transforms, tf_topics
from husky_placerec.data.frames import BASE_FRAME, is_base_frame, is_odometry_frame
from husky_placerec.data.headings import MOTION, POSES, with_headings
from husky_placerec.data.navsat import fix_trajectory, is_usable, sigma_of
from husky_placerec.data.soundness.messages import known_odometry, of_one_frame, sigma_of_pose
from husky_placerec.data.static_tf import pose_in, TF_TYPE
from husky_placerec.data.trajectory import Trajectory
from husky_placerec.errors import InputError
from husky_placerec.types import GeoOrigin, Pose
import numpy as np

POSE_TYPES = (
    'nav_msgs/msg/Odometry',
    'geometry_msgs/msg/PoseStamped',
    'geometry_msgs/msg/PoseWithCovarianceStamped',
    'geometry_msgs/msg/TransformStamped',
)
FIX_TYPE = 'sensor_msgs/msg/NavSatFix'
IMU_TYPE = 'sensor_msgs/msg/Imu'
LEVEL = [0.0, 0.0, 0.0, 1.0]
NO_ORIENTATION = -1.0  # first covariance of an Imu without orientation


def pose_topics(bag: BagFile) -> list[str]:
    """
    Return the topics with poses, of the best kind that the bag has.

    The order is: poses that do not drift, satellite fixes, TF from `map` to `base_link`, poses in
    a frame `odom`.
    """
    drifting = drifting_topics(bag)
    steady = [n for n, kind in bag.topics.items() if kind in POSE_TYPES and n not in drifting]
    fixes = [name for name, kind in bag.topics.items() if kind == FIX_TYPE]
    return steady or fixes or tf_topics(bag) or drifting


def drifting_topics(bag: BagFile) -> list[str]:
    """Return the topics with poses in a frame `odom`, which drift."""
    topics = [name for name, kind in bag.topics.items() if kind in POSE_TYPES]
    return [name for name in topics if is_odometry_frame(frame_of(bag, name))]


def read_trajectory(
    bag: BagFile, topic: str, heading: str | None = None, origin: GeoOrigin | None = None
) -> Trajectory:
    """
    Read the poses of a topic of one of POSE_TYPES, of NavSatFix or of TF.

    Poses of another part of the robot are moved to base_link if the bag has the static transforms.

    :param heading: topic with the orientation: one of those types, or Imu; `motion`: that of the
        motion; None: that of the poses, and of the motion for fixes.
    :param origin: of the local frame of fixes; None: the first sound fix.
    :raises InputError: for a topic that the bag lacks, and as `Trajectory.make`.
    """
    name = bag.resolve(topic, (*POSE_TYPES, FIX_TYPE, TF_TYPE))
    if bag.topics[name] == FIX_TYPE:
        return _fixes(bag, name, heading, origin)
    source = f'{bag.path} {name}'
    if heading in (None, POSES):
        read = read_tf(bag, name) if bag.topics[name] == TF_TYPE else _poses(bag, name, source)
        return _of_base(bag, read)
    level = bag.topics[name] != TF_TYPE
    read = _poses(bag, name, source, level=True) if level else read_tf(bag, name)
    return _placed(bag, with_headings(read, _turns(bag, heading)), read.child_frame_id)


def _poses(bag: BagFile, name: str, source: str, *, level: bool = False) -> Trajectory:
    """Read the poses of a topic as they are, or level ones instead of their orientations."""
    stamps, poses, sigmas, frames = [], [], [], []
    for _, stamp_ns, message in bag.messages({name: name}):
        numbers = _numbers(message)
        stamps.append(stamp_ns)
        poses.append([*numbers[:3], *LEVEL] if level else numbers)
        sigmas.append(sigma_of_pose(getattr(getattr(message, 'pose', None), 'covariance', None)))
        frames.append((message.header.frame_id, getattr(message, 'child_frame_id', '')))
    return of_one_frame(stamps, poses, sigmas, frames, source, bag.problems)


def _numbers(message: Any) -> list[float]:
    """Return x y z qx qy qz qw of a message of one of POSE_TYPES."""
    if hasattr(message, 'transform'):
        p, q = message.transform.translation, message.transform.rotation
    else:
        pose = getattr(message.pose, 'pose', message.pose)
        p, q = pose.position, pose.orientation
    return [p.x, p.y, p.z, q.x, q.y, q.z, q.w]


def frame_of(bag: BagFile, topic: str) -> str:
    """Return the frame of the first message that can be read; empty without one."""
    return next((m.header.frame_id for _, _, m in bag.messages({topic: topic})), '')


def _fixes(bag: BagFile, name: str, heading: str | None, origin: GeoOrigin | None) -> Trajectory:
    if heading == POSES:
        raise InputError(f'--heading {POSES}: {bag.path} {name} are fixes, without orientations')
    stamps, fixes, sigmas, antenna = [], [], [], ''
    for _, stamp_ns, fix in bag.messages({name: name}):
        if is_usable(fix):
            stamps.append(stamp_ns)
            fixes.append((fix.latitude, fix.longitude, fix.altitude))
            sigmas.append(sigma_of(fix))
            antenna = fix.header.frame_id.lstrip('/')
    values = np.array(fixes, np.float64).reshape(-1, 3)
    wheels = known_odometry(lambda: _odometry(bag))
    found = fix_trajectory(stamps, values, f'{bag.path} {name}', origin, sigmas, wheels)
    if heading is None:
        found = found.with_notes(
            'no --heading: it is that of the motion, so the robot must not have driven backwards'
        )
    return _placed(bag, with_headings(found, _turns(bag, heading)), antenna or 'the antenna')


def _odometry(bag: BagFile) -> Trajectory | None:
    topics = [name for name in drifting_topics(bag) if bag.topics[name] == POSE_TYPES[0]]
    return read_trajectory(bag, topics[0]) if topics else None


def _placed(bag: BagFile, trajectory: Trajectory, part: str) -> Trajectory:
    """Move positions of a part of the robot, with headings of base_link, to base_link."""
    if is_base_frame(part):
        return trajectory
    arm = pose_in(static_transforms(bag), BASE_FRAME, part)
    if arm is None:
        return replace(trajectory, child_frame_id='').with_notes(
            f'positions of {part} taken for base_link'
        )
    # The headings are those of base_link, so that only the position of the part counts.
    return trajectory.moved(Pose(-arm.x, -arm.y, -arm.z, 0.0, 0.0, 0.0, 1.0), BASE_FRAME)


def _turns(bag: BagFile, heading: str | None) -> Trajectory | None:
    """Return the orientations that the user names; None for the direction of motion."""
    return None if heading in (None, MOTION) else read_headings(bag, heading)


def read_headings(bag: BagFile, topic: str) -> Trajectory:
    """
    Read the orientations of base_link; the positions of this trajectory have no meaning.

    :raises InputError: for a topic that the bag lacks, or an Imu without orientation.
    """
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
    return _of_base(
        bag, Trajectory.make(stamps, poses, f'{bag.path} {name}', '', frame, problems=bag.problems)
    )


def _of_base(bag: BagFile, trajectory: Trajectory) -> Trajectory:
    """Return the poses of base_link, if the bag has the transform to it."""
    child = trajectory.child_frame_id.lstrip('/')
    if is_base_frame(child):
        return replace(trajectory, child_frame_id=BASE_FRAME if child else '')
    base = pose_in(static_transforms(bag), child, BASE_FRAME)
    if base is None:
        return trajectory
    note = f'poses of {child}, moved to base_link by the static transforms'
    return trajectory.moved(base, BASE_FRAME).with_notes(note)
