"""The node learns of its cameras from CameraInfo, and says when it cannot."""

from __future__ import annotations

from dataclasses import replace
import time

from geometry_msgs.msg import TransformStamped
from husky_placerec.cameras.intrinsics import EQUIDISTANT
from husky_placerec.config import make_config
from husky_placerec.data.bag import Bag
from husky_placerec.operations.build_map import build_map
from husky_placerec.ros.conversions import to_header
from husky_placerec.ros.message_types import message_class
from husky_placerec.ros.playback import Player
import pytest
import rclpy
from rclpy.context import Context
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CameraInfo
from support.builders import encode
from support.camera_drives import BACK, FRONT, HUSKY, INFO_TOPICS, photo, write_drive
from support.camera_messages import mounted
from support.domains import new_domain
from support.needs import needs
from support.robot import ANSWER_S, node_process, Robot, START_S

NEEDS = 'rclpy', 'sensor_msgs', 'numba'

pytestmark = pytest.mark.ros

SMOOTH = {
    'extractor': 'hog',
    'uncalibrated': 'thresholds',
    'min_similarity': 0.6,
    'check_images': False,
}
FISHEYE = replace(FRONT, fx=90.0, fy=90.0, model=EQUIDISTANT, distortion=(-0.005, 0.002, 0.0, 0.0))
PLACES = 4
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


@pytest.fixture(scope='module')
def map_path(tmp_path_factory):
    folder = tmp_path_factory.mktemp('cameras')
    bag = write_drive(folder / 'drive', HUSKY, range(PLACES))
    build_map(bag, folder / 'map', config=make_config(SMOOTH))
    return folder / 'map'


@pytest.fixture
def robot_with(map_path, tmp_path):
    """Return a function that starts a node and a robot with these lenses."""
    running = []

    def starting(lenses, told=('front', 'back'), tf=None):
        domain = new_domain()
        scenes = [
            {
                camera: encode(photo(place + 100 * (camera == 'back'), lens), '.jpg')
                for camera, lens in lenses.items()
            }
            for place in range(PLACES)
        ]
        process = node_process(tmp_path, {**SMOOTH, 'map': str(map_path)})
        robot = Robot(scenes, domain)
        robot.infos = {}
        if tf is not None:
            robot.tf = robot.node.create_publisher(type(tf), '/tf_static', LATCHED)
            robot.tf.publish(tf)
        running.extend([process, robot])
        robot.process = process.__enter__()
        assert robot.found(), robot.log
        for camera in told:
            publisher = robot.node.create_publisher(CameraInfo, INFO_TOPICS[camera], 10)
            assert robot.wait(publisher.get_subscription_count), robot.log
            robot.pause(0.5)
            publisher.publish(info_of(camera, lenses[camera]))
            robot.infos[camera] = publisher
        return robot

    yield starting
    for each in running:
        if isinstance(each, Robot):
            each.close()
        else:
            each.__exit__(None, None, None)


def info_of(camera, lens):
    info = CameraInfo(header=to_header(time.time_ns(), f'{camera}_eye'))
    info.width, info.height, info.distortion_model = lens.width, lens.height, lens.model
    info.d = list(lens.distortion or (0.0,) * 5)
    info.k = [lens.fx, 0.0, lens.cx - 0.5, 0.0, lens.fy, lens.cy - 0.5, 0.0, 0.0, 1.0]
    return info


def static_tf(lenses):
    """Make the real TFMessage that tells how the cameras are mounted."""
    transforms = []
    for camera, lens in lenses.items():
        pose = mounted(180 * (camera == 'back'), 90 * -lens.turns)
        stamped = TransformStamped(
            header=to_header(time.time_ns(), 'base_link'), child_frame_id=f'{camera}_eye'
        )
        place, turn = stamped.transform.translation, stamped.transform.rotation
        place.x, place.y, place.z = pose.x, pose.y, pose.z
        turn.x, turn.y, turn.z, turn.w = pose.qx, pose.qy, pose.qz, pose.qw
        transforms.append(stamped)
    return message_class('tf2_msgs/msg/TFMessage')(transforms=transforms)


def test_a_robot_of_other_lenses_is_recognised_by_its_camera_info(robot_with):
    robot = robot_with({'front': FRONT, 'back': FISHEYE})
    assert robot.recovers(), robot.log
    assert 'front, back resampled to a virtual pinhole of 0.758 widths' in robot.log
    assert 'no CameraInfo' not in robot.log


def test_without_camera_info_the_node_goes_on_after_a_second_and_says_so(robot_with):
    robot = robot_with({'front': FRONT, 'back': BACK}, told=['front'])
    assert robot.recovers(), robot.log
    assert 'no CameraInfo of back came within 1 s' in robot.log


def test_a_camera_that_fills_too_little_of_the_view_is_an_error_and_gives_no_pose(robot_with):
    robot = robot_with({'front': FRONT, 'back': replace(BACK, fx=300.0, fy=300.0)})
    assert robot.says('ERROR', 'camera back: its images of 44 degrees', cameras=('front', 'back'))
    assert robot.heard['pose'] == []
    assert robot.process.poll() is None


@needs('tf2_msgs')
def test_a_camera_upside_down_is_turned_by_static_tf(robot_with):
    lenses = {'front': FRONT, 'back': replace(BACK, turns=2)}
    robot = robot_with(lenses, tf=static_tf(lenses))
    assert robot.recovers(), robot.log
    assert 'back turned upright' in robot.log


def test_a_zoom_is_told_once_and_the_first_intrinsics_stay(robot_with):
    robot = robot_with(HUSKY)
    assert robot.recovers(), robot.log
    for focal in (300.0, 400.0):
        robot.infos['back'].publish(info_of('back', replace(BACK, fx=focal, fy=focal)))
    told = f'CameraInfo of back on {INFO_TOPICS["back"][1:]} changes (a zoom?); the first one is'
    assert robot.wait(lambda: told in robot.log), robot.log
    assert robot.recovers(), robot.log
    assert robot.log.count('a zoom?') == robot.log.count('resampled to') == 1


def test_the_player_of_the_demo_tells_what_the_cameras_of_its_bag_are(map_path, tmp_path):
    bag_path = write_drive(tmp_path / 'other', {'front': FRONT, 'back': FISHEYE}, range(PLACES))
    context = Context()
    rclpy.init(context=context, domain_id=new_domain())
    player = Player(context, make_config(SMOOTH))
    try:
        with node_process(tmp_path, {**SMOOTH, 'map': str(map_path)}) as process:
            assert player.wait_until(player.connected, START_S), process.log()
            player.settle()
            with Bag(bag_path) as bag:
                player.play(bag, 2.0)
            assert player.wait_until(player.processed_all, ANSWER_S), process.log()
            assert player.poses(), process.log()
            assert 'front, back resampled to a virtual pinhole' in process.log()
            assert 'no CameraInfo' not in process.log()
    finally:
        player.close()
        rclpy.try_shutdown(context=context)
