"""
A calibrated map over DDS: all that the node says is what a replay of its log says.

Nothing is patched and nothing is made up: the commands built and calibrated the map, and a player
plays the drive with its odometry.
"""

from contextlib import contextmanager
from itertools import groupby
import json
import subprocess
import sys
import time

from husky_placerec.ros.conversions import from_pose, from_stamp
from husky_placerec.types import Pose
import numpy as np
import pytest
from support.robot import OUTPUTS, Robot

NEEDS = ('rclpy',)

pytestmark = pytest.mark.ros

RATE = 15  # five frames a second
SPACING_M, APART_M = 3.0, 6.0  # of measurements, by default; of initial poses, here


@contextmanager
def playing(robot, drive):
    """Play a drive meanwhile, and then wait until the node has said all that it has to say."""
    command = [sys.executable, '-m', 'husky_placerec.cli', 'play', str(drive), '--rate', str(RATE)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    yield
    assert robot.wait(lambda: process.poll() is not None, 60)
    assert process.returncode == 0, process.stdout.read()
    end = time.monotonic()
    assert robot.wait(lambda: robot.diagnosed > end + 0.5 and all_handled(robot)), robot.statuses


def all_handled(robot):
    done = 'processed', 'dropped', 'held back'
    return int(robot.value('frames')) == sum(int(robot.value(f'frames {word}')) for word in done)


def told(message):
    return from_stamp(message.header.stamp), from_pose(message.pose)


def covariance_of(message):
    return np.array(message.pose.covariance).reshape(6, 6)


def spaced(lines):
    """Return the measurements that a filter is given: accepted, borne out, some metres apart."""
    last, chosen = None, []
    for line in lines:
        said = line['measurement']
        borne_out = said['accepted'] and line['state'] == 'LOCALIZED'
        if borne_out and not (last and last.distance_m(Pose(**said['pose'])) < SPACING_M):
            last = Pose(**said['pose'])
            chosen.append((line['stamp_ns'], last, said['covariance']))
    return chosen


def changes(states):
    """Return each state once; LOST may come between, where nothing did for some seconds."""
    return [state for state, _ in groupby(state for state in states if state != 'LOST')]


def test_all_that_is_said_is_what_a_replay_of_the_log_says(
    start_robot, drives, calibrated_map, tmp_path, placerec
):
    log, out = tmp_path / 'node.jsonl', tmp_path / 'results'
    parameters = {
        'map': str(calibrated_map),
        'odometry_topic': 'platform/odom',
        'recognitions_file': str(log),
        'initial_pose': 'once',
        'initial_pose_spacing': APART_M,
    }
    robot = start_robot(parameters, listen=OUTPUTS)
    assert robot.found(), robot.log
    with playing(robot, drives[1]):
        assert robot.wait(lambda: len(robot.heard['pose']) >= 4, 60)
        robot.listen_to_initial_poses()  # until now nobody did
    done, answer = robot.trigger('relocalize')
    assert done
    assert 'initialpose' in answer
    with playing(robot, drives[1]):
        pass
    who_comes_late_hears_the_state(robot)

    ended = placerec(*('replay', drives[1], '--map', calibrated_map, '-o', out, '--stamps', log))
    assert ended.returncode == 0, ended.stderr
    text = (out / 'recognitions.jsonl').read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    poses_and_states_are_those_of(lines, robot)
    measurements_are_those_of(lines, robot)
    initial_poses_are_two_of(lines, robot)
    people_see_what_it_sees(robot)
    the_diagnostics_tell_the_proof(lines, robot)


def the_diagnostics_tell_the_proof(lines, robot):
    assert float(robot.value('proof asked')) > 0
    last = f'{lines[-1]["proof"]:.1f}'
    assert robot.wait(lambda: robot.value('last proof') == last), last


def poses_and_states_are_those_of(lines, robot):
    accepted = [(line['stamp_ns'], Pose(**line['pose'])) for line in lines if line['accepted']]
    assert [told(message) for message in robot.heard['pose']] == accepted
    assert len(accepted) >= 20
    states = [message.data for message in robot.heard['state']]
    assert changes(states) == changes(line['state'] for line in lines)
    assert 'LOCALIZED' in states


def measurements_are_those_of(lines, robot):
    heard, expected = robot.heard['pose_with_covariance'], spaced(lines)
    assert [(from_stamp(m.header.stamp), from_pose(m.pose.pose)) for m in heard] == [
        (stamp_ns, pose) for stamp_ns, pose, _ in expected
    ]
    assert 3 <= len(expected) < len(robot.heard['pose'])
    for message, (*_, covariance) in zip(heard, expected):
        matrix = covariance_of(message)
        np.testing.assert_allclose(np.diag(matrix), covariance)
        np.testing.assert_array_equal(matrix, matrix.T)
        assert np.linalg.eigvalsh(matrix).min() > 0
    assert any(covariance_of(message)[0, 1] for message in heard)  # x and y err together


def initial_poses_are_two_of(lines, robot):
    first, second = robot.initial_poses
    # It waited for a subscriber.
    assert from_stamp(first.header.stamp) > from_stamp(robot.heard['pose'][3].header.stamp)
    for drive, message in ((0, first), (-1, second)):  # the second has the stamps of the first
        stamp_ns, matrix = from_stamp(message.header.stamp), covariance_of(message)
        line = [line for line in lines if line['stamp_ns'] == stamp_ns][drive]
        # Diagonal, since AMCL refuses what is negative.
        np.testing.assert_allclose(matrix, np.diag(line['covariance']))
    assert from_pose(first.pose.pose).distance_m(from_pose(second.pose.pose)) >= APART_M


def people_see_what_it_sees(robot):
    seen = [robot.heard[name][-1] for name in ('candidates', 'match_image')]
    said = [*robot.heard['pose'], *robot.heard['pose_with_covariance'], *robot.initial_poses]
    assert {message.header.frame_id for message in (*seen, *said)} == {'map'}
    assert len(robot.heard['candidates'][-1].poses) == 10
    picture = robot.heard['match_image'][-1]
    pixels = np.frombuffer(picture.data, np.uint8).reshape(picture.height, picture.width, 3)
    above, below = pixels[:90], pixels[90:180]
    assert above.std() > 10
    assert below.std() > 10
    texts = [m.text for array in robot.heard['markers'] for m in array.markers]
    assert any(text.startswith('LOCALIZED recognised') for text in texts), texts


def who_comes_late_hears_the_state(robot):
    late = Robot(robot.scenes, robot.context.get_domain_id(), listen=['state'])
    try:
        assert late.wait(lambda: late.heard['state'])
        robot.pause(0.2)
        states = [message.data for message in late.heard['state']]
        assert states == [message.data for message in robot.heard['state']][-len(states) :]
    finally:
        late.close()
