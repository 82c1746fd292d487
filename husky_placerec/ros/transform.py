"""The transform map -> odom (REP 105), for robots on which nothing else broadcasts it."""

from __future__ import annotations

from typing import Any

from geometry_msgs.msg import TransformStamped
from husky_placerec.recognition.odometry import Odometry
from husky_placerec.ros.conversions import to_header
from husky_placerec.types import Pose, Recognition
from rclpy.node import Node

RATE_HZ = 20.0


class MapToOdom:
    """
    Broadcast the pose of the odometry's frame in the map, by the last accepted pose.

    It is broadcast at RATE_HZ, because listeners want a transform of the present.

    :raises ImportError: where tf2_msgs is not installed.
    """

    def __init__(self, node: Node, odometry: Odometry) -> None:
        from tf2_msgs.msg import TFMessage  # not on PyPI (pip_ros): only where it is asked for

        self._message = TFMessage
        self._node = node
        self._odometry = odometry
        self._publisher = node.create_publisher(TFMessage, '/tf', 100)
        self._timer = node.create_timer(1 / RATE_HZ, self._broadcast)
        self._frames = 'map', 'odom'
        self._pose: Pose | None = None

    def close(self) -> None:
        """Remove timer and publisher from the node."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_publisher(self._publisher)

    def update(self, recognition: Recognition, frame_id: str, odometry_frame: str) -> None:
        """Take a recognition; a refused one changes nothing."""
        pose = map_to_odom(recognition, self._odometry)
        if pose is not None:
            self._pose, self._frames = pose, (frame_id, odometry_frame)

    def begin_anew(self) -> None:
        """Broadcast nothing until the next accepted pose."""
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


def map_to_odom(recognition: Recognition, odometry: Odometry) -> Pose | None:
    """
    Return the pose of the frame `odom` in the map; None without an accepted pose or odometry.

    `map_to_odom = map_to_base * odom_to_base^-1`, both at the stamp of the frame.
    """
    if not recognition.accepted or recognition.pose is None:
        return None
    base = odometry.pose_at(recognition.stamp_ns)
    return None if base is None else recognition.pose @ base.inverse()
