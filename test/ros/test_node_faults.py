"""
What goes wrong on robots, over DDS: the node keeps running, says so, and recovers by itself.

One node process bears nearly all of it, so that each test also shows that the ones before left
nothing behind.
"""

import subprocess
import sys
import time

import cv2
from husky_placerec.types import SECOND_NS
import numpy as np
import pytest
from support.builders import planar
from support.node_worlds import PARAMETERS
from support.robot import ANSWER_S, node_process, PERIOD_NS, Robot

NEEDS = 'rclpy', 'sensor_msgs'


pytestmark = pytest.mark.ros


def test_a_camera_starts_late(robot):
    robot.drive(15, cameras=['front'])
    assert robot.counts('frames with a camera missing', 5)


def test_a_camera_stops_and_the_other_is_recognised_alone(robot):
    robot.recovers()
    robot.heard['pose'].clear()
    robot.drive(30, cameras=['back'])
    assert len(robot.pose_stamps) >= 10
    assert robot.says('ERROR', 'no messages on /zed_node', 'publishers seen 1', of='front')


def test_both_cameras_stop(robot):
    robot.recovers()
    assert robot.says('ERROR', 'no messages', 'zed_node', 'realsense')
    assert robot.wait(lambda: robot.heard['state'][-1].data == 'LOST')


def test_stamps_of_one_camera_are_200_ms_late(robot):
    before = len(robot.pose_stamps)
    robot.drive(25, shift_ns={'back': -200_000_000})
    # Later images of the slow clock belong to earlier ones of the other: they are paired.
    assert robot.wait(lambda: len(robot.pose_stamps) > before), robot.statuses


def test_stamps_are_more_apart_than_the_slop_and_it_is_said(robot):
    assert robot.set(max_rate=0.0) == ''
    apart = {'shift_ns': {'back': -PERIOD_NS}, 'period_ns': 2 * PERIOD_NS}
    assert robot.says('WARN', 'none belong together', 'slop', **apart), robot.statuses


@pytest.mark.parametrize(('stamp_ns', 'words'), [(10**18, 'do not advance'), (0, 'are zero')])
def test_stamps_are_constant_or_zero(robot, stamp_ns, words):
    for scene in range(20):
        for camera in ('front', 'back'):
            robot.see(camera, stamp_ns, scene=scene)
        robot.pause(0.05)
    assert robot.says('stamps', words, of='front')


def test_stamps_jump_back_as_when_a_bag_loops(robot):
    begin_ns = time.time_ns() - 60 * SECOND_NS
    before = int(robot.value('times that stamps began anew') or 0)
    for _ in range(2):
        for i in range(20):
            for camera in ('front', 'back'):
                robot.see(camera, begin_ns + i * PERIOD_NS, scene=i)
            robot.pause(0.03)
    assert robot.counts('times that stamps began anew', before + 1)


def test_a_clock_steps_ahead_by_an_hour_and_back(robot):
    robot.drive(20, shift_ns=dict.fromkeys(['front', 'back'], 3600 * SECOND_NS))
    assert robot.says('WARN', 's ahead', 'synchronise', of='front')


def test_one_cameras_clock_steps_ahead(robot):
    robot.drive(15, shift_ns={'back': 3600 * SECOND_NS})


def test_messages_come_out_of_order_and_twice(robot):
    rng = np.random.default_rng(1)
    begin_ns, before = time.time_ns(), len(robot.pose_stamps)
    order = np.repeat(np.arange(30), 2) + rng.integers(-1, 2, 60)
    for i in order.clip(0):
        for camera in rng.permutation(['front', 'back']):
            robot.see(str(camera), begin_ns + int(i) * PERIOD_NS, scene=int(i))
        robot.pause(0.03)
    stamps = robot.pose_stamps[before:]
    assert len(stamps) >= 5
    assert len(set(stamps)) == len(stamps)  # none is answered twice


def test_images_of_another_size_and_encoding(robot):
    front = cv2.imdecode(np.frombuffer(robot.scenes[0]['front'], np.uint8), cv2.IMREAD_COLOR)
    small = cv2.imencode('.png', cv2.resize(front, (97, 61)))[1].tobytes()
    grey = cv2.imencode('.jpg', cv2.cvtColor(front, cv2.COLOR_BGR2GRAY))[1].tobytes()
    tiny = cv2.imencode('.png', front[:1, :1])[1].tobytes()
    before = float(robot.value('frames processed') or 0)
    robot.drive(5, front=small, back=grey)
    robot.drive(5, front=tiny, back=tiny)
    assert robot.counts('frames processed', before + 5)


@pytest.mark.parametrize('data', ['truncated', 'empty', 'rubbish'])
def test_a_jpeg_that_does_not_decode(robot, data):
    jpeg = robot.scenes[0]['front']
    broken = {'truncated': jpeg[:200], 'empty': b'', 'rubbish': b'no image'}[data]
    before = float(robot.value('images that do not decode') or 0)
    robot.drive(8, front=broken)
    assert robot.counts('images that do not decode', before + 3)


def test_ten_times_the_rate(robot):
    before = float(robot.value('frames dropped') or 0)
    frames = float(robot.value('frames') or 0)
    end = time.monotonic() + ANSWER_S
    while not robot.value('frames') or float(robot.value('frames')) <= frames + 100:
        assert time.monotonic() < end  # on a loaded host the middleware loses more of them
        robot.drive(150, period_ns=PERIOD_NS // 10)

    def handled():
        done = 'processed', 'dropped', 'held back'
        return sum(float(robot.value(f'frames {what}')) for what in done)

    assert robot.wait(lambda: handled() == float(robot.value('frames')))
    assert float(robot.value('frames dropped')) >= before
    assert float(robot.value('latency p95 ms')) < 1000


def test_a_subscriber_that_blocks(robot):
    blocked = Robot(robot.scenes, robot.context.get_domain_id(), listen=['pose', 'match_image'])
    blocked.pause(0.5)  # it is found, and never listens again
    try:
        before = len(robot.pose_stamps)
        robot.drive(20)
        assert len(robot.pose_stamps) >= before + 10
    finally:
        blocked.close()


def test_the_map_is_deleted_and_put_back(robot):
    campus = robot.folder / 'campus.map'
    campus.rename(robot.folder / 'away.map')
    try:
        assert robot.recovers()
        assert robot.says('WARN', 'the map is gone', period_ns=PERIOD_NS), robot.statuses
        done, message = robot.trigger('reload_map')
        assert not done
        assert 'map.json' in message
    finally:
        (robot.folder / 'away.map').rename(campus)
    assert robot.trigger('reload_map')[0]


def test_the_map_is_reloaded_while_it_drives(robot):
    for _ in range(3):
        robot.drive(3)
        done, message = robot.trigger('reload_map')
        assert done, message
        assert '20 places' in message


def test_the_odometry_goes(robot):
    for i in range(10):
        robot.move(time.time_ns(), planar(0.1 * i))
        robot.drive(1)
    assert robot.says('OK', of='odometry')
    words = 'WARN', 'no messages on /platform/odom'
    assert robot.says(*words, of='odometry', period_ns=PERIOD_NS)


def test_odometry_of_nonsense(robot):
    robot.set(min_travel=1.0)
    for x in (0.0, float('nan'), 1e9, 0.1):
        robot.move(time.time_ns(), planar(x))
        robot.drive(2)
    assert robot.set(min_travel=0.0) == ''


@pytest.mark.parametrize(
    ('values', 'words'),
    [
        ({'min_similarity': 7.0}, 'min_similarity'),
        ({'min_similarity': float('nan')}, 'min_similarity'),
        ({'min_similarity': 'high'}, ''),
        ({'initial_pose': 'maybe'}, 'off, relocalize, once'),
        ({'map': 'another.map'}, 'read-only'),
    ],
)
def test_a_parameter_is_set_to_nonsense(robot, values, words):
    (name,) = values
    before = robot.get(name)
    reason = robot.set(**values)
    assert reason
    assert words in reason
    assert robot.get(name) == before


def test_two_nodes_of_the_same_name(robot):
    parameters = {**PARAMETERS, 'map': str(robot.folder / 'campus.map'), 'autostart': False}
    twin = robot.folder / 'twin'
    twin.mkdir()
    with node_process(twin, parameters):
        assert robot.says('WARN', 'another node is named /placerec', timeout_s=30)
    # It said goodbye: one that only ends is believed in for the 20 s of its lease.
    assert robot.wait(lambda: 'another node' not in robot.message(), 10)


def test_a_dds_peer_dies(robot):
    code = (
        'import rclpy, time; from geometry_msgs.msg import PoseStamped; rclpy.init();'
        "n = rclpy.create_node('peer');"
        "n.create_subscription(PoseStamped, '/placerec/pose', lambda m: print(1, flush=True), 10);"
        'rclpy.spin(n)'
    )
    peer = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE)
    try:
        deadline = time.monotonic() + ANSWER_S
        while not select_readable(peer.stdout):
            assert time.monotonic() < deadline
            robot.drive(3)
    finally:
        peer.kill()  # without a word to its peers
        peer.wait()
    before = len(robot.pose_stamps)
    robot.drive(20)
    assert len(robot.pose_stamps) >= before + 10


def select_readable(stream):
    import select

    return bool(select.select([stream], [], [], 0)[0])
