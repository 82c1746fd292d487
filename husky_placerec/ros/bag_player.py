"""Publish the messages of a bag, for machines without `ros2 bag play`."""

from __future__ import annotations

from collections.abc import Iterable
import sys
import time
from typing import Any

from husky_placerec.data.bag_file import BagFile
from husky_placerec.data.pacing import Pacer
from husky_placerec.data.static_tf import STATIC_TF
from husky_placerec.errors import InputError
from husky_placerec.printable import printable
from husky_placerec.progress import Passing
from husky_placerec.ros.conversions import to_stamp
from husky_placerec.ros.message_types import message_class
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rosgraph_msgs.msg import Clock

QOS = QoSProfile(depth=10)
STATIC_QOS = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
CLOCK_S = 1 / 40  # between two messages on /clock
SETTLE_S = 1.0  # the subscribers also have to find this node


class BagPlayer(Node):
    """
    Publish the messages of a bag as they were recorded.

    :param topics: names in the bag; None: all topics whose type is installed.
    :param namespace: prefix of each topic; empty: none.
    :param clock: publish the time of the bag on /clock.
    :raises InputError: for a topic that the bag lacks, or whose type is not installed.
    """

    def __init__(
        self,
        bag: BagFile,
        topics: Iterable[str] | None = None,
        *,
        namespace: str = '',
        clock: bool = False,
        **options: Any,
    ) -> None:
        super().__init__('placerec_play', **options)
        self._bag = bag
        self._prefix = f'/{namespace.strip("/")}' if namespace.strip('/') else ''
        self._playing = {topic: made for topic, made in self._made(topics) if made is not None}
        self._clock_told = self.create_publisher(Clock, '/clock', QOS) if clock else None

    @property
    def topics(self) -> list[str]:
        """The topics of the bag that are played."""
        return list(self._playing)

    def wait_for_listeners(self, wait_s: float) -> None:
        """Wait until the topics have subscribers, which would else miss the first messages."""
        end = time.monotonic() + wait_s
        while time.monotonic() < end and rclpy.ok(context=self.context):
            if any(p.get_subscription_count() for p in self._playing.values()):
                time.sleep(SETTLE_S)
                return
            time.sleep(0.05)

    def play(self, rate: float, progress: Passing = lambda items, _: items) -> None:
        """Publish every message once, `rate` times as fast as it was recorded."""
        pacer = Pacer(rate)
        total = sum(map(self._bag.message_count, self._playing))
        messages = self._bag.recorded({topic: topic for topic in self._playing})
        for topic, recorded_ns, data in progress(messages, total):
            self._wait(pacer, recorded_ns)
            self._playing[topic].publish(data)

    def _wait(self, pacer: Pacer, recorded_ns: int) -> None:
        while (left_s := pacer.left_s(recorded_ns)) > 0:
            self._tell_time(pacer.now_ns())
            time.sleep(min(left_s, CLOCK_S))
            if not rclpy.ok(context=self.context):
                raise ExternalShutdownException
        self._tell_time(recorded_ns)

    def _tell_time(self, now_ns: int) -> None:
        if self._clock_told is not None:
            self._clock_told.publish(Clock(clock=to_stamp(now_ns)))

    def _made(self, topics: Iterable[str] | None) -> Iterable[tuple[str, Any]]:
        """Yield each topic with its publisher; None where its type is not installed."""
        chosen = self._bag.topics if topics is None else [f'/{t.lstrip("/")}' for t in topics]
        for topic in chosen:
            if topic not in self._bag.topics:
                raise InputError(f'{self._bag.path}: no {topic}; there are: {self._bag.contents}')
            kind = self._bag.topics[topic]
            message = message_class(kind)
            if message is None and topics is not None:
                raise InputError(f'{topic}: its type {kind} is not installed')
            if message is None:
                self.get_logger().warning(
                    printable(f'{kind} is not installed: nothing on {topic}')
                )
                yield topic, None
                continue
            qos = STATIC_QOS if topic.endswith(STATIC_TF) else QOS
            yield topic, self.create_publisher(message, self._prefix + topic, qos)


def run(
    bag: BagFile,
    *,
    rate: float,
    loop: bool,
    wait_s: float,
    progress: Passing,
    **options: Any,
) -> None:
    """
    Play a bag once, or with `loop` until the process is stopped.

    :param wait_s: longest time to wait for subscribers.
    :param options: of `BagPlayer`.
    :raises InputError: when nothing can be played.
    """
    rclpy.init(args=sys.argv[:1])
    try:
        player = BagPlayer(bag, **options)
        if not player.topics:
            raise InputError(f'{bag.path}: nothing to play; there are: {bag.contents}')
        player.wait_for_listeners(wait_s)
        player.play(rate, progress)
        while loop:
            player.play(rate, progress)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        rclpy.try_shutdown()
