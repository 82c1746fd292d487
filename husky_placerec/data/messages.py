"""ROS messages and their CDR bytes, made without ROS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from husky_placerec.cameras.intrinsics import Intrinsics
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


def camera_info(stamp_ns: int, frame_id: str, lens: Intrinsics) -> Any:
    """Make a CameraInfo; of a lens without distortion, it is also that of rectified images."""
    # ROS counts from the middle of the first pixel.
    fx, fy, cx, cy = lens.fx, lens.fy, lens.cx - 0.5, lens.cy - 0.5
    return TYPES['CameraInfo'](
        header=header(stamp_ns, frame_id),
        height=lens.height,
        width=lens.width,
        distortion_model=lens.model,
        d=np.array(lens.distortion or (0.0,) * 5),
        k=np.array([fx, 0, cx, 0, fy, cy, 0, 0, 1], np.float64),
        r=np.eye(3).ravel(),
        p=np.array([fx, 0, cx, 0, 0, fy, cy, 0, 0, 0, 1, 0], np.float64),
        binning_x=0,
        binning_y=0,
        roi=TYPES['RegionOfInterest'](0, 0, 0, 0, False),
    )


def transforms(stamp_ns: int, parent: str, children: Mapping[str, Pose]) -> Any:
    """Make a TFMessage of the poses of frames in one parent."""
    return TYPES['TFMessage'](
        [
            TYPES['TransformStamped'](
                header(stamp_ns, parent),
                child,
                TYPES['Transform'](vector(pose.x, pose.y, pose.z), quaternion(pose)),
            )
            for child, pose in children.items()
        ]
    )


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
