"""The node of the simulator: cameras, odometry, true pose and /clock of a simulated drive."""

from __future__ import annotations

from dataclasses import fields
import sys
import threading
import time
from typing import Any

from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.messages import COMPRESSED, Speaker, STATIC_TF_TOPIC, topics_of
from husky_placerec.campus.photographer import encoded_pictures
from husky_placerec.campus.protocols import drive_of
from husky_placerec.campus.simulated_drive import SimulatedDrive
from husky_placerec.errors import InputError
from husky_placerec.ros.conversions import to_stamp
from husky_placerec.ros.message_types import message_class
from husky_placerec.ros.starting import start_ros
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock

SENSOR_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
STATIC_QOS = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
DEFAULT_RATE_HZ = 2.0
LEAST_RATE_HZ, MOST_RATE_HZ = 0.001, 1000.0
LISTENERS_S = 3.0  # longest wait for subscribers


class SimulatorNode(Node):
    """
    Drive once, then end.

    The time is that of the drive, published on /clock. `rate` is the number of frames per second
    of wall time. Topics are relative, so that a namespace makes another robot.
    """

    def __init__(self, config: DriveConfig, rate_hz: float, **kwargs: Any) -> None:
        super().__init__('simulator', **kwargs)
        self.error: str | None = None
        self.done = False
        protocol = self.declare_parameter('protocol', '').value
        if protocol:  # without a protocol the drive stays as configured
            config = drive_of(protocol, step_m=config.step_m)
        defaults = {field.name: getattr(config, field.name) for field in fields(config)}
        values = {n: self.declare_parameter(n, value).value for n, value in defaults.items()}
        self._config = DriveConfig(**values)
        self._rate_hz = float(self.declare_parameter('rate', rate_hz).value)
        if not LEAST_RATE_HZ <= self._rate_hz <= MOST_RATE_HZ:
            bounds = f'{LEAST_RATE_HZ:g} to {MOST_RATE_HZ:g} Hz'
            raise InputError(f'parameter rate: {self._rate_hz:g}; expected {bounds}')
        self._config.check()
        self._time = self.create_publisher(Clock, '/clock', SENSOR_QOS)
        self._publishers_by_topic = {
            topic: self._publisher(topic, kind)
            for topic, kind in topics_of(self._config.rig).items()
        }
        threading.Thread(target=self._drive, daemon=True).start()

    def _publisher(self, topic: str, kind: str) -> Any:
        message = message_class(kind)
        if message is None:
            self.get_logger().warning(f'{kind} is not installed: nothing on {topic}')
            return None
        qos = STATIC_QOS if topic == STATIC_TF_TOPIC else SENSOR_QOS
        return self.create_publisher(message, topic.lstrip('/'), qos)

    def _drive(self) -> None:
        try:
            self._run()
        except Exception as error:  # the process must end and print the reason, whatever it is
            self.error = f'{type(error).__name__}: {error}'
        self.done = True

    def _run(self) -> None:
        config = self._config
        trip = SimulatedDrive(config)
        speaker = Speaker(self._publish, config.rig, (config.width, config.height))
        trip.begin(speaker)
        about = f'campus {config.seed}, drive {config.drive}, {config.condition}'
        self.get_logger().info(f'{about}: {len(trip.frames)} frames, {self._rate_hz:g} a second')
        self._wait_for_listeners()
        due = time.monotonic()
        for frame, pictures in zip(trip.frames, encoded_pictures(config, len(trip.frames), 1)):
            time.sleep(max(0.0, due - time.monotonic()))
            due = max(due, time.monotonic() - 1 / self._rate_hz) + 1 / self._rate_hz
            trip.tell_frame(speaker, frame, pictures)
        trip.finish(speaker)
        self.get_logger().info('the drive is over')

    def _wait_for_listeners(self) -> None:
        """Wait until the topics have subscribers, which would else miss the first messages."""
        cameras = [self._publishers_by_topic[c.topic + COMPRESSED] for c in self._config.rig]
        end = time.monotonic() + LISTENERS_S
        while time.monotonic() < end and not all(p.get_subscription_count() for p in cameras):
            time.sleep(0.05)

    def _publish(self, topic: str, stamp_ns: int, data: bytes) -> None:
        self._time.publish(Clock(clock=to_stamp(stamp_ns)))
        if (publisher := self._publishers_by_topic[topic]) is not None:
            publisher.publish(data)


def run(config: DriveConfig | None = None, rate_hz: float = DEFAULT_RATE_HZ) -> int:
    """Run the simulator to the end of its drive, or until it is stopped; return the status."""
    error: str | None = None
    try:
        start_ros(sys.argv if config is None else [])
        node = SimulatorNode(config or DriveConfig(step_m=0.5), rate_hz)
        while rclpy.ok() and not node.done:
            rclpy.spin_once(node, timeout_sec=0.2)
        error = node.error
    except InputError as problem:
        error = str(problem)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    if error is not None:
        rclpy.logging.get_logger('simulator').fatal(error)
    rclpy.try_shutdown()
    return 2 if error is not None else 0
