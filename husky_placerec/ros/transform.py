"""The transform map -> odom (REP 105), for robots on which nothing else broadcasts it."""

from __future__ import annotations

from typing import Any

from geometry_msgs.msg import TransformStamped
from husky_placerec.ros.conversions import to_header
from husky_placerec.ros.travel import Travel
from husky_placerec.types import Pose, Recognition
from rclpy.node import Node

RATE_HZ = 20.0


class MapToOdom:
    """
    Where the odometry's frame is in the map, by the last pose that was accepted.

    It is broadcast again and again, since who listens wants a transform of now.

    :raises ImportError: where tf2_msgs is not installed.
    """

    def __init__(self, node: Node, travel: Travel) -> None:
        from tf2_msgs.msg import TFMessage  # not on PyPI, so only where it is asked for

        self._message = TFMessage
        self._node = node
        self._travel = travel
        self._publisher = node.create_publisher(TFMessage, '/tf', 100)
        self._timer = node.create_timer(1 / RATE_HZ, self._broadcast)
        self._frames = 'map', 'odom'
        self._pose: Pose | None = None

    def close(self) -> None:
        self._node.destroy_timer(self._timer)
        self._node.destroy_publisher(self._publisher)

    def update(self, recognition: Recognition, frame_id: str, odometry_frame: str) -> None:
        """Take a recognition; one that was refused changes nothing."""
        pose = map_to_odom(recognition, self._travel)
        if pose is not None:
            self._pose, self._frames = pose, (frame_id, odometry_frame)

    def forget(self) -> None:
        self._pose = None

    def _broadcast(self) -> None:
        if self._pose is not None:
            now_ns = self._node.get_clock().now().nanoseconds
            self._publisher.publish(self._stamped(self._pose, now_ns))

    def _stamped(self, pose: Pose, now_ns: int) -> Any:
        parent, child = self._frames
        stamped = TransformStamped(header=to_header(now_ns, parent), child_frame_id=child)
        translation, rotation = stamped.transform.translation, stamped.transform.rotation
        translation.x, translation.y, translation.z = pose.x, pose.y, pose.z
        rotation.x, rotation.y, rotation.z, rotation.w = pose.qx, pose.qy, pose.qz, pose.qw
        return self._message(transforms=[stamped])


def map_to_odom(recognition: Recognition, travel: Travel) -> Pose | None:
    """Return the pose of the frame odom in the map; None without a pose or the odometry's."""
    if not recognition.accepted or recognition.pose is None:
        return None
    base = travel.pose_at(recognition.stamp_ns)
    return None if base is None else recognition.pose @ base.inverse()
