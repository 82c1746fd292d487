"""What a configured node is made of, and lets go of again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO

from husky_placerec.config import Config
from husky_placerec.errors import InputError
from husky_placerec.recognition.recognizer import Recognizer
from husky_placerec.recognition.states import State
from husky_placerec.ros.conversions import to_pixels
from husky_placerec.ros.core import Core
from husky_placerec.ros.inputs import Inputs
from husky_placerec.ros.outputs import Outputs
from husky_placerec.ros.transform import MapToOdom
from husky_placerec.types import Frame, Pixels, Recognition
from rclpy.lifecycle import LifecycleNode


class Parts:
    """
    Inputs, the core that recognises, and outputs.

    :param log: takes a line of JSON a recognition.
    :param problem: is told what went wrong, in a sentence.
    :raises InputError: for parameters that do not go together.
    """

    def __init__(
        self,
        node: LifecycleNode,
        recognizer: Recognizer,
        config: Config,
        log: TextIO | None,
        problem: Callable[[str], None],
    ) -> None:
        if config.publish_tf and not config.odometry_topic:
            raise InputError('parameter publish_tf: needs an odometry_topic, which is empty')
        self.core = Core(
            recognizer,
            config,
            to_pixels,
            self._tell,
            now_ns=lambda: node.get_clock().now().nanoseconds,
            problem=problem,
            log=log,
        )
        self.inputs = Inputs(node, self.core, config)
        self.outputs = Outputs(node, recognizer, config)
        self.transform = _transform(node, self.core) if config.publish_tf else None
        self._log = log

    @property
    def recognizer(self) -> Recognizer:
        return self.core.recognizer

    def start(self) -> None:
        self.outputs.initial.activated()
        self.core.start()
        self.inputs.start()

    def stop(self) -> None:
        self.inputs.stop()
        self.core.stop()
        self.outputs.publish_state(State.LOST)
        self.forget()

    def forget(self) -> None:
        self.core.forget()
        if self.transform is not None:
            self.transform.forget()

    def configure(self, config: Config) -> None:
        self.core.configure(config)
        self.outputs.configure(config)

    def close(self) -> None:
        """Take everything from the node that it was given."""
        self.inputs.stop()
        self.core.stop()
        self.outputs.close()
        if self.transform is not None:
            self.transform.close()
        if self._log is not None:
            self._log.close()

    def _tell(self, recognition: Recognition, frame: Frame[Pixels]) -> None:
        """Publish a recognition; called by the core's thread."""
        self.outputs.publish(recognition, frame)
        if self.transform is not None:
            frame_id = self.recognizer.place_map.frame_id
            self.transform.update(recognition, frame_id, self.inputs.odometry_frame)


def _transform(node: LifecycleNode, core: Core) -> MapToOdom | None:
    try:
        return MapToOdom(node, core.travel)
    except ImportError:
        node.get_logger().warning(
            'publish_tf: tf2_msgs is not installed, so that no transform is broadcast; '
            'apt install ros-$ROS_DISTRO-tf2-msgs'
        )
        return None
