"""Masks on the robot, over DDS: they come with their image, late, bad or never; poses go on."""

import time

import cv2
from husky_placerec.config import make_config
from husky_placerec.operations.build_map import build_map
from husky_placerec.ros.conversions import to_header
import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage, Image
from support.robot import CAMERA_QOS, PERIOD_NS
from support.segmentation import write_segmentation

NEEDS = 'rclpy', 'sensor_msgs', 'onnxruntime'

pytestmark = pytest.mark.ros

NETWORK = {'extractor': 'onnx', 'weights': 'shipped', 'pinhole': 'off', 'masks': True}
SHAPE = 192, 320


@pytest.fixture(scope='module')
def map_path(drives, tmp_path_factory):
    """Build a map with masks; thresholds decide about it."""
    path = tmp_path_factory.mktemp('masked') / 'map'
    build_map(drives[0], path, config=make_config({**NETWORK, 'centring': 'off'}))
    return path


class Masks:
    """Publishes masks of a robot's images: raw ones of the front, compressed ones of the back."""

    def __init__(self, robot):
        self._robot = robot
        node = robot.node
        self._front = node.create_publisher(Image, 'front/mask', CAMERA_QOS)
        self._back = node.create_publisher(CompressedImage, 'back/mask', CAMERA_QOS)

    def found(self):
        both = self._front, self._back
        return self._robot.wait(lambda: all(p.get_subscription_count() for p in both), 20)

    def front(self, stamp_ns, mask):
        height, width = mask.shape
        header = to_header(stamp_ns, 'front')
        message = Image(header=header, height=height, width=width, step=width, encoding='mono8')
        message.data.frombytes(mask.tobytes())
        self._front.publish(message)

    def back(self, stamp_ns, content):
        message = CompressedImage(header=to_header(stamp_ns, 'back'), format='png')
        message.data.frombytes(content)
        self._back.publish(message)


def png(mask):
    return cv2.imencode('.png', mask)[1].tobytes()


def test_masks_come_by_stamp_and_late_missing_or_bad_ones_delay_no_pose(start_robot):
    topics = {'camera.front.mask_topic': 'front/mask', 'camera.back.mask_topic': 'back/mask'}
    topics['camera.back.mask_transport'] = 'compressed'
    # A robot that pauses between pairs has not lost a camera.
    robot = start_robot({**NETWORK, **topics, 'silence': 10.0})
    masks = Masks(robot)
    assert robot.found()
    assert masks.found()
    cars = np.full(SHAPE, 17, np.uint8)
    cars[:, :80] = 55

    def pair(before=None):
        """Send a pair of images, with their masks before; return the stamp."""
        stamp_ns = time.time_ns()
        if before is not None:
            masks.front(stamp_ns, before)
            masks.back(stamp_ns, png(before))
            robot.pause(0.1)
        for camera in ('front', 'back'):
            robot.see(camera, stamp_ns, scene=len(robot.sent) // 2)
        robot.pause(0.2)
        return stamp_ns

    def counted(key, least):
        assert robot.counts(key, least), (key, robot.statuses, robot.log)

    robot.drive(15)  # the node waits a second for what the cameras tell
    robot.pause(1.5)
    bare = int(robot.value('images without a mask'))
    for _ in range(3):
        pair(before=cars)
    counted('images with a mask', 6)
    assert int(robot.value('images without a mask')) == bare
    processed = int(robot.value('frames processed'))
    late_ns = pair()  # no masks in time
    counted('frames processed', processed + 1)
    counted('images without a mask', bare + 2)
    masks.front(late_ns, cars)  # the pose went on without it
    counted('masks that came too late', 1)
    pair(before=np.zeros((10, 10), np.uint8))
    counted('masks that are refused', 2)
    assert robot.says('WARN', 'the mask is 10x10, its image 320x192')
    counted('frames processed', processed + 2)
    assert 'Traceback' not in robot.log
    assert float(robot.value('failures')) == 0


def test_a_network_on_board_makes_masks_within_its_budget(start_robot, tmp_path):
    pytest.importorskip('onnx')
    model = write_segmentation(tmp_path / 'a.onnx')
    robot = start_robot({**NETWORK, 'segmentation': str(model), 'segmentation_budget': 5.0})
    assert robot.found()
    assert robot.counts('images with a mask', 4, period_ns=PERIOD_NS), robot.log
    assert 'Traceback' not in robot.log
