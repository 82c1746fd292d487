"""The published state over DDS: it lasts while frames confirm it, and no longer."""

from __future__ import annotations

import signal
import time

import pytest
from support.builders import planar

pytestmark = pytest.mark.ros

STANDING = {'odometry_topic': 'platform/odom', 'min_travel': 1.0}


def states(robot):
    return [message.data for message in robot.heard['state']]


def stand(robot, seconds):
    """Send images and an odometry that stands still."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        robot.move(time.time_ns(), planar(0.0))
        robot.drive(1)


@pytest.mark.parametrize('parameters', [STANDING, {'max_rate': 0.1}], ids=['stands', 'slow'])
def test_a_robot_whose_frames_are_held_back_stays_localized(start_robot, parameters):
    robot = start_robot(parameters)
    assert robot.found()
    assert robot.wait(lambda: states(robot) == ['LOST'])
    stand(robot, 8.0)  # longer than a state lasts without a frame
    assert states(robot) == ['LOST', 'LOCALIZED']
    assert robot.counts('frames held back', 20)


def test_without_images_the_state_is_lost_and_the_next_ones_bring_it_back(start_robot):
    robot = start_robot()
    assert robot.found()
    robot.drive(10)
    assert robot.wait(lambda: states(robot)[-1:] == ['LOCALIZED'])
    assert robot.wait(lambda: states(robot)[-1] == 'LOST', 8)
    assert robot.recovers()
    assert states(robot)[-1] == 'LOCALIZED'


def test_images_that_pause_are_not_taken_for_images_that_do_not_pair(start_robot):
    robot = start_robot()
    assert robot.found()
    robot.drive(30)
    assert robot.counts('frames', 30)
    seen = set()
    for _ in range(4):
        robot.drive(3)
        end = time.monotonic() + 1.2
        while time.monotonic() < end:
            robot.pause(0.05)
            seen.add(robot.message())
    assert not any('none belong together' in message for message in seen), seen


def test_a_node_that_ends_while_it_is_localized_ends_well(start_robot):
    robot = start_robot()
    assert robot.found()
    robot.drive(10)
    assert robot.wait(lambda: states(robot)[-1:] == ['LOCALIZED'])
    robot.process.send_signal(signal.SIGINT)
    assert robot.process.wait(5) == 0
    assert 'Traceback' not in robot.log
