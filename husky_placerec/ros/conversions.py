"""Conversions between ROS messages and the types of the core."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, PoseStamped, PoseWithCovarianceStamped, Quaternion
from geometry_msgs.msg import Pose as PoseMessage
from husky_placerec.data.images import decode_image, MAX_PIXELS, Needed
from husky_placerec.data.raw_images import UnknownEncoding
from husky_placerec.errors import InputError
from husky_placerec.types import Pixels, Pose, SECOND_NS
import numpy as np
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

MESSAGE_TYPES = {'compressed': CompressedImage, 'raw': Image}
X, Y = 0, 1  # rows and columns of a covariance


def to_pixels(message: Any, max_pixels: int = MAX_PIXELS, needed: Needed | None = None) -> Pixels:
    """
    Decode an Image or a CompressedImage into [H, W, 3] RGB.

    `data.images` decodes the encodings that sensor_msgs names; cv_bridge is asked for any other.

    :param needed: as in `decode_image`.
    :raises InputError: for an image that neither can decode.
    """
    try:
        return decode_image(message, max_pixels, needed)
    except UnknownEncoding as unknown:
        try:  # a cv_bridge that was built for another NumPy fails here only
            from cv_bridge import CvBridge

            return np.asarray(CvBridge().imgmsg_to_cv2(message, 'rgb8'), np.uint8)
        except Exception as error:  # CvBridgeError, TypeError, or what its C extension raises
            raise InputError(f'{unknown}; cv_bridge: {error}') from error


def to_image(pixels: Pixels, header: Header) -> Image:
    """Make a message of [H, W, 3] RGB pixels."""
    height, width, _ = pixels.shape
    message = Image(header=header, height=height, width=width, encoding='rgb8', step=3 * width)
    message.data.frombytes(np.ascontiguousarray(pixels).data)  # a list would take 0.1 s
    return message


def to_stamp(stamp_ns: int) -> Time:
    """Make a stamp of nanoseconds since 1970."""
    seconds, nanoseconds = divmod(stamp_ns, SECOND_NS)
    return Time(sec=seconds, nanosec=nanoseconds)


def from_stamp(stamp: Time) -> int:
    """Return the nanoseconds since 1970 of a stamp."""
    return int(stamp.sec) * SECOND_NS + int(stamp.nanosec)


def to_header(stamp_ns: int, frame_id: str) -> Header:
    """Make a header of a stamp in ns and a frame."""
    return Header(stamp=to_stamp(stamp_ns), frame_id=frame_id)


def from_pose(message: PoseMessage) -> Pose:
    """Return the pose of a message."""
    p, q = message.position, message.orientation
    return Pose(p.x, p.y, p.z, q.x, q.y, q.z, q.w)


def to_pose(pose: Pose) -> PoseMessage:
    """Make a message of a pose."""
    return PoseMessage(
        position=Point(x=pose.x, y=pose.y, z=pose.z),
        orientation=Quaternion(x=pose.qx, y=pose.qy, z=pose.qz, w=pose.qw),
    )


def to_pose_stamped(pose: Pose, header: Header) -> PoseStamped:
    """Make a stamped message of a pose."""
    return PoseStamped(header=header, pose=to_pose(pose))


def to_pose_with_covariance(
    pose: Pose,
    variances: Sequence[float],
    header: Header,
    block_xy: tuple[float, float, float] | None = None,
) -> PoseWithCovarianceStamped:
    """
    Make the message that filters such as robot_localization take.

    :param variances: [6] of x, y, z, roll, pitch, yaw, in m^2 and rad^2.
    :param block_xy: variances and covariance of the position in the plane: xx, xy, yy.
    """
    matrix = np.diag(np.asarray(variances, np.float64))
    if block_xy is not None:
        matrix[X, X], matrix[X, Y], matrix[Y, Y] = block_xy
        matrix[Y, X] = matrix[X, Y]
    message = PoseWithCovarianceStamped(header=header)
    message.pose.pose = to_pose(pose)
    message.pose.covariance = matrix.ravel().tolist()
    return message
