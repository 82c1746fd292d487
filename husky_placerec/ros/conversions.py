"""Between messages and the core's own types."""

from __future__ import annotations

from typing import Any

from builtin_interfaces.msg import Time
from cv_bridge import CvBridge, CvBridgeError
from geometry_msgs.msg import Point, PoseStamped, Quaternion
from geometry_msgs.msg import Pose as PoseMessage
from husky_placerec.data.images import decode_image, UnknownEncoding
from husky_placerec.errors import InputError
from husky_placerec.types import Pixels, Pose, SECOND_NS
import numpy as np
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

MESSAGE_TYPES = {'compressed': CompressedImage, 'raw': Image}


def to_pixels(message: Any) -> Pixels:
    """
    Decode an Image or a CompressedImage into [H, W, 3] RGB.

    Our own lines decode what cameras usually send, cv_bridge the rest.

    :raises InputError: for what neither can decode.
    """
    try:
        return decode_image(message)
    except UnknownEncoding:
        pass
    try:
        return np.asarray(CvBridge().imgmsg_to_cv2(message, 'rgb8'), np.uint8)
    except CvBridgeError as error:
        raise InputError(f'encoding {message.encoding!r}: {error}') from error


def to_stamp(stamp_ns: int) -> Time:
    seconds, nanoseconds = divmod(stamp_ns, SECOND_NS)
    return Time(sec=seconds, nanosec=nanoseconds)


def from_stamp(stamp: Time) -> int:
    return int(stamp.sec) * SECOND_NS + int(stamp.nanosec)


def from_pose(message: PoseMessage) -> Pose:
    p, q = message.position, message.orientation
    return Pose(p.x, p.y, p.z, q.x, q.y, q.z, q.w)


def to_pose_stamped(pose: Pose, stamp_ns: int, frame_id: str) -> PoseStamped:
    return PoseStamped(
        header=Header(stamp=to_stamp(stamp_ns), frame_id=frame_id),
        pose=PoseMessage(
            position=Point(x=pose.x, y=pose.y, z=pose.z),
            orientation=Quaternion(x=pose.qx, y=pose.qy, z=pose.qz, w=pose.qw),
        ),
    )
