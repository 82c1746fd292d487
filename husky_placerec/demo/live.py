"""The live part of the demo: the real node in its own process, over DDS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
import os
from pathlib import Path
import signal
import subprocess
import sys

from husky_placerec.config import Config
from husky_placerec.data.bag import Bag
from husky_placerec.errors import InputError
from husky_placerec.files import write_atomic
from husky_placerec.progress import Passing
from husky_placerec.ros.playback import Player
from husky_placerec.types import Pose
import numpy as np
import rclpy
from rclpy.context import Context
import yaml

START_TIMEOUT_S = 90.0  # also where other programs want the processor
END_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 5.0
DOMAINS = 100  # DDS domains to choose from, apart from those of robots on the network


@dataclass(frozen=True)
class Heard:
    """
    What a subscriber received from the node.

    :param sent: stamps of the published images of the first camera.
    :param poses: received poses by stamp.
    :param latencies_ms: of each pose, from the publication of its images to its arrival.
    :param diagnostics: the last report of the node.
    """

    sent: tuple[int, ...]
    poses: Mapping[int, Pose]
    latencies_ms: tuple[float, ...]
    diagnostics: Mapping[str, str]


def play_to_node(bag: Bag, config: Config, folder: Path, speed: float, progress: Passing) -> Heard:
    """
    Start a node, play a bag to it as fast as it answers, and collect the poses that it publishes.

    :param folder: for the parameter file of the node.
    :param speed: largest speed relative to the recording.
    :raises InputError: if the node does not start.
    """
    domain = int(os.environ.get('ROS_DOMAIN_ID', 0)) or os.getpid() % DOMAINS + 1
    # In the environment, because the node needs it too, and DDS reads it when a context begins.
    os.environ.update(ROS_DOMAIN_ID=str(domain), ROS_AUTOMATIC_DISCOVERY_RANGE='LOCALHOST')
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    player = Player(context, config, waits=True)
    try:
        with running_node(config, folder / 'parameters.yaml') as process:
            player.wait_until(lambda: player.connected() or ended(process), START_TIMEOUT_S)
            if ended(process) or not player.connected():
                raise InputError(f'the node did not start (exit status {process.poll()})')
            player.settle()
            player.play(bag, speed, progress)
            player.wait_until(player.processed_all, END_TIMEOUT_S)
        return Heard(
            tuple(sorted(player.sent[config.cameras[0]])),
            player.poses(),
            tuple(_latencies_ms(player)),
            player.diagnostics,
        )
    finally:
        player.close()
        rclpy.try_shutdown(context=context)


def ended(process: subprocess.Popen[bytes]) -> bool:
    """Return whether a process has ended."""
    return process.poll() is not None


@contextmanager
def running_node(config: Config, parameter_file: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the node in its own process, with a parameter file as on a robot."""
    parameters = {'/**': {'ros__parameters': config.as_dict()}}
    write_atomic(parameter_file, yaml.safe_dump(parameters, sort_keys=False).encode())
    command = [sys.executable, '-m', 'husky_placerec.ros.node', '--ros-args']
    process = subprocess.Popen([*command, '--params-file', str(parameter_file)])
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _latencies_ms(player: Player) -> Iterator[float]:
    """Yield the latencies; a pair is complete when its last image was published."""
    stamps = {camera: np.array(sorted(sent)) for camera, sent in player.sent.items()}
    for stamp_ns, (arrived, _) in player.received.items():
        nearest = {c: int(s[np.abs(s - stamp_ns).argmin()]) for c, s in stamps.items()}
        yield (arrived - max(player.sent[c][s] for c, s in nearest.items())) * 1000
