"""What publishers and the recognition itself do wrong, over DDS: the node names it."""

from husky_placerec.config import make_config
import pytest
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage
from support.domains import new_domain
from support.node_worlds import PARAMETERS
from support.robot import node_process, PERIOD_NS, Robot

NEEDS = 'rclpy', 'sensor_msgs'


pytestmark = pytest.mark.ros


def test_publishers_that_offer_less_than_is_asked_are_named(world, tmp_path):
    """QoS is overridden to reliable; the driver is best effort."""
    robot = Robot(world.scenes, new_domain())
    topic = '/' + make_config({}).camera_config('front').topic
    override = f'qos_overrides.{topic}.subscription.reliability:=reliable'
    for publisher in robot.cameras.values():
        robot.node.destroy_publisher(publisher)
    best_effort = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
    robot.node.create_publisher(CompressedImage, topic, best_effort)
    parameters = {**PARAMETERS, 'map': str(world.folder / 'campus.map')}
    try:
        with node_process(tmp_path, parameters, '-p', override):
            words = 'ERROR', 'QoS incompatible (reliability)', 'qos_overrides'
            assert robot.says(*words, of='front', timeout_s=30), robot.statuses
    finally:
        robot.close()


def test_a_publisher_of_another_type_is_named(world, tmp_path):
    robot = Robot(world.scenes, new_domain(), transport='raw')
    parameters = {**PARAMETERS, 'map': str(world.folder / 'campus.map')}
    try:
        with node_process(tmp_path, parameters):
            words = 'ERROR', 'sensor_msgs/msg/Image', 'transport'
            assert robot.says(*words, of='front', timeout_s=30), robot.statuses
    finally:
        robot.close()


BROKEN = """
import itertools
from husky_placerec.recognition.recognizer import Recognizer
recognize, calls = Recognizer.recognize, itertools.count()
def sometimes(self, frame, texts=()):
    if next(calls) % 3 == 1:
        raise RuntimeError('out of memory')
    return recognize(self, frame, texts)
Recognizer.recognize = sometimes
"""


def test_an_exception_inside_recognition(world, tmp_path):
    robot = Robot(world.scenes, new_domain())
    parameters = {**PARAMETERS, 'map': str(world.folder / 'campus.map')}
    try:
        with node_process(tmp_path, parameters, before=BROKEN) as process:
            assert robot.found(), process.log()
            words = 'WARN', 'a frame failed: RuntimeError: out of memory'
            assert robot.says(*words, period_ns=PERIOD_NS), robot.statuses
            assert robot.recovers()
            assert robot.counts('failures', 3)
            assert process.poll() is None
    finally:
        robot.close()
