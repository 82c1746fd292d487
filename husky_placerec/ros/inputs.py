"""What the node subscribes to: cameras, and if wanted odometry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from husky_placerec.config import Config
from husky_placerec.data.pairing import FramePairer
from husky_placerec.errors import InputError
from husky_placerec.ros.conversions import from_pose, from_stamp, MESSAGE_TYPES
from husky_placerec.ros.core import Core
from husky_placerec.ros.listening import Listening
from husky_placerec.ros.synchronizer import FrameSynchronizer
from husky_placerec.types import Frame, SECOND_NS
from message_filters import Subscriber
from nav_msgs.msg import Odometry
from rclpy.node import Node
from rclpy.qos import qos_policy_name_from_kind, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions

try:
    from rclpy.event_handler import SubscriptionEventCallbacks
except ImportError:  # Humble's name
    from rclpy.qos_event import SubscriptionEventCallbacks

# Best effort hears every driver; a reliable subscription hears nothing from a best-effort one.
IMAGE_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
ODOMETRY = 'odometry'  # no camera has the name, since cameras have topics of their own
ODOMETRY_QOS = QoSProfile(depth=50, reliability=ReliabilityPolicy.BEST_EFFORT)


class Inputs:
    """
    Listens as long as the node is active, and pairs the images.

    :raises InputError: for a camera without a topic.
    """

    def __init__(self, node: Node, core: Core, config: Config) -> None:
        self._node, self._core, self._config = node, core, config
        self._subscribers: list[Subscriber] = []
        self.listening: dict[str, Listening] = {}
        self.odometry_frame = 'odom'  # until its messages say
        self._resets = 0
        self.pairer: FramePairer[Any] = FramePairer(
            config.cameras,
            round(config.slop * SECOND_NS),
            round(config.silence * SECOND_NS),
            config.queue_size,
        )
        for name in config.cameras:
            if not config.camera_config(name).topic:
                raise InputError(f'parameter camera.{name}.topic: empty; expected a topic')

    def start(self) -> None:
        self.pairer.reset()
        cameras = {name: self._camera(name) for name in self._config.cameras}
        self._synchronizer = FrameSynchronizer(cameras, self.pairer)
        self._synchronizer.registerCallback(self._store)
        if self._config.odometry_topic:
            subscriber = self._subscriber(
                ODOMETRY, Odometry, self._config.odometry_topic, ODOMETRY_QOS
            )
            subscriber.registerCallback(self._odometry)

    def stop(self) -> None:
        for subscriber in self._subscribers:
            self._node.destroy_subscription(subscriber.sub)
        self._subscribers, self.listening = [], {}

    @property
    def topics(self) -> list[str]:
        return [listening.topic for listening in self.listening.values()]

    def problem(self, name: str) -> str:
        """Return what is wrong with an input, and what to do; empty when all is well."""
        listening = self.listening[name]
        found = self._node.get_publishers_info_by_topic(listening.topic)
        others = sorted({info.topic_type for info in found} - {listening.kind})
        ours = any(info.topic_type == listening.kind for info in found)
        return listening.problem(len(found), [] if ours else others)

    def _camera(self, name: str) -> Subscriber:
        config = self._config.camera_config(name)
        return self._subscriber(name, MESSAGE_TYPES[config.transport], config.topic, IMAGE_QOS)

    def _subscriber(self, name: str, kind: Any, topic: str, qos: QoSProfile) -> Subscriber:
        subscriber = Subscriber(
            self._node,
            kind,
            topic,
            qos_profile=qos,
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
            event_callbacks=SubscriptionEventCallbacks(incompatible_qos=self._differ(name)),
        )
        package, module, _ = kind.__module__.split('.')
        full_kind = f'{package}/{module}/{kind.__name__}'
        self.listening[name] = Listening(subscriber.sub.topic_name, full_kind)
        subscriber.registerCallback(self._heard, name)
        self._subscribers.append(subscriber)
        return subscriber

    def _differ(self, name: str) -> Callable[[Any], None]:
        def differ(event: Any) -> None:
            policy = qos_policy_name_from_kind(event.last_policy_kind)
            self.listening[name].incompatible = str(policy).lower()

        return differ

    def _heard(self, message: Any, name: str) -> None:
        now_ns = self._node.get_clock().now().nanoseconds
        self.listening[name].heard(from_stamp(message.header.stamp), now_ns)

    def _store(self, frame: Frame[Any]) -> None:
        if self.pairer.resets != self._resets:  # time began anew: a bag looped
            self._resets = self.pairer.resets
            self._core.forget()
        self._core.store(frame)

    def _odometry(self, message: Odometry) -> None:
        self.odometry_frame = message.header.frame_id or self.odometry_frame
        pose = from_pose(message.pose.pose)
        if not self._core.travel.add(from_stamp(message.header.stamp), pose):
            self.listening[ODOMETRY].broken += 1
