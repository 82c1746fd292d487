"""A robot for the node's tests: cameras that do as they are told, and ears for all it says."""

from __future__ import annotations

from contextlib import contextmanager
import subprocess
import sys
import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseArray, PoseStamped, PoseWithCovarianceStamped
from husky_placerec.config import make_config
from husky_placerec.data.bag import Bag
from husky_placerec.ros.conversions import from_stamp, MESSAGE_TYPES, to_header, to_pose
from husky_placerec.types import SECOND_NS
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from nav_msgs.msg import Odometry
from rcl_interfaces.srv import DescribeParameters, GetParameters, SetParameters
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger
from visualization_msgs.msg import MarkerArray
import yaml

HOG = {'extractor': 'hog', 'uncalibrated': 'thresholds', 'min_similarity': 0.6}
# The longest waits, for hosts on which much else runs; nobody waits longer than it takes.
START_S, ANSWER_S, ASKED_AGAIN_S = 60.0, 40.0, 2.0
PERIOD_NS = SECOND_NS // 10
TRANSIENT = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
CAMERA_QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
OUTPUTS = {
    'pose': (PoseStamped, 10),
    'pose_with_covariance': (PoseWithCovarianceStamped, 10),
    'state': (String, TRANSIENT),
    'candidates': (PoseArray, 10),
    'markers': (MarkerArray, 10),
    'match_image': (Image, 10),
}
LEVELS = {
    DiagnosticStatus.OK: 'OK',
    DiagnosticStatus.WARN: 'WARN',
    DiagnosticStatus.ERROR: 'ERROR',
}


def scenes_of(bag_path):
    """Return the pictures of a drive: JPEGs by camera, a dictionary a frame."""
    with Bag(bag_path) as bag:
        return [
            {camera: bytes(message.data) for camera, message in frame.images.items()}
            for frame in bag.frames(make_config({}))
        ]


@contextmanager
def node_process(folder, parameters, *arguments, wait_s=5, before=''):
    """
    Run the node as a process of its own; its output is in `folder`/node.log.

    :param before: Python to run first in that process.
    """
    config = make_config({**HOG, **parameters})
    file = folder / 'parameters.yaml'
    file.write_text(yaml.safe_dump({'/**': {'ros__parameters': config.as_dict()}}))
    code = f'{before}\nfrom husky_placerec.ros.node import main\nmain()'
    command = [sys.executable, '-c', code, '--ros-args', *arguments]
    with (folder / 'node.log').open('a') as log:
        process = subprocess.Popen(
            [*command, '--params-file', str(file)], stdout=log, stderr=subprocess.STDOUT
        )
    process.log = lambda: (folder / 'node.log').read_text()
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(wait_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Robot:
    """
    Publishes images of a drive with stamps of now, and hears the node of a namespace.

    :param scenes: pictures by camera, a dictionary a frame.
    :param listen: to the names of the node's outputs, those without which nothing can be told.
    """

    def __init__(
        self, scenes, domain, namespace='', listen=('pose', 'state'), transport='compressed'
    ):
        self.context = Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = Node(
            'robot', context=self.context, namespace=namespace or None, use_global_arguments=False
        )
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.name = f'{namespace}/placerec'
        self.scenes, self.sent, self.statuses = scenes, [], {}
        self.heard = {name: [] for name in OUTPUTS}
        self.initial_poses, self.clients, self.process = [], {}, None
        config = make_config({})
        self.cameras = {
            name: self.node.create_publisher(
                MESSAGE_TYPES[transport], config.camera_config(name).topic, CAMERA_QOS
            )
            for name in config.cameras
        }
        self.odometry = self.node.create_publisher(Odometry, 'platform/odom', 10)
        for name in listen:
            self.listen(name)
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._diagnosed, 10)

    def close(self):
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self.context)

    # --- hearing -----------------------------------------------------------------------------

    def listen(self, name):
        kind, qos = OUTPUTS[name]
        return self.node.create_subscription(
            kind, f'{self.name}/{name}', self.heard[name].append, qos
        )

    def listen_to_initial_poses(self):
        return self.node.create_subscription(
            PoseWithCovarianceStamped, 'initialpose', self.initial_poses.append, 10
        )

    def _diagnosed(self, message):
        for status in message.status:
            if status.name.startswith(self.name):
                values = {pair.key: pair.value for pair in status.values}
                key = status.name[len(self.name) :].lstrip(': ')
                self.statuses[key] = LEVELS[status.level], status.message, values
                self.diagnosed = time.monotonic()

    def value(self, key):
        return self.statuses.get('', ('', '', {}))[2].get(key, '')

    def message(self, of=''):
        level, message, _ = self.statuses.get(of, ('', '', {}))
        return f'{level} {message}'

    def says(self, *words, of='', timeout_s=ANSWER_S, **driving):
        """Wait until the diagnostics say these words; drive on meanwhile where it is said how."""
        return self._until(
            lambda: all(word in self.message(of) for word in words), timeout_s, driving
        )

    def _until(self, condition, timeout_s, driving):
        end = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > end:
                return False
            if driving:
                self.drive(5, **driving)
            else:
                self.pause(0.05)
        return True

    def counts(self, key, least, timeout_s=ANSWER_S, **driving):
        """Wait until the diagnostics count so many; drive on where it is said how."""
        return self._until(lambda: float(self.value(key) or 0) >= least, timeout_s, driving)

    @property
    def pose_stamps(self):
        return [from_stamp(message.header.stamp) for message in self.heard['pose']]

    def wait(self, condition, timeout_s=ANSWER_S):
        """Spin until the condition holds; return whether it did in time."""
        end = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > end:
                return False
            self.executor.spin_once(timeout_sec=max(0.0, min(0.05, end - time.monotonic())))
        return True

    def pause(self, seconds):
        self.wait(lambda: False, seconds)

    def found(self, cameras=('front', 'back')):
        """Wait until the node listens to the cameras."""
        publishers = [self.cameras[name] for name in cameras]
        found = self.wait(lambda: all(p.get_subscription_count() for p in publishers), START_S)
        self.pause(0.5)  # the other side has to find this one too
        return found

    # --- acting ------------------------------------------------------------------------------

    def see(self, camera, stamp_ns, data=None, scene=0, form='jpeg'):
        """Publish an image, of a scene or of any bytes."""
        data = self.scenes[scene % len(self.scenes)][camera] if data is None else data
        message = CompressedImage(header=to_header(stamp_ns, camera), format=form)
        message.data.frombytes(data)
        self.cameras[camera].publish(message)
        self.sent.append(stamp_ns)

    def drive(self, frames, cameras=('front', 'back'), shift_ns=None, period_ns=PERIOD_NS, **data):
        """
        Drive on in real time, by default with stamps of now.

        :param shift_ns: of the stamps of some cameras, by name.
        """
        due = time.monotonic()
        for scene in range(frames):
            now_ns = time.time_ns()
            for camera in cameras:
                stamp_ns = now_ns + (shift_ns or {}).get(camera, 0)
                self.see(camera, stamp_ns, data.get(camera), scene)
            due += period_ns / SECOND_NS
            self.wait(lambda: False, due - time.monotonic())

    def recovers(self, timeout_s=ANSWER_S):
        """Drive on as if nothing had been, and say whether poses come again."""
        begin_ns, end = time.time_ns(), time.monotonic() + timeout_s
        while time.monotonic() < end:
            self.drive(5, period_ns=PERIOD_NS // 2)
            if sum(stamp_ns >= begin_ns for stamp_ns in self.pose_stamps) >= 3:
                return True
        return False

    def move(self, stamp_ns, pose):
        message = Odometry(header=to_header(stamp_ns, 'odom'), child_frame_id='base_link')
        message.pose.pose = to_pose(pose)
        self.odometry.publish(message)

    @property
    def log(self):
        return self.process.log() if self.process else ''

    # --- asking ------------------------------------------------------------------------------

    def call(self, kind, name, request=None):
        if name not in self.clients:
            self.clients[name] = self._client(kind, name)
            self._handshake()
        future = self.clients[name].call_async(request or kind.Request())
        assert self.wait(future.done, START_S), f'{name}: no answer\n{self.log}'
        return future.result()

    def _client(self, kind, name):
        client = self.node.create_client(kind, f'{self.name}/{name}')
        assert self.wait(client.service_is_ready, START_S), f'{name}\n{self.log}'
        return client

    def _handshake(self):
        """
        Wait until the node has found all clients: its answers before that are lost.

        The middleware tells when this side has found the other, never the reverse. But clients
        are found in the order in which they were made: when the newest gets an answer, all do.
        """
        newest = self._client(GetState, 'get_state')
        futures, end = [], time.monotonic() + START_S
        while not any(future.done() for future in futures):
            assert time.monotonic() < end, f'no answer\n{self.log}'
            futures.append(newest.call_async(GetState.Request()))
            self.wait(futures[-1].done, ASKED_AGAIN_S)
        self.node.destroy_client(newest)

    def trigger(self, name):
        answer = self.call(Trigger, name)
        return answer.success, answer.message

    def enable(self, on):
        return self.call(SetBool, 'enable', SetBool.Request(data=on)).success

    def change(self, transition):
        number = getattr(Transition, f'TRANSITION_{transition.upper()}')
        request = ChangeState.Request(transition=Transition(id=number))
        return self.call(ChangeState, 'change_state', request).success

    @property
    def state(self):
        return self.call(GetState, 'get_state').current_state.label

    def set(self, **values):
        """Set parameters; return an empty text, or why they were refused."""
        messages = [
            Parameter(name, value=value).to_parameter_msg() for name, value in values.items()
        ]
        request = SetParameters.Request(parameters=messages)
        results = self.call(SetParameters, 'set_parameters', request).results
        return '; '.join(result.reason for result in results if not result.successful)

    def get(self, name):
        request = GetParameters.Request(names=[name])
        (value,) = self.call(GetParameters, 'get_parameters', request).values
        return rclpy.parameter.parameter_value_to_python(value)

    def describe(self, name):
        request = DescribeParameters.Request(names=[name])
        (descriptor,) = self.call(DescribeParameters, 'describe_parameters', request).descriptors
        return descriptor
