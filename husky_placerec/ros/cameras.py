"""The subscriptions to CameraInfo and static TF, from which the node learns of its cameras."""

from __future__ import annotations

from collections.abc import Callable
import time
from typing import Any

from husky_placerec.cameras.camera_info import info_topics
from husky_placerec.cameras.found import changed
from husky_placerec.config import Config
from husky_placerec.data.static_tf import add_transforms
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.ros.message_types import message_class
from husky_placerec.session.camera_wait import CameraWait
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo

CHECK_S = 0.1
INFO_QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
STATIC_QOS = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
# A CDR message begins with 4 bytes of encapsulation and the 8 bytes of its stamp.
AFTER_STAMP = 12


def wanted_cameras(config: Config, place_map: PlaceMap) -> dict[str, str]:
    """Return the image topics of the cameras whose intrinsics the map needs and nothing tells."""
    knows = bool(place_map.spec.pinhole_focal) or any(
        camera.intrinsics or camera.mounting for camera in place_map.cameras.values()
    )
    return {
        name: config.camera_config(name).topic
        for name in config.cameras
        if knows and not config.camera_config(name).fx
    }


class CameraInputs:
    """
    Subscribe to the CameraInfo of cameras, and to static TF where its messages are installed.

    A message that differs from the last one only in its stamp is not decoded.
    """

    def __init__(self, node: Node, config: Config, topics: dict[str, str], wait: CameraWait):
        self._node, self._wait = node, wait
        self._first: dict[str, Any] = {}
        self._last: dict[str, bytes] = {}
        self._zoomed: set[str] = set()
        self._subscriptions = []
        for name, topic in topics.items():
            camera = config.camera_config(name)
            named = [camera.info_topic] if camera.info_topic else None
            for info_topic in named or info_topics(topic, camera.transport):
                heard = self._hearing(name, info_topic)
                self._subscriptions.append(
                    node.create_subscription(CameraInfo, info_topic, heard, INFO_QOS, raw=True)
                )
        transforms = message_class('tf2_msgs/msg/TFMessage')
        if topics and transforms is not None:
            for topic in dict.fromkeys(('tf_static', '/tf_static')):
                self._subscriptions.append(
                    node.create_subscription(transforms, topic, self._transforms, STATIC_QOS)
                )
        self._timer = node.create_timer(
            CHECK_S, self._check, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    def close(self) -> None:
        """Unsubscribe."""
        self._node.destroy_timer(self._timer)
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions = []

    def _check(self) -> None:
        self._wait.check(time.monotonic())

    def _hearing(self, camera: str, topic: str) -> Callable[[bytes], None]:
        def heard(data: bytes) -> None:
            told = bytes(data[AFTER_STAMP:])
            if self._last.get(topic) == told:
                return
            self._last[topic] = told
            info = deserialize_message(data, CameraInfo)
            if camera not in self._first:
                self._first[camera] = info
                self._wait.add_info(camera, info, topic, time.monotonic())
            elif camera not in self._zoomed and changed(self._first[camera], info):
                self._zoomed.add(camera)
                self._node.get_logger().warning(
                    f'CameraInfo of {camera} on {topic} changes (a zoom?); the first one is used'
                )

        return heard

    def _transforms(self, message: Any) -> None:
        self._wait.add_transforms(lambda tree: add_transforms(tree, message))
