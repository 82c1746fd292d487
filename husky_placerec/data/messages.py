"""ROS messages and their CDR bytes, made without ROS."""

from __future__ import annotations

from typing import Any

from husky_placerec.types import Pose, SECOND_NS
import numpy as np
from rosbags.typesys import get_typestore, Stores

IMAGE = 'sensor_msgs/msg/CompressedImage'
ODOMETRY = 'nav_msgs/msg/Odometry'

STORE = get_typestore(Stores.ROS2_JAZZY)
TYPES = {name.split('/')[-1]: message for name, message in STORE.types.items()}


def serialized(message: Any, kind: str) -> bytes:
    """Return the CDR bytes of a message of the type `package/msg/Name`."""
    return bytes(STORE.serialize_cdr(message, kind))


def header(stamp_ns: int, frame_id: str) -> Any:
    """Make a Header."""
    return TYPES['Header'](TYPES['Time'](*divmod(stamp_ns, SECOND_NS)), frame_id)


def vector(x: float, y: float, z: float) -> Any:
    """Make a Vector3."""
    return TYPES['Vector3'](x, y, z)


def quaternion(pose: Pose) -> Any:
    """Make the Quaternion of a pose."""
    return TYPES['Quaternion'](pose.qx, pose.qy, pose.qz, pose.qw)


def compressed_image(stamp_ns: int, frame_id: str, data: bytes, form: str) -> Any:
    """
    Make a CompressedImage.

    :param form: 'jpeg' or 'png'.
    """
    pixels = np.frombuffer(data, np.uint8)
    return TYPES['CompressedImage'](header(stamp_ns, frame_id), form, pixels)


def odometry(stamp_ns: int, frame_id: str, pose: Pose, speed_m_per_s: float = 0.0) -> Any:
    """Make an Odometry of `base_link`, with no covariance."""
    place = TYPES['Pose'](TYPES['Point'](pose.x, pose.y, pose.z), quaternion(pose))
    twist = TYPES['Twist'](vector(speed_m_per_s, 0.0, 0.0), vector(0.0, 0.0, 0.0))
    return TYPES['Odometry'](
        header(stamp_ns, frame_id),
        'base_link',
        TYPES['PoseWithCovariance'](place, np.zeros(36)),
        TYPES['TwistWithCovariance'](twist, np.zeros(36)),
    )
