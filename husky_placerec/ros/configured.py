"""The parts of a configured node: inputs, the session, outputs and the transform."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from husky_placerec.config import Config
from husky_placerec.errors import InputError
from husky_placerec.placemap.frame_texts import frame_texts, FrameTexts
from husky_placerec.recognition.recognizer import Recognizer
from husky_placerec.ros.conversions import to_pixels
from husky_placerec.ros.inputs import Inputs
from husky_placerec.ros.outputs import Outputs
from husky_placerec.ros.transform import MapToOdom
from husky_placerec.session import Observer, Session
from husky_placerec.session.log import LogFile
from husky_placerec.types import Frame, Pixels, Recognition, State
from rclpy.lifecycle import LifecycleNode


class ConfiguredParts(Observer):
    """
    What a node has between configure and cleanup; publishes what the session tells.

    :param log: takes a line of JSON for each recognition.
    :param problem: is told what went wrong, in a sentence.
    :raises InputError: for parameters that do not fit each other.
    """

    def __init__(
        self,
        node: LifecycleNode,
        recognizer: Recognizer,
        config: Config,
        log: LogFile | None,
        problem: Callable[[str], None],
    ) -> None:
        if config.publish_tf and not config.odometry_topic:
            raise InputError('parameter publish_tf: needs an odometry_topic, which is empty')
        self._problem, self.log = problem, log
        self.session = Session(
            recognizer,
            config,
            decode=partial(to_pixels, max_pixels=config.max_pixels),
            reduced=True,
            observer=self,
            now_ns=lambda: node.get_clock().now().nanoseconds,
            log=log,
            texts_of=_texts_of(recognizer, config),
        )
        self.inputs = Inputs(node, self.session, config)
        self.outputs = Outputs(node, self.session)
        self.transform = _transform(node, self.session) if config.publish_tf else None

    def start(self) -> None:
        """Listen and recognise."""
        self.outputs.activated()
        self.session.start()
        self.inputs.start()

    def stop(self) -> None:
        """Stop listening, and begin anew."""
        self.inputs.stop()
        self.session.stop()

    def close(self) -> None:
        """Stop, and remove everything from the node."""
        self.inputs.stop()
        self.session.stop()
        self.outputs.close()
        if self.transform is not None:
            self.transform.close()
        if self.log is not None:
            self.log.close()

    def recognized(self, recognition: Recognition, frame: Frame[Pixels]) -> None:
        """Publish a recognition."""
        self.outputs.publish(recognition, frame)
        if self.transform is not None:
            frame_id = self.session.recognizer.place_map.frame_id
            self.transform.update(recognition, frame_id, self.inputs.odometry_frame)

    def state_changed(self, state: State) -> None:
        """Publish the state."""
        self.outputs.publish_state(state)

    def began_anew(self) -> None:
        """Broadcast no transform that earlier frames, or another version of the map, gave."""
        self.outputs.begin_anew()
        if self.transform is not None:
            self.transform.begin_anew()

    def problem(self, sentence: str) -> None:
        """Tell the node what went wrong."""
        self._problem(sentence)


def _transform(node: LifecycleNode, session: Session) -> MapToOdom | None:
    try:
        return MapToOdom(node, session.odometry)
    except ImportError:
        node.get_logger().warning(
            'publish_tf: tf2_msgs is not installed, so that no transform is broadcast; '
            'apt install ros-$ROS_DISTRO-tf2-msgs'
        )
        return None


def _texts_of(recognizer: Recognizer, config: Config) -> FrameTexts | None:
    """Return what reads the texts of frames; None where the map has none, or `texts` is off."""
    if recognizer.place_map.texts is None:
        return None
    return frame_texts(config, budget_s=config.text_budget)
