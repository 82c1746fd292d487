"""The poses in a bag, of all message types with poses."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.data.bag_file import BagFile
from husky_placerec.data.headings import MOTION, POSES, with_headings
from husky_placerec.data.navsat import fix_trajectory, is_usable, sigma_of
from husky_placerec.data.soundness.messages import known_odometry, of_one_frame, sigma_of_pose
from husky_placerec.data.static_tf import BASE_FRAME, pose_in, STATIC_TF, TF_TYPE, transforms_of
from husky_placerec.data.trajectory import Trajectory
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
LEVEL = [0.0, 0.0, 0.0, 1.0]
NO_ORIENTATION = -1.0  # first covariance of an Imu without orientation


def pose_topics(bag: BagFile) -> list[str]:
    """
    Return the topics with poses, of the best kind that the bag has.

    The order is: poses that do not drift, satellite fixes, poses in the frame `odom`.
    """
    topics = [name for name, kind in bag.topics.items() if kind in POSE_TYPES]
    steady = [name for name in topics if _frame(bag, name) != ODOMETRY_FRAME]
    fixes = [name for name, kind in bag.topics.items() if kind == FIX_TYPE]
    return steady or fixes or topics


def odometry_topic(bag: BagFile) -> str | None:
    """Return the topic with the odometry of the robot; None without one."""
    topics = [name for name, kind in bag.topics.items() if kind == POSE_TYPES[0]]
    drifting = [n for n in topics if _frame(bag, n) == ODOMETRY_FRAME]
    return drifting[0] if drifting else None


def read_trajectory(
    bag: BagFile, topic: str, heading: str | None = None, origin: GeoOrigin | None = None
) -> Trajectory:
    """
    Read the poses of a topic of Odometry, PoseStamped, PoseWithCovarianceStamped or NavSatFix.

    Poses of another part of the robot are moved to base_link if the bag has the static transforms.

    :param heading: topic with the orientation: one of those types, or Imu; `motion`: that of the
        motion; None: that of the poses, and of the motion for fixes.
    :param origin: of the local frame of fixes; None: the first sound fix.
    :raises InputError: for a topic that the bag lacks, and as `Trajectory.make`.
    """
    name = bag.resolve(topic, (*POSE_TYPES, FIX_TYPE))
    if bag.topics[name] == FIX_TYPE:
        return _fixes(bag, name, heading, origin)
    if heading in (None, POSES):
        return _of_base(bag, _poses(bag, name))
    read = _poses(bag, name, level=True)
    return _placed(bag, with_headings(read, _turns(bag, heading)), read.child_frame_id)


def _poses(bag: BagFile, name: str, *, level: bool = False) -> Trajectory:
    """Read the poses of a topic as they are, or level ones instead of their orientations."""
    stamps, poses, sigmas, frames = [], [], [], []
    for _, stamp_ns, message in bag.messages({name: name}):
        pose = getattr(message.pose, 'pose', message.pose)
        p, q = pose.position, pose.orientation
        stamps.append(stamp_ns)
        turn = LEVEL if level else [q.x, q.y, q.z, q.w]
        poses.append([p.x, p.y, p.z, *turn])
        sigmas.append(sigma_of_pose(getattr(message.pose, 'covariance', None)))
        frames.append((message.header.frame_id, getattr(message, 'child_frame_id', '')))
    return of_one_frame(stamps, poses, sigmas, frames, f'{bag.path} {name}')


def _frame(bag: BagFile, topic: str) -> str:
    """Return the frame of the first pose of a topic."""
    first = next(message for _, _, message in bag.messages({topic: topic}))
    return str(first.header.frame_id).lstrip('/')


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
    topic = odometry_topic(bag)
    return None if topic is None else read_trajectory(bag, topic)


def _placed(bag: BagFile, trajectory: Trajectory, part: str) -> Trajectory:
    """Move positions of a part of the robot, with headings of base_link, to base_link."""
    if part in ('', BASE_FRAME):
        return trajectory
    arm = pose_in(_static_transforms(bag), BASE_FRAME, part)
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
