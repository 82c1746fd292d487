"""The process of the node: run it until it is stopped, or say why it cannot start."""

from __future__ import annotations

import os
import sys
import threading

from husky_placerec.errors import InputError
from husky_placerec.ros.managed_node import PlacerecNode
from husky_placerec.ros.starting import start_ros
from husky_placerec.session.loading import Interrupted
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

# A reloaded map is taken over, and a request to end is obeyed, within this time.
SPIN_S = 0.2
GOODBYE_S = 0.4


def main() -> None:
    """Run the node until it is stopped; exit with 2 when it cannot start."""
    error: str | None = None
    node: PlacerecNode | None = None
    try:
        start_ros(sys.argv)
        node = PlacerecNode()
        error = _autostart(node) if node.config.autostart else None
        if error is None:
            _spin(node)
    except InputError as problem:
        error = str(problem)
    except (KeyboardInterrupt, ExternalShutdownException, Interrupted):
        pass
    if error is not None:
        rclpy.logging.get_logger('placerec').fatal(error)
    if node is not None:
        _say_goodbye(node)
    rclpy.try_shutdown()
    _exit(2 if error is not None else 0)


def _autostart(node: PlacerecNode) -> str | None:
    """Configure and activate; return why that failed, else None."""
    for transition in (node.trigger_configure, node.trigger_activate):
        transition()
        if node.error is not None:
            return node.error
    return None


def _spin(node: PlacerecNode) -> None:
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    while rclpy.ok():
        try:
            executor.spin_once(timeout_sec=SPIN_S)
        except (KeyboardInterrupt, ExternalShutdownException):
            raise
        except Exception as error:  # one callback that failed must not end the node
            if rclpy.ok():
                node.report_failure(error)


def _say_goodbye(node: PlacerecNode) -> None:
    """Leave DDS, because its peers would count a node that only ends as alive for 20 s."""
    leaving = threading.Thread(target=node.leave, daemon=True)
    leaving.start()
    leaving.join(GOODBYE_S)  # a frame in work may delay it


def _exit(status: int) -> None:
    """End at once, because a thread inside a library would delay the interpreter or crash it."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == '__main__':
    main()
