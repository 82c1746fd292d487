"""
Prints what the node takes and how late it is, over DDS, with a robot in another process.

python benchmarks/node.py                   20 s of JPEG, raw images, loading and stopping
python benchmarks/node.py --minutes 10      the long run
python benchmarks/node.py --only jpeg       one part of: jpeg, raw, loading
python benchmarks/node.py --extractor timm --backbone mobilenetv2_100 --weights random
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
import os
from pathlib import Path
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any

import cv2
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from husky_placerec.config import Config, make_config
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.placemap.building import opposite_cameras
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.places import Places
from husky_placerec.placemap.storage import save_map
from husky_placerec.ros.conversions import from_stamp, MESSAGE_TYPES, to_header
from husky_placerec.types import Frame, Pixels, SECOND_NS
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
import numpy as np
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
import yaml

WIDTH, HEIGHT = 1280, 720
CAMERAS = 'front', 'back'
SCENES = 12
NOISE = 0.7  # grey levels: a JPEG is as large as a camera's then
PLACES = 5000
SPACING_M = 5.0
WARM_S = 5.0  # before memory is compared and latency counted
START_S = 60.0
PROFILE = Path(__file__).parents[1] / 'config' / 'fastdds' / 'one_machine.xml'


def scenes() -> list[dict[str, Pixels]]:
    """Return pairs of smooth pictures, each unlike the others."""
    rng = np.random.default_rng(0)

    def picture() -> Pixels:
        coarse = rng.uniform(0, 255, (36, 64, 3))
        fine = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        return np.asarray((fine + rng.normal(0, NOISE, fine.shape)).clip(0, 255), np.uint8)

    return [{camera: picture() for camera in CAMERAS} for _ in range(SCENES)]


def write_map(
    path: Path,
    config: Config,
    seen: list[dict[str, Pixels]],
    places: int = PLACES,
    index: str | None = 'flat',
) -> None:
    """
    Write a map of places on a straight road, the first of which are the scenes.

    :param index: None: chosen by the size of the map.
    """
    extractor = load_extractor(config)
    frames = [Frame(0, images, dict.fromkeys(images, 0)) for images in seen]
    known = np.stack([extractor.describe(frame) for frame in frames])
    rng = np.random.default_rng(1)
    others = rng.normal(size=(places - len(known), *known.shape[1:])).astype(np.float32)
    others /= np.linalg.norm(others, axis=2, keepdims=True)
    poses = np.zeros((places, 7))
    poses[:, 0], poses[:, 6] = np.arange(places) * SPACING_M, 1.0
    stamps = 10**18 + np.arange(places) * SECOND_NS
    present = np.ones((places, len(CAMERAS)), bool)
    place_map = PlaceMap(
        Places(stamps, poses, ('road',) * places, present),
        np.concatenate([known, others]).astype(np.float16),
        extractor.spec,
        'map',
        opposite_cameras(config),
        {'road': 'synthetic'},
        '2000-01-01T00:00:00+00:00',
    )
    save_map(place_map.indexed(index), path)


@dataclass
class Robot:
    """Publishes pairs of images, and hears poses and diagnostics."""

    config: Config
    context: Context = field(default_factory=Context)
    sent: dict[int, float] = field(default_factory=dict)  # when the pair was complete
    waits_ms: list[float] = field(default_factory=list)
    reports: list[tuple[float, dict[str, str]]] = field(default_factory=list)
    heard: dict[str, int] = field(default_factory=dict)  # messages by camera, as the node says

    def __post_init__(self) -> None:
        rclpy.init(context=self.context)
        self.node = Node('robot', context=self.context, use_global_arguments=False)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.publishers = {
            name: self.node.create_publisher(
                MESSAGE_TYPES[self.config.camera_config(name).transport],
                self.config.camera_config(name).topic,
                10,
            )
            for name in CAMERAS
        }
        self.node.create_subscription(PoseStamped, '/placerec/pose', self._pose, 50)
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._report, 50)
        self.client = self.node.create_client(ChangeState, '/placerec/change_state')

    def close(self) -> None:
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self.context)

    def spin(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.executor.spin_once(timeout_sec=left)

    def wait(self, condition: Any) -> None:
        end = time.monotonic() + START_S
        while not condition():
            if time.monotonic() > end:
                raise SystemExit('the node does not answer')
            self.executor.spin_once(timeout_sec=0.02)

    def started(self) -> None:
        self.wait(lambda: self.node.count_publishers('/diagnostics'))

    def found(self) -> None:
        self.wait(lambda: all(p.get_subscription_count() for p in self.publishers.values()))
        self.spin(1.0)

    def drive(self, messages: list[dict[str, Any]], rate_hz: float, seconds: float) -> int:
        """Publish pairs at a rate, or as fast as it goes; return how many."""
        began, number = time.monotonic(), 0
        while (due := number / rate_hz) < seconds and time.monotonic() < began + seconds:
            self.spin(began + due - time.monotonic())
            stamp_ns = time.time_ns()
            for name, publisher in self.publishers.items():
                message = messages[number % len(messages)][name]
                message.header = to_header(stamp_ns, name)
                publisher.publish(message)
            self.sent[stamp_ns] = time.monotonic()
            number += 1
        self.spin(2.0)
        return number

    def change(self, transition: int) -> float:
        """Change the node's state; return the seconds it took."""
        self.wait(self.client.service_is_ready)
        began = time.monotonic()
        future = self.client.call_async(ChangeState.Request(transition=Transition(id=transition)))
        self.wait(future.done)
        if not future.result().success:
            raise SystemExit('the node refuses the transition')
        return time.monotonic() - began

    def _pose(self, message: PoseStamped) -> None:
        complete = self.sent.get(from_stamp(message.header.stamp))
        if complete is not None:
            self.waits_ms.append((time.monotonic() - complete) * 1000)

    def _report(self, message: DiagnosticArray) -> None:
        for status in message.status:
            values = {pair.key: pair.value for pair in status.values}
            if status.name == '/placerec':
                self.reports.append((time.monotonic(), values))
            elif 'messages' in values:
                self.heard[status.name.split(': ')[1]] = int(values['messages'])


def encoded(seen: list[dict[str, Pixels]], transport: str) -> list[dict[str, Any]]:
    """Return messages without a stamp, made once."""

    def message(pixels: Pixels) -> Any:
        if transport == 'raw':
            made = MESSAGE_TYPES['raw'](
                height=HEIGHT, width=WIDTH, encoding='rgb8', step=3 * WIDTH
            )
            made.data.frombytes(pixels.tobytes())
            return made
        made = MESSAGE_TYPES['compressed'](format='jpeg')
        made.data.frombytes(cv2.imencode('.jpg', pixels[..., ::-1])[1].tobytes())
        return made

    return [{name: message(pixels) for name, pixels in pair.items()} for pair in seen]


@contextmanager
def node(folder: Path, config: Config) -> Iterator[subprocess.Popen[bytes]]:
    file = folder / 'parameters.yaml'
    file.write_text(yaml.safe_dump({'/**': {'ros__parameters': config.as_dict()}}))
    command = [sys.executable, '-m', 'husky_placerec.ros.node', '--ros-args']
    with (folder / 'node.log').open('w') as log:
        process = subprocess.Popen(
            [*command, '--params-file', str(file)], stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def told(values: dict[str, str], name: str) -> float:
    return float(values.get(name, 0))


def jpeg_part(folder: Path, config: Config, seen: list[dict[str, Pixels]], seconds: float) -> None:
    """Print for two cameras at 30 Hz how late poses are, what it costs, if memory grows."""
    with node(folder, config) as process:
        robot = Robot(config)
        robot.found()
        messages = encoded(seen, 'compressed')
        robot.drive(messages, 30.0, WARM_S)
        began = time.monotonic()
        robot.waits_ms.clear()
        count = robot.drive(messages, 30.0, seconds)
        alive = process.poll() is None
        reports = [values for when, values in robot.reports if when > began + 1]
        robot.close()
    log = (folder / 'node.log').read_text()
    last = reports[-1]
    cost_ms = told(last, 'decoding p50 ms') + told(last, 'recognising p50 ms')
    bound_ms = 2 * cost_ms + 10
    p95_ms = max(told(values, 'latency p95 ms') for values in reports)
    size_kb = np.mean([len(m.data) for pair in messages for m in pair.values()]) / 1000
    print(f'two JPEG cameras of {WIDTH}x{HEIGHT} ({size_kb:.0f} kB), 30 Hz, {seconds:.0f} s')
    print(f'   images heard of those sent         {robot.heard}')
    print(
        f'   pairs sent / processed / dropped   {count} / '
        f'{last["frames processed"]} / {last["frames dropped"]} (with the warm-up)'
    )
    print(f'   decode + describe + search p50     {cost_ms:.1f} ms')
    print(
        f'   pair complete to published         p50 {last["latency p50 ms"]} ms, p95 '
        f'{p95_ms:.1f} ms (the worst 500 frames); bound {bound_ms:.1f} ms, '
        f'ratio {p95_ms / bound_ms:.2f}'
    )
    if robot.waits_ms:
        outside = np.percentile(robot.waits_ms, (50, 95))
        print(
            f'   sent to heard by the other process p50 {outside[0]:.1f} ms, '
            f'p95 {outside[1]:.1f} ms'
        )
    print(
        f'   from stamp to published            p50 {last["from stamp p50 ms"]} ms, '
        f'p95 {last["from stamp p95 ms"]} ms'
    )
    memory = [told(values, 'memory MB') for values in reports]
    cpu = np.mean([told(values, 'CPU %') for values in reports])
    print(
        f'   memory                             {memory[0]:.1f} to {memory[-1]:.1f} MB, '
        f'grown by {memory[-1] - memory[0]:.1f} MB'
    )
    print(f'   CPU of the node                    {cpu:.0f} % of one core')
    print(
        f'   exceptions                         {last["failures"]} failures, '
        f'{log.count("Traceback")} tracebacks, alive: {alive}'
    )


def raw_part(folder: Path, config: Config, seen: list[dict[str, Pixels]], seconds: float) -> None:
    """Print what is lost of raw images at 15 Hz in transport."""
    raw = {f'camera.{name}.transport': 'raw' for name in CAMERAS}
    config = make_config({**flat(config), **raw})
    with node(folder, config):
        robot = Robot(config)
        robot.found()
        count = robot.drive(encoded(seen, 'raw'), 15.0, seconds)
        robot.close()
    profile = os.environ.get('FASTRTPS_DEFAULT_PROFILES_FILE', '')
    lost = {name: count - robot.heard.get(name, 0) for name in CAMERAS}
    with_profile = f'with {Path(profile).name}' if profile else 'without a profile'
    latency = robot.reports[-1][1].get('latency p95 ms')
    print(
        f'two raw cameras of {WIDTH}x{HEIGHT}, 15 Hz, {seconds:.0f} s, {with_profile}: lost '
        f'{lost["front"]} and {lost["back"]} of {count}; latency p95 {latency} ms'
    )


def loading_part(folder: Path, config: Config) -> None:
    """Print how long configuring takes, and the end in each state."""
    config = make_config({**flat(config), 'autostart': False})
    states: dict[str, list[int]] = {
        'unconfigured': [],
        'inactive': [Transition.TRANSITION_CONFIGURE],
        'active': [Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE],
    }
    for name, transitions in states.items():
        with node(folder, config) as process:
            robot = Robot(config)
            took = [robot.change(transition) for transition in transitions]
            robot.wait(robot.client.service_is_ready)
            if name == 'inactive':
                print(f'configuring with a map of {PLACES} places: {took[0]:.2f} s')
            print(f'SIGINT to exit, {name}: {ended(process):.3f} s')
            robot.close()
    config = make_config({**flat(config), 'autostart': True})
    for delay_s in (0.0, 0.1, 0.3, 1.0):
        with node(folder, config) as process:
            robot = Robot(config)
            robot.started()
            robot.spin(delay_s)
            print(f'SIGINT to exit, {delay_s} s into configuring: {ended(process):.3f} s')
            robot.close()


def ended(process: subprocess.Popen[bytes]) -> float:
    """Interrupt a process; return the seconds until it ended."""
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    if process.wait(30) != 0:
        raise SystemExit(f'the node ended with {process.returncode}')
    return time.monotonic() - began


def flat(config: Config) -> dict[str, Any]:
    """Return the parameters by their flat names."""
    values = config.as_dict()
    cameras = values.pop('camera')
    nested = {f'camera.{c}.{k}': v for c, about in cameras.items() for k, v in about.items()}
    return {**values, **nested}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--minutes', type=float, default=1 / 3)
    parser.add_argument('--only', choices=['jpeg', 'raw', 'loading'])
    for name in ('extractor', 'backbone', 'weights'):
        parser.add_argument(f'--{name}', default='hog' if name == 'extractor' else '')
    options = parser.parse_args()
    if options.only is None:  # a process each: the middleware reads its profile once
        for part in ('jpeg', 'raw', 'loading'):
            subprocess.run([sys.executable, *sys.argv, '--only', part], check=True)
        environment = {**os.environ, 'FASTRTPS_DEFAULT_PROFILES_FILE': str(PROFILE)}
        subprocess.run([sys.executable, *sys.argv, '--only', 'raw'], check=True, env=environment)
        return
    os.environ.setdefault('ROS_DOMAIN_ID', str(os.getpid() % 100 + 1))
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    seen = scenes()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = {key: getattr(options, key) for key in ('extractor', 'backbone', 'weights')}
        config = make_config({**model, 'map': str(folder / 'road.map'), 'min_similarity': 0.5})
        write_map(folder / 'road.map', config, seen)
        if options.only == 'jpeg':
            jpeg_part(folder, config, seen, options.minutes * 60)
        elif options.only == 'raw':
            raw_part(folder, config, seen, min(20.0, options.minutes * 60))
        else:
            loading_part(folder, config)


if __name__ == '__main__':
    main()
