"""The managed node as its manager and its callers meet it, over DDS."""

import shutil
import signal

import pytest
from support.domains import new_domain

NEEDS = ('rclpy',)

pytestmark = pytest.mark.ros

SLOW = """
import time
from husky_placerec.session import loading
def load_for_ever(config, tell):
    print('loading', flush=True)
    time.sleep(60)
loading.load_recognizer = load_for_ever
"""


def ends(robot):
    robot.process.send_signal(signal.SIGINT)
    return robot.process.wait(5)


def test_a_manager_takes_it_through_its_states(start_robot, map_path, tmp_path):
    campus = tmp_path / 'campus.map'
    robot = start_robot({'autostart': False, 'map': str(campus)})
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
def test_it_ends_when_asked_in_every_state(start_robot, transitions):
    robot = start_robot({'autostart': False})
    for transition in transitions:
        assert robot.change(transition)
    robot.state  # noqa: B018  (it is up)
    assert ends(robot) == 0
    assert 'Traceback' not in robot.process.log()


def test_it_ends_when_asked_while_it_loads_and_says_meanwhile_what_it_does(start_robot):
    robot = start_robot(before=SLOW)
    assert robot.wait(lambda: 'loading' in robot.process.log(), 30)
    assert robot.says('OK', 'configuring')
    assert ends(robot) == 0
    assert 'Traceback' not in robot.process.log()


def test_services_of_a_node_that_is_not_configured_say_so(start_robot):
    robot = start_robot({'autostart': False})
    for name in ('relocalize', 'reload_map'):
        done, message = robot.trigger(name)
        assert not done
        assert message
    assert not robot.enable(True)


def test_a_new_version_of_the_map_swaps_in(start_robot, drives, map_path, tmp_path, placerec):
    campus = tmp_path / 'campus.map'
    shutil.copytree(map_path, campus)
    robot = start_robot({'map': str(campus)})
    assert robot.recovers()
    result = placerec('map', 'add', campus, drives[1], '-s', 'extractor=hog')
    assert result.returncode == 0, result.stderr
    done, message = robot.trigger('reload_map')
    assert done, message
    assert '39 places' in message
    assert robot.recovers()
    assert robot.wait(lambda: '39 places' in robot.value('map'))


def test_two_robots_in_namespaces_of_their_own_on_one_machine(start_robot):
    domain = new_domain()
    one = start_robot(namespace='/a200_0000', domain=domain)
    other = start_robot(namespace='/a200_0001', domain=domain)
    assert one.recovers()
    assert other.found()
    assert not other.pose_stamps  # the neighbour's images are not its own
    assert other.recovers()
    assert one.says('ERROR', '/a200_0000/zed_node', of='front')
    assert other.name == '/a200_0001/placerec'
