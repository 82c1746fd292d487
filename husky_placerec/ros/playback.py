"""Play a bag to a running node over DDS, and receive its answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseArray, PoseStamped
from husky_placerec.cameras.camera_info import info_topics
from husky_placerec.config import Config
from husky_placerec.data.bag import Bag
from husky_placerec.data.bag_cameras import info_topic_of
from husky_placerec.data.bag_poses import POSE_TYPES
from husky_placerec.data.pacing import Pacer
from husky_placerec.progress import Passing
from husky_placerec.ros.conversions import from_pose, from_stamp, MESSAGE_TYPES
from husky_placerec.types import Pose
from nav_msgs.msg import Odometry
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo

SETTLE_S = 1.0
PATIENCE_S = 5.0  # longest wait for an answer, which a frame that is lost never gets
PAIRING = 2  # frames at the beginning: the first may be paired when the next one comes
QUIET_S = 0.5  # after the last image, until a report covers all frames
ODOMETRY = 'odometry'  # a key beside the names of the cameras
INFO = 'CameraInfo of {}'
CAMERA_QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)


class Player:
    """
    Publish images as a robot does, and receive poses as a localization stack does.

    It publishes CameraInfo where the bag has it, and odometry where the configuration names it.

    :param node_name: full name of the place recognition node.
    :param waits: send a frame when the node has answered the one before, so that a busy machine
        drops none; false: as fast as `play` is told.
    """

    def __init__(
        self,
        context: Context,
        config: Config,
        node_name: str = '/placerec',
        *,
        waits: bool = False,
    ) -> None:
        self.node = Node('placerec_player', context=context, use_global_arguments=False)
        self.sent: dict[str, dict[int, float]] = {name: {} for name in config.cameras}
        self.received: dict[int, tuple[float, PoseStamped]] = {}
        self.diagnostics: dict[str, str] = {}
        self._diagnosed = 0.0  # by the steady clock
        self._waits, self._unanswered = waits, set[int]()  # stamps of the first camera
        self._most_unanswered = PAIRING
        self._config = config
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(self.node)
        self._publishers = {name: self._publisher(name) for name in config.cameras}
        if config.odometry_topic:
            self._publishers[ODOMETRY] = self.node.create_publisher(
                Odometry, config.odometry_topic, CAMERA_QOS
            )
        self._infos = {
            INFO.format(name): self.node.create_publisher(CameraInfo, topic, CAMERA_QOS)
            for name, topic in self._info_topics()
        }
        self._node_name = node_name
        self._poses = self.node.create_subscription(
            PoseStamped, f'{node_name}/pose', self._receive, 10
        )
        if waits:  # they come for every frame, refused or not
            self.node.create_subscription(
                PoseArray, f'{node_name}/candidates', self._answered, CAMERA_QOS
            )
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._diagnose, 10)

    def close(self) -> None:
        """Destroy the node."""
        self._executor.shutdown()
        self.node.destroy_node()

    def wait_until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Spin until a condition holds; return False if it does not in time."""
        end = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > end:
                return False
            self._executor.spin_once(timeout_sec=0.05)
        return True

    def connected(self) -> bool:
        """Return whether the node subscribes to all topics, and this player to the node."""
        heard = all(p.get_subscription_count() for p in self._publishers.values())
        return heard and bool(self.node.count_publishers(self._poses.topic_name))

    def settle(self) -> None:
        """Wait for the node to match too: best effort loses what is sent before."""
        self.wait_until(lambda: False, SETTLE_S)

    def play(
        self,
        bag: Bag,
        speed: float,
        progress: Passing = lambda items, _: items,
    ) -> None:
        """Publish a recording, `speed` times as fast as its stamps, or as fast as is answered."""
        pacer = Pacer(speed)
        images = bag.camera_topics(self._config)
        infos = {t: info_topic_of(bag, self._config, name, t) for t, name in images.items()}
        named = {topic: INFO.format(images[t]) for t, topic in infos.items() if topic is not None}
        topics = {**images, **named}
        if ODOMETRY in self._publishers:
            topics[bag.resolve(self._config.odometry_topic, POSE_TYPES[:1])] = ODOMETRY
        publishers = {**self._publishers, **self._infos}
        total = sum(map(bag.message_count, topics))
        for name, stamp_ns, data in progress(bag.serialized(topics), total):
            while (left_s := pacer.left_s(stamp_ns)) > 0:
                self._executor.spin_once(timeout_sec=left_s)
            if self._waits and name == self._config.cameras[0]:
                self._keep_pace(stamp_ns)
            if name in self.sent:
                self.sent[name][stamp_ns] = time.monotonic()
            publishers[name].publish(data)

    def _keep_pace(self, stamp_ns: int) -> None:
        """Wait for the answers to the frames before; give up those without an answer."""
        if not self.wait_until(lambda: len(self._unanswered) < self._most_unanswered, PATIENCE_S):
            self._unanswered.clear()
        self._unanswered.add(stamp_ns)

    def _answered(self, message: PoseArray) -> None:
        self._unanswered.discard(from_stamp(message.header.stamp))
        self._most_unanswered = 1

    def poses(self) -> dict[int, Pose]:
        """Return the received poses by their stamps in ns."""
        return {stamp_ns: from_pose(m.pose) for stamp_ns, (_, m) in self.received.items()}

    def processed_all(self) -> bool:
        """Return whether a report after the last image says that no frame waits."""
        last = max((time for sent in self.sent.values() for time in sent.values()), default=0.0)
        names = 'frames', 'frames processed', 'frames dropped', 'frames held back'
        frames, *done = (int(self.diagnostics.get(name, 0)) for name in names)
        return self._diagnosed > last + QUIET_S and 0 < frames == sum(done)

    def _info_topics(self) -> Iterator[tuple[str, str]]:
        for name in self._config.cameras:
            camera = self._config.camera_config(name)
            yield name, camera.info_topic or info_topics(camera.topic, camera.transport)[0]

    def _publisher(self, camera: str) -> Any:
        config = self._config.camera_config(camera)
        kind = MESSAGE_TYPES[config.transport]
        return self.node.create_publisher(kind, config.topic, CAMERA_QOS)

    def _receive(self, message: PoseStamped) -> None:
        stamp_ns = from_stamp(message.header.stamp)
        self.received.setdefault(stamp_ns, (time.monotonic(), message))

    def _diagnose(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == self._node_name:
                self.diagnostics = {pair.key: pair.value for pair in status.values}
                self._diagnosed = time.monotonic()
