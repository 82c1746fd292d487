"""The managed node as its manager, its listeners and its callers meet it, over DDS."""

from dataclasses import replace
import json
import shutil
import signal
import sys
import time
from types import SimpleNamespace

import pytest

rclpy = pytest.importorskip('rclpy')

from builders import planar, START_NS  # noqa: E402
from husky_placerec.ros.transform import MapToOdom  # noqa: E402
from husky_placerec.ros.travel import Travel  # noqa: E402
from husky_placerec.types import Recognition, SECOND_NS  # noqa: E402
import numpy as np  # noqa: E402
from robot import new_domain, node_process, OUTPUTS, Robot, scenes_of  # noqa: E402

pytestmark = pytest.mark.ros

# A calibrated map as the node sees it: what it publishes does not depend on how good it is.
CALIBRATED = """
import dataclasses
from husky_placerec.recognition.recognizer import Recognizer
recognize = Recognizer.recognize
def sure(self, frame):
    found = recognize(self, frame)
    said = dict(accepted=True, reason=None, probability=0.99, covariance=(4.0, 1.0) + (0.1,) * 4)
    measurement = dataclasses.replace(found.measurement, **said, covariance_xy=(4.0, 0.5, 1.0))
    return dataclasses.replace(found, **said, state='LOCALIZED', measurement=measurement)
Recognizer.recognize = sure
Recognizer.calibration = 'own'
"""
SLOW = """
import time
from husky_placerec.ros import loading
def load_for_ever(config):
    print('loading', flush=True)
    time.sleep(60)
loading.load_recognizer = load_for_ever
"""


@pytest.fixture
def start(drives, map_path, tmp_path):
    """Return a function that starts a node, and a robot that talks to it."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def starting(parameters=None, *arguments, namespace='', domain=None, before='', **robot):
            folder = tmp_path / (namespace.strip('/') or 'node')
            folder.mkdir()
            made = Robot(scenes_of(drives[1]), domain or new_domain(), namespace, **robot)
            stack.callback(made.close)
            values = {'map': str(map_path), **(parameters or {})}
            options = (*arguments, '-r', f'__ns:={namespace}') if namespace else arguments
            made.process = stack.enter_context(
                node_process(folder, values, *options, before=before)
            )
            made.folder = folder
            return made

        yield starting


def ends(robot):
    robot.process.send_signal(signal.SIGINT)
    return robot.process.wait(5)


def test_a_manager_takes_it_through_its_states(start, map_path, tmp_path):
    campus = tmp_path / 'campus.map'
    robot = start({'autostart': False, 'map': str(campus)})
    assert robot.state == 'unconfigured'
    assert not robot.change('configure')
    assert robot.state == 'unconfigured'
    assert robot.says('ERROR', 'campus.map')
    log = robot.process.log()
    assert log.count('[ERROR]') == 1
    assert 'map.json' in log

    shutil.copytree(map_path, campus)
    assert robot.change('configure')
    assert robot.state == 'inactive'
    robot.drive(5)
    assert not robot.cameras['front'].get_subscription_count()
    inactive_mb = float(robot.value('memory MB') or 0)

    assert robot.change('activate')
    assert robot.recovers()
    assert robot.change('deactivate')
    robot.pause(0.5)
    poses = len(robot.pose_stamps)
    robot.drive(5)
    assert len(robot.pose_stamps) == poses
    assert robot.heard['state'][-1].data == 'LOST'

    assert robot.change('activate')
    assert robot.recovers()
    assert robot.change('deactivate')
    assert robot.change('cleanup')
    assert robot.state == 'unconfigured'
    assert robot.says('OK', 'unconfigured')
    assert 'map' not in robot.statuses[''][2]
    assert inactive_mb > 0
    assert robot.change('configure')
    assert robot.change('activate')
    assert robot.recovers()
    assert robot.change('active_shutdown')
    assert robot.state == 'finalized'
    assert ends(robot) == 0
    assert 'Traceback' not in robot.process.log()


@pytest.mark.parametrize('transitions', [[], ['configure'], ['configure', 'activate']])
def test_it_ends_when_asked_in_every_state(start, transitions):
    robot = start({'autostart': False})
    for transition in transitions:
        assert robot.change(transition)
    robot.state  # noqa: B018  (it is up)
    assert ends(robot) == 0
    assert 'Traceback' not in robot.process.log()


def test_it_ends_when_asked_while_it_loads_and_says_meanwhile_what_it_does(start):
    robot = start(before=SLOW)
    assert robot.wait(lambda: 'loading' in robot.process.log(), 30)
    assert robot.says('OK', 'configuring')
    assert ends(robot) == 0
    assert 'Traceback' not in robot.process.log()


def test_all_that_is_said_about_a_place(start, drives, tmp_path, placerec):
    pictured = tmp_path / 'pictured.map'
    options = '--thumbnails', 160, '-s', 'extractor=hog'
    assert placerec('map', 'build', drives[0], pictured, *options).returncode == 0
    robot = start({'map': str(pictured)}, before=CALIBRATED, listen=OUTPUTS)
    late = robot.heard['state']
    assert robot.found(), robot.process.log()
    robot.drive(20)
    assert robot.wait(lambda: robot.heard['match_image'])
    (pose, measured) = robot.heard['pose'][-1], robot.heard['pose_with_covariance'][-1]
    told = [robot.heard[name][-1] for name in ('candidates', 'match_image')]
    assert {message.header.frame_id for message in (pose, measured, *told)} == {'map'}
    covariance = np.array(measured.pose.covariance).reshape(6, 6)
    assert np.diag(covariance) == pytest.approx([4.0, 1.0, *[0.1] * 4])
    assert covariance[0, 1] == covariance[1, 0] == 0.5
    places = [m.pose.pose.position for m in robot.heard['pose_with_covariance']]
    steps = np.hypot(np.diff([p.x for p in places]), np.diff([p.y for p in places]))
    assert len(places) >= 3
    assert (steps >= 3.0).all()
    assert len(robot.heard['pose']) > len(places)
    assert [state.data for state in late] == ['LOCALIZED']
    assert len(robot.heard['candidates'][-1].poses) == 10
    picture = robot.heard['match_image'][-1]
    pixels = np.frombuffer(picture.data, np.uint8).reshape(picture.height, picture.width, 3)
    above, below = pixels[:90], pixels[90:180]
    assert above.std() > 10
    assert below.std() > 10
    texts = [m.text for m in robot.heard['markers'][-1].markers]
    assert 'LOCALIZED recognised 0.99' in texts

    again = Robot(robot.scenes, robot.context.get_domain_id(), listen=['state'])
    try:  # who comes late hears the state all the same
        assert again.wait(lambda: [s.data for s in again.heard['state']] == ['LOCALIZED'])
    finally:
        again.close()


def test_pictures_are_made_only_while_somebody_looks(start):
    count = """
from husky_placerec.ros import outputs
made = outputs.match_image
def counted(*arguments):
    print('a picture', flush=True)
    return made(*arguments)
outputs.match_image = counted
"""
    robot = start(before=count)
    assert robot.recovers()
    assert 'a picture' not in robot.process.log()
    looking = robot.listen('match_image')
    assert robot.wait(lambda: robot.recovers() and 'a picture' in robot.process.log(), 30)
    robot.node.destroy_subscription(looking)
    robot.pause(0.5)
    pictures = robot.process.log().count('a picture')
    assert robot.recovers()
    assert robot.process.log().count('a picture') == pictures


def test_an_initial_pose_is_given_once_and_on_request(start):
    robot = start({'initial_pose': 'once', 'initial_pose_spacing': 6.0}, before=CALIBRATED)
    assert robot.recovers()  # nobody listens to initialpose yet: it waits
    robot.listen_to_initial_poses()
    assert robot.wait(lambda: robot.recovers() and robot.initial_poses, 30)
    robot.drive(10)
    assert len(robot.initial_poses) == 1
    given = robot.initial_poses[0]
    assert given.header.frame_id == 'map'
    covariance = np.array(given.pose.covariance).reshape(6, 6)
    assert covariance[0, 1] == 0.0  # diagonal, since AMCL refuses what is negative
    stamps = {round(s / 1e6) for s in robot.pose_stamps}
    sec, nanosec = given.header.stamp.sec, given.header.stamp.nanosec
    assert round((sec * SECOND_NS + nanosec) / 1e6) in stamps  # the image's, never now

    done, message = robot.trigger('relocalize')
    assert done
    assert 'initialpose' in message
    robot.drive(len(robot.scenes))
    assert robot.wait(lambda: len(robot.initial_poses) == 2)
    first, second = (m.pose.pose.position for m in robot.initial_poses)
    assert np.hypot(first.x - second.x, first.y - second.y) >= 6.0


def test_an_uncalibrated_map_never_gives_an_initial_pose_and_says_so(start):
    robot = start({'initial_pose': 'once'})
    robot.listen_to_initial_poses()
    assert robot.recovers()
    assert robot.says('WARN', 'uncalibrated', 'placerec calibrate', period_ns=SECOND_NS // 10)
    assert not robot.initial_poses
    assert not robot.heard['pose_with_covariance']


def test_it_can_be_switched_off_and_on(start):
    robot = start()
    assert robot.recovers()
    assert robot.enable(False)
    robot.pause(0.3)
    poses = len(robot.pose_stamps)
    robot.drive(10)
    assert len(robot.pose_stamps) == poses
    assert robot.says('OK', 'disabled by ~/enable', period_ns=SECOND_NS // 10)
    assert robot.enable(True)
    assert robot.recovers()


def test_services_of_a_node_that_is_not_configured_say_so(start):
    robot = start({'autostart': False})
    for name in ('relocalize', 'reload_map'):
        done, message = robot.trigger(name)
        assert not done
        assert message
    assert not robot.enable(True)


def test_a_new_version_of_the_map_swaps_in(start, drives, map_path, tmp_path, placerec):
    campus = tmp_path / 'campus.map'
    shutil.copytree(map_path, campus)
    robot = start({'map': str(campus)})
    assert robot.recovers()
    result = placerec('map', 'add', campus, drives[1], '-s', 'extractor=hog')
    assert result.returncode == 0, result.stderr
    done, message = robot.trigger('reload_map')
    assert done, message
    assert '39 places' in message
    assert robot.recovers()
    assert robot.wait(lambda: '39 places' in robot.value('map'))


def test_thresholds_and_rates_change_while_it_runs(start):
    robot = start()
    assert robot.recovers()
    assert robot.set(max_rate=2.0) == ''
    before = len(robot.pose_stamps)
    robot.drive(20)  # two seconds
    assert 3 <= len(robot.pose_stamps) - before <= 6
    assert robot.counts('frames held back', 10)
    assert robot.set(max_rate=0.0, min_similarity=1.0) == ''
    robot.pause(0.5)
    before = len(robot.pose_stamps)
    robot.drive(10)
    assert len(robot.pose_stamps) == before
    assert robot.set(min_similarity=0.6) == ''
    assert robot.recovers()
    described = robot.describe('max_rate')
    assert described.description.endswith('[Hz]')
    assert not described.read_only
    assert described.floating_point_range[0].to_value == 1000.0
    assert robot.describe('map').read_only


def test_old_frames_are_held_back_and_a_replay_without_clock_is_named(start):
    robot = start({'max_age': 1.0})
    assert robot.recovers()
    late = dict.fromkeys(['front', 'back'], -3 * SECOND_NS)
    assert robot.says('stamps are 3.', 'clocks', of='front', shift_ns=late)
    assert robot.counts('   too old', 3)
    before = len(robot.pose_stamps)
    replay = dict.fromkeys(['front', 'back'], -3600 * SECOND_NS)
    words = 'WARN', 'a replay without /clock', 'use_sim_time'
    assert robot.says(*words, of='front', shift_ns=replay), robot.statuses
    assert len(robot.pose_stamps) > before


def test_a_robot_that_stands_is_recognised_once_where_that_is_asked(start):
    robot = start({'odometry_topic': 'platform/odom', 'min_travel': 1.0})
    assert robot.found()
    assert robot.wait(robot.odometry.get_subscription_count)
    for i in range(20):
        robot.move(time.time_ns(), planar(5.0 + 0.01 * i))
        robot.drive(1)
    assert robot.counts('   too near', 10)
    poses = len(robot.pose_stamps)
    for i in range(20):
        robot.move(time.time_ns(), planar(5.0 + 0.3 * i))
        robot.drive(1)
    assert len(robot.pose_stamps) >= poses + 3


def test_the_odometry_that_was_used_is_in_the_log(start, tmp_path):
    log = tmp_path / 'log.jsonl'
    robot = start({'odometry_topic': 'platform/odom', 'recognitions_file': str(log)})
    assert robot.found()
    assert robot.wait(robot.odometry.get_subscription_count)
    for i in range(20):
        robot.move(time.time_ns(), planar(0.1 * i))
        robot.drive(1)
    assert robot.counts('frames processed', 10)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    poses = [pose for line in lines for pose in line['odometry']]
    assert len(poses) >= 10
    assert [x for _, x, *_ in poses] == pytest.approx(sorted(x for _, x, *_ in poses))


def test_a_transform_without_tf2_or_odometry_is_refused_or_warned_about(start):
    robot = start({'publish_tf': True})
    assert robot.process.wait(30) == 2
    assert 'odometry_topic' in robot.process.log()
    if pytest.importorskip('importlib.util').find_spec('tf2_msgs') is None:
        robot = start({'publish_tf': True, 'odometry_topic': 'odom'}, namespace='/again')
        assert robot.recovers()
        assert 'tf2_msgs is not installed' in robot.process.log()


def test_two_robots_in_namespaces_of_their_own_on_one_machine(start):
    domain = new_domain()
    one = start(namespace='/a200_0000', domain=domain)
    other = start(namespace='/a200_0001', domain=domain)
    assert one.recovers()
    assert other.found()
    assert not other.pose_stamps  # the neighbour's images are not its own
    assert other.recovers()
    assert one.says('ERROR', '/a200_0000/zed_node', of='front')
    assert other.name == '/a200_0001/placerec'


class Told:
    """A node of which only what it publishes is of interest."""

    def __init__(self):
        self.published, self.timers = [], []

    def create_publisher(self, kind, topic, qos):
        assert topic == '/tf'
        return SimpleNamespace(publish=self.published.append)

    def create_timer(self, period_s, callback):
        self.timers.append((period_s, callback))

    def get_clock(self):
        now = SimpleNamespace(nanoseconds=START_NS + 5 * SECOND_NS)
        return SimpleNamespace(now=lambda: now)


def test_map_to_odom_is_the_accepted_pose_before_the_odometrys(monkeypatch):
    """On PyPI there is no tf2_msgs: here a message is its transforms."""
    message = SimpleNamespace(TFMessage=SimpleNamespace)
    monkeypatch.setitem(sys.modules, 'tf2_msgs', SimpleNamespace(msg=message))
    monkeypatch.setitem(sys.modules, 'tf2_msgs.msg', message)
    travel, node = Travel(), Told()
    travel.add(START_NS - SECOND_NS // 2, planar(10.0, 0.0, 90.0))
    travel.add(START_NS + SECOND_NS // 2, planar(12.0, 0.0, 90.0))  # at the stamp: x 11
    transform = MapToOdom(node, travel)
    ((period_s, broadcast),) = node.timers
    assert period_s == 1 / 20
    broadcast()
    assert not node.published  # nothing is known yet
    fix = Recognition(START_NS, {}, True, None, (), estimate=planar(100.0, 50.0, 90.0))
    for recognition in (fix, replace(fix, accepted=False, estimate=planar(0.0))):
        transform.update(recognition, 'campus', 'odom')
        broadcast()
    first, second = (told.transforms[0] for told in node.published)
    for stamped in (first, second):  # what is refused changes nothing
        translation = stamped.transform.translation
        assert (translation.x, translation.y) == pytest.approx((89.0, 50.0))
        assert stamped.transform.rotation.w == pytest.approx(1.0)
        assert (stamped.header.frame_id, stamped.child_frame_id) == ('campus', 'odom')
        assert stamped.header.stamp.sec == START_NS // SECOND_NS + 5
    transform.forget()
    broadcast()
    assert len(node.published) == 2
