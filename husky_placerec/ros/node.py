"""The node: camera topics in, poses of recognised places out."""

from __future__ import annotations

import json
from pathlib import Path
import sys
import threading
import time
from typing import Any, TextIO

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from husky_placerec.data.pairing import FramePairer
from husky_placerec.errors import InputError
from husky_placerec.placemap.loading import load_map
from husky_placerec.recognition.recognizer import Recognizer
from husky_placerec.recognition.records import record
from husky_placerec.ros.conversions import MESSAGE_TYPES, to_pixels, to_pose_stamped
from husky_placerec.ros.diagnostics import Counters, diagnostic_array, diagnostic_status
from husky_placerec.ros.mailbox import Mailbox
from husky_placerec.ros.parameters import declare_config
from husky_placerec.ros.synchronizer import FrameSynchronizer
from husky_placerec.types import Frame, Pixels, Recognition, SECOND_NS
from message_filters import Subscriber
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions

WARN_EVERY_S = 5.0
DIAGNOSTICS_EVERY_S = 1.0
SPIN_S = 0.2  # between looks at whether loading failed
JOIN_S = 0.5  # for the worker at the end; it is a daemon, so the process ends without it too

# Best effort hears every driver; a reliable subscription hears nothing from a best-effort one.
IMAGE_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
OUTPUT_QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)

Messages = Frame[Any]  # of undecoded Image or CompressedImage


class PlacerecNode(Node):
    """
    Publishes the pose of each recognised place on `~/pose`, stamped as the front image.

    Loading and recognising are the work of one thread, so that callbacks only store and the
    process can be stopped at any moment.
    """

    def __init__(self) -> None:
        super().__init__('placerec')
        self.error: str | None = None  # why the node cannot work; the process then ends
        self._config = declare_config(self)
        self._counters = Counters()
        self._mailbox: Mailbox[tuple[float, Messages]] = Mailbox()
        self._pairer: FramePairer[Any] = FramePairer(
            self._config.cameras,
            round(self._config.slop * SECOND_NS),
            round(self._config.silence * SECOND_NS),
            self._config.queue_size,
        )
        self._poses = self.create_publisher(PoseStamped, '~/pose', OUTPUT_QOS)
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', OUTPUT_QOS)
        self._about = 'loading'
        self.create_timer(DIAGNOSTICS_EVERY_S, self._publish_diagnostics)
        self._worker = threading.Thread(target=self._work, daemon=True)
        self._worker.start()

    def close(self) -> None:
        self._mailbox.close()
        self._worker.join(JOIN_S)

    def _store(self, frame: Messages) -> None:
        self._counters.frames += 1
        self._counters.lone += len(frame.images) < len(self._config.cameras)
        self._mailbox.put((time.monotonic(), frame))

    def _work(self) -> None:
        try:
            recognizer = self._load()
            log = _open_log(self._config.recognitions_file)
            self._subscribe()
        except InputError as error:
            self.error = str(error)
            return
        except Exception as error:  # whatever it is, the process must end and say why
            self.error = f'{type(error).__name__}: {error}'
            return
        while (item := self._mailbox.take()) is not None:
            try:
                self._process(recognizer, *item, log)
            except Exception as error:  # the node keeps running whatever one frame brings about
                self._counters.failures += 1
                self._problem(f'a frame failed: {type(error).__name__}: {error}')

    def _load(self) -> Recognizer:
        if not self._config.map:
            raise InputError('parameter map: empty; expected the folder of a place map')
        place_map = load_map(Path(self._config.map))
        recognizer = Recognizer.load(place_map, self._config)
        recognizer.warm_up()
        self._about = repr(place_map)
        if place_map.spec.limits:
            self.get_logger().warning(place_map.spec.limits)
        return recognizer

    def _subscribe(self) -> None:
        filters = {name: self._subscriber(name) for name in self._config.cameras}
        self._synchronizer = FrameSynchronizer(filters, self._pairer)
        self._synchronizer.registerCallback(self._store)
        topics = ', '.join(subscriber.sub.topic_name for subscriber in filters.values())
        config = self._config
        least = (
            f'recognised from a similarity of {config.min_similarity:g} '
            f'and a lead of {config.min_margin:g}'
        )
        self.get_logger().info(f'{self._about}, {least}; listening to {topics}')

    def _subscriber(self, camera: str) -> Subscriber:
        config = self._config.camera_config(camera)
        if not config.topic:
            raise InputError(f'parameter camera.{camera}.topic: empty; expected a topic')
        return Subscriber(
            self,
            MESSAGE_TYPES[config.transport],
            config.topic,
            qos_profile=IMAGE_QOS,
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )

    def _process(
        self, recognizer: Recognizer, arrived: float, messages: Messages, log: TextIO | None
    ) -> None:
        frame = self._decode(messages)
        self._counters.processed += 1
        if not frame.images:
            return
        recognition = recognizer.recognize(frame)
        self._publish(recognition, recognizer.place_map.frame_id)
        self._counters.latencies_ms.append((time.monotonic() - arrived) * 1000)
        if log is not None:
            log.write(json.dumps(record(recognition)) + '\n')

    def _publish(self, recognition: Recognition, frame_id: str) -> None:
        if recognition.accepted and recognition.pose is not None:
            message = to_pose_stamped(recognition.pose, recognition.stamp_ns, frame_id)
            self._poses.publish(message)
            self._counters.accepted += 1
        else:
            self._counters.last_reason = recognition.reason or ''

    def _decode(self, messages: Messages) -> Frame[Pixels]:
        """Decode what decodes: a camera with a broken image is one that is not there."""
        images: dict[str, Pixels] = {}
        for camera, message in messages.images.items():
            try:
                images[camera] = to_pixels(message)
            except InputError as error:
                self._counters.undecodable += 1
                self._problem(f'{camera} image: {error}')
        stamps = {camera: messages.image_stamps_ns[camera] for camera in images}
        return Frame(next(iter(stamps.values()), messages.stamp_ns), images, stamps)

    def _problem(self, problem: str) -> None:
        self._counters.recent_problem = problem
        self.get_logger().warning(problem, throttle_duration_sec=WARN_EVERY_S)

    def _publish_diagnostics(self) -> None:
        status = diagnostic_status(
            self.get_fully_qualified_name(),
            self._about,
            self._counters,
            dropped=self._mailbox.dropped,
            unmatched=self._pairer.unmatched,
            resets=self._pairer.resets,
        )
        self._counters.recent_problem = ''
        self._diagnostics.publish(diagnostic_array(self.get_clock().now().to_msg(), status))


def _open_log(path: str) -> TextIO | None:
    if not path:
        return None
    try:
        return open(path, 'a', encoding='utf-8', buffering=1)  # a line at a time
    except OSError as error:
        raise InputError(f'parameter recognitions_file: {error}') from error


def main() -> None:
    """Run the node until it is stopped; exit with 2 when it cannot start."""
    rclpy.init(args=sys.argv)
    error: str | None = None
    node: PlacerecNode | None = None
    try:
        node = PlacerecNode()
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        while rclpy.ok() and node.error is None:
            executor.spin_once(timeout_sec=SPIN_S)
        error = node.error
    except InputError as problem:
        error = str(problem)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        if error is not None:
            rclpy.logging.get_logger('placerec').fatal(error)
        if node is not None:
            node.close()
        rclpy.try_shutdown()
    sys.exit(2 if error is not None else 0)


if __name__ == '__main__':
    main()
