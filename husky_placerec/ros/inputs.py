"""The subscriptions of the node: cameras, and odometry where it is configured."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
import time
from typing import Any

from husky_placerec.config import Config
from husky_placerec.data.masks import EncodedMask, mask_topics, table_of
from husky_placerec.data.pairing import FramePairer
from husky_placerec.errors import InputError
from husky_placerec.ros.cameras import CameraInputs, wanted_cameras
from husky_placerec.ros.conversions import from_pose, from_stamp, MESSAGE_TYPES, to_pixels
from husky_placerec.ros.synchronizer import FrameSynchronizer
from husky_placerec.session import Session
from husky_placerec.session.camera_wait import CameraWait
from husky_placerec.session.input_health import InputHealth
from husky_placerec.types import Floats, Frame, SECOND_NS
from message_filters import Subscriber
from nav_msgs.msg import Odometry
import numpy as np
from rclpy.node import Node
from rclpy.qos import qos_policy_name_from_kind, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import Imu

try:
    from rclpy.event_handler import SubscriptionEventCallbacks
except ImportError:  # Humble's name
    from rclpy.qos_event import SubscriptionEventCallbacks

# Best effort hears every driver; a reliable subscription hears nothing from a best-effort one.
IMAGE_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
ODOMETRY = 'odometry'  # a key beside the names of the cameras
IMU = 'imu'
UNIT = 0.01  # deviation of the length of a quaternion
MASK = ' mask'  # behind the name of a camera, which has no blank
ODOMETRY_QOS = QoSProfile(depth=50, reliability=ReliabilityPolicy.BEST_EFFORT)


class Inputs:
    """
    Subscribe while the node is active, and pair the images.

    :raises InputError: for a camera without a topic.
    """

    def __init__(self, node: Node, session: Session, config: Config) -> None:
        self._node, self._session, self._config = node, session, config
        self._subscribers: list[Subscriber] = []
        self.health: dict[str, InputHealth] = {}
        self.odometry_frame = 'odom'  # until a message names its frame
        self._resets = 0
        self._wanted = wanted_cameras(config, session.recognizer.place_map)
        self._wait: CameraWait | None = None
        self._camera_inputs: CameraInputs | None = None
        self._messages_at_frame: dict[str, int] = {}  # of each camera, when the last frame came
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
        """Subscribe."""
        self.pairer.reset()
        self._messages_at_frame = {}
        if self._wanted:
            logger = self._node.get_logger()
            self._wait = CameraWait(
                self._config,
                self._wanted,
                decode=to_pixels,
                look_through=self._session.look_through,
                store=self._session.store,
                tell=logger.info,
                warn=logger.warning,
            )
            self._camera_inputs = CameraInputs(self._node, self._config, self._wanted, self._wait)
        cameras = {name: self._camera(name) for name in self._config.cameras}
        self._synchronizer = FrameSynchronizer(cameras, self.pairer)
        self._synchronizer.registerCallback(self._store)
        for name, topic in mask_topics(self._config).items():
            kind = MESSAGE_TYPES[self._config.camera_config(name).mask_transport]
            masks = self._subscriber(name + MASK, kind, topic, IMAGE_QOS)
            masks.registerCallback(self._mask, name)
        if self._config.odometry_topic:
            subscriber = self._subscriber(
                ODOMETRY, Odometry, self._config.odometry_topic, ODOMETRY_QOS
            )
            subscriber.registerCallback(self._odometry)

        if self._config.imu_topic:
            heard = self._subscriber(IMU, Imu, self._config.imu_topic, ODOMETRY_QOS)
            heard.registerCallback(self._imu)

    def stop(self) -> None:
        """Unsubscribe."""
        for subscriber in self._subscribers:
            self._node.destroy_subscription(subscriber.sub)
        self._subscribers, self.health = [], {}
        if self._camera_inputs is not None:
            self._camera_inputs.close()
        self._camera_inputs = self._wait = None

    @property
    def cameras_problem(self) -> str:
        """Why the cameras do not fit the map; empty where they do."""
        return '' if self._wait is None else self._wait.refusal

    @property
    def topics(self) -> list[str]:
        """The full names of the topics."""
        return [health.topic for health in self.health.values()]

    def problem(self, name: str) -> str:
        """Return what is wrong with an input, and the remedy; empty when all is well."""
        health = self.health[name]
        found = self._node.get_publishers_info_by_topic(health.topic)
        others = sorted({info.topic_type for info in found} - {health.kind})
        ours = any(info.topic_type == health.kind for info in found)
        return health.problem(len(found), [] if ours else others)

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
        self.health[name] = InputHealth(subscriber.sub.topic_name, full_kind)
        subscriber.registerCallback(self._heard, name)
        self._subscribers.append(subscriber)
        return subscriber

    def _differ(self, name: str) -> Callable[[Any], None]:
        def differ(event: Any) -> None:
            policy = qos_policy_name_from_kind(event.last_policy_kind)
            self.health[name].incompatible = str(policy).lower()

        return differ

    def _heard(self, message: Any, name: str) -> None:
        now_ns = self._node.get_clock().now().nanoseconds
        self.health[name].heard(from_stamp(message.header.stamp), now_ns)

    def _store(self, frame: Frame[Any]) -> None:
        if self.pairer.resets != self._resets:  # stamps stepped back: a bag loops
            self._resets = self.pairer.resets
            self._session.begin_anew()
        self._messages_at_frame = self._messages()
        if self._wait is None:
            self._session.store(frame)
        elif not self._wait.add_frame(frame, time.monotonic()):
            self._session.counters.frames += 1
            self._session.counters.held_back['cameras do not fit the map'] += 1

    def _messages(self) -> dict[str, int]:
        """Return how many messages each camera has sent."""
        cameras = [name for name in self._config.cameras if name in self.health]
        return {name: self.health[name].messages for name in cameras}

    def unpaired(self) -> int:
        """
        Return the number of images that every camera has sent since the last frame.

        It is 0 if a camera sends nothing now, or stamps that do not advance: that is another
        problem, and the cameras cannot be paired because of it.
        """
        cameras = [health for name, health in self.health.items() if not optional(name)]
        if any(health.silent or health.stuck for health in cameras):
            return 0
        since = [n - self._messages_at_frame.get(c, 0) for c, n in self._messages().items()]
        return min(since, default=0)

    def _mask(self, message: Any, name: str) -> None:
        stamp_ns = from_stamp(message.header.stamp)
        source = f'{self.health[name + MASK].topic} at {stamp_ns}'
        mask = EncodedMask(message, table_of(self._config), source)
        read = partial(mask.read, max_pixels=self._config.max_pixels)
        self._session.masks.add(name, stamp_ns, read)

    def _odometry(self, message: Odometry) -> None:
        self.odometry_frame = message.header.frame_id or self.odometry_frame
        pose = from_pose(message.pose.pose)
        if not self._session.add_odometry(from_stamp(message.header.stamp), pose):
            self.health[ODOMETRY].broken += 1

    def _imu(self, message: Imu) -> None:
        if not self._session.add_gravity(from_stamp(message.header.stamp), up_of(message)):
            self.health[IMU].broken += 1


def up_of(message: Imu) -> Floats:
    """
    Return [3] the direction up in the frame of an IMU, of any length.

    An IMU that knows its orientation tells it without the accelerations of the robot; one that
    does not has -1 as the first covariance.
    """
    turn = message.orientation
    quaternion = np.array([turn.x, turn.y, turn.z, turn.w])
    known = message.orientation_covariance[0] >= 0
    if known and abs(np.linalg.norm(quaternion) - 1) < UNIT:
        return np.asarray(Rotation.from_quat(quaternion).inv().apply([0.0, 0.0, 1.0]))
    felt = message.linear_acceleration
    return np.array([felt.x, felt.y, felt.z])


def optional(name: str) -> bool:
    """Return whether the node works without an input."""
    return name in (ODOMETRY, IMU) or name.endswith(MASK)
