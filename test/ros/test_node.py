"""The real node as a process of its own, talked to over DDS from this one."""

import json
import signal
import subprocess
import sys
import time

from husky_placerec.config import make_config
from husky_placerec.data.bag import Bag
from husky_placerec.ros.conversions import to_stamp
from husky_placerec.ros.playback import Player
import pytest
import rclpy
from rclpy.context import Context
from sensor_msgs.msg import CompressedImage
from support.domains import new_domain
from support.robot import ANSWER_S, START_S
import yaml

NEEDS = 'rclpy', 'sensor_msgs'

pytestmark = pytest.mark.ros

HOG = {'extractor': 'hog', 'uncalibrated': 'thresholds', 'min_similarity': 0.6}
SPEED = 15.0  # 5 frames a second
SLOWLY = 6.0  # 2 frames a second, of which a loaded host loses none


@pytest.fixture
def start(tmp_path):
    """Return a function that starts a node and a player that is connected to it."""
    context, processes, players = Context(), [], []
    rclpy.init(context=context, domain_id=new_domain())

    def starting(parameters, *, connect=True, waits=False):
        config = make_config({**HOG, **parameters})
        file = tmp_path / 'parameters.yaml'
        file.write_text(yaml.safe_dump({'/**': {'ros__parameters': config.as_dict()}}))
        command = [sys.executable, '-m', 'husky_placerec.ros.node', '--ros-args']
        with (tmp_path / 'node.log').open('w') as log:
            process = subprocess.Popen(
                [*command, '--params-file', str(file)], stdout=log, stderr=subprocess.STDOUT
            )
        processes.append(process)
        player = Player(context, config, waits=waits)
        players.append(player)
        if connect:
            assert player.wait_until(player.connected, START_S), log_of(tmp_path)
            player.settle()
        return process, player

    yield starting
    for process in processes:
        process.kill()
        process.wait()
    for player in players:
        player.close()
    rclpy.try_shutdown(context=context)


def log_of(tmp_path):
    return (tmp_path / 'node.log').read_text()


def diagnosed(player, name, least):
    return player.wait_until(lambda: int(player.diagnostics.get(name, 0)) >= least, ANSWER_S)


def test_places_are_recognised_and_a_replay_gives_the_same_poses(
    start, drives, map_path, tmp_path, placerec
):
    log = tmp_path / 'recognitions.jsonl'
    _, player = start({'map': str(map_path), 'recognitions_file': str(log)})
    with Bag(drives[1]) as bag:
        player.play(bag, SPEED)
    assert player.wait_until(player.processed_all, ANSWER_S), player.diagnostics
    assert player.diagnostics['frames'] == '19'
    poses = player.poses()
    assert len(poses) >= 8
    messages = [message for _, message in player.received.values()]
    assert {message.header.frame_id for message in messages} == {'map'}
    assert set(poses) <= set(player.sent['front'])  # the stamp is the front image's

    processed = [json.loads(line) for line in log.read_text().splitlines()]
    assert len(processed) == int(player.diagnostics['frames processed'])
    stamps = tmp_path / 'stamps.txt'
    stamps.write_text('\n'.join(str(line['stamp_ns']) for line in processed))
    for selection in (log, stamps):  # all that the node knew, or its frames' stamps alone
        out = tmp_path / f'{selection.stem}.results'
        named = [f'--set={name}={value}' for name, value in HOG.items()]
        own = named if selection == stamps else []
        options = '--stamps', selection, *own  # the log tells the node's parameters
        result = placerec('replay', drives[1], '--map', map_path, '-o', out, *options)
        assert result.returncode == 0, result.stderr
        repeated = [json.loads(x) for x in (out / 'recognitions.jsonl').read_text().splitlines()]
        accepted = {line['stamp_ns']: line['pose'] for line in repeated if line['accepted']}
        assert [line['stamp_ns'] for line in repeated] == [x['stamp_ns'] for x in processed]
        assert accepted == {stamp_ns: vars(pose) for stamp_ns, pose in poses.items()}


def test_a_player_that_waits_for_answers_overruns_no_node_and_the_node_says_what_it_recognised(
    start, drives, map_path, tmp_path
):
    process, player = start({'map': str(map_path)}, waits=True)
    with Bag(drives[1]) as bag:
        player.play(bag, 1e6)
    assert player.wait_until(player.processed_all, ANSWER_S), player.diagnostics
    assert player.diagnostics['frames'] == '19'
    # The first two are paired at once, by the period that the second one tells.
    assert int(player.diagnostics['frames dropped']) <= 1
    assert player.diagnostics['initialpose waits for'] == 'nothing; initial_pose is off'
    process.send_signal(signal.SIGINT)
    assert process.wait(ANSWER_S) == 0
    poses = player.diagnostics['poses published']
    assert f'recognised {poses} of 19 frames' in log_of(tmp_path)


def test_a_replay_gives_the_poses_of_a_sequence_with_odometry_stamp_by_stamp(
    start, drives, calibrated_map, tmp_path, placerec
):
    """Whatever odometry reached the node in time: its log has it."""
    log = tmp_path / 'recognitions.jsonl'
    parameters = {
        'map': str(calibrated_map),
        'recognitions_file': str(log),
        'odometry_topic': 'platform/odom',
    }
    _, player = start(parameters)
    played = subprocess.run(
        [sys.executable, '-m', 'husky_placerec.cli', 'play', drives[1], '--rate', str(SLOWLY)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert played.returncode == 0, played.stderr
    assert diagnosed(player, 'frames processed', 10), player.diagnostics
    player.settle()
    processed = [json.loads(line) for line in log.read_text().splitlines()]
    assert sum(len(line['odometry']) for line in processed) >= 10
    assert processed[-1]['state']
    out = tmp_path / 'results'
    result = placerec('replay', drives[1], '--map', calibrated_map, '-o', out, '--stamps', log)
    assert result.returncode == 0, result.stderr
    repeated = [json.loads(x) for x in (out / 'recognitions.jsonl').read_text().splitlines()]
    for key in ('stamp_ns', 'state', 'reason', 'accepted', 'pose', 'probability'):
        assert [line[key] for line in repeated] == [line[key] for line in processed], key


def test_it_says_at_the_start_what_it_does_and_ends_at_once(start, map_path, tmp_path):
    process, _ = start({'map': str(map_path)})
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(5) == 0
    assert time.monotonic() - began < 1.0
    log = log_of(tmp_path)
    for word in (str(map_path), '20 places', 'hog', '/zed_node/left', '/realsense_back/color'):
        assert word in log
    assert 'Traceback' not in log


@pytest.mark.parametrize(
    ('parameters', 'words'),
    [
        ({'map': 'nowhere.map'}, ['nowhere.map', 'map.json']),
        ({'map': ''}, ['parameter map']),
        ({'extractor': 'pixels'}, ['pixels', 'hog']),
        ({'cameras': ['back', 'front']}, ['cameras']),
        ({'recognitions_file': 'no/such/folder/log.jsonl'}, ['recognitions_file']),
    ],
)
def test_it_refuses_to_start_with_one_sentence(start, map_path, tmp_path, parameters, words):
    process, _ = start({'map': str(map_path), **parameters}, connect=False)
    assert process.wait(START_S) == 2
    log = log_of(tmp_path)
    assert log.count('[FATAL]') == 1
    assert 'Traceback' not in log
    for word in words:
        assert word in log


def publish_pair(player, make, stamp_ns):
    for publisher in player._publishers.values():
        message = make()
        message.header.stamp = to_stamp(stamp_ns)
        publisher.publish(message)


def test_it_goes_on_after_images_that_do_not_decode(start, drives, map_path, tmp_path):
    process, player = start({'map': str(map_path)})
    publish_pair(player, lambda: CompressedImage(format='jpeg', data=b'no image'), 10**18)
    assert diagnosed(player, 'images that do not decode', 2), player.diagnostics
    assert 'do not decode as an image' in log_of(tmp_path)
    with Bag(drives[1]) as bag:
        player.play(bag, SPEED)
    assert player.wait_until(lambda: len(player.received) >= 8, ANSWER_S), player.diagnostics
    assert process.poll() is None


def test_a_looped_bag_is_recognised_again(start, drives, map_path):
    _, player = start({'map': str(map_path)})
    with Bag(drives[1]) as bag:
        player.play(bag, SPEED)
        player.play(bag, SPEED)
    assert diagnosed(player, 'frames', 37), player.diagnostics
    # Once a camera, where the last image of one came after the first of the other.
    assert player.diagnostics['times that stamps began anew'] in ('1', '2')


def test_one_camera_alone_is_recognised(start, drives, map_path):
    _, player = start({'map': str(map_path)})
    with Bag(drives[1]) as bag:
        topics = bag.camera_topics(make_config({}))
        for camera, stamp_ns, data in bag.serialized(topics):
            if camera == 'front':  # the back camera is advertised, but silent: unplugged
                player.sent['front'][stamp_ns] = time.monotonic()
                player._publishers['front'].publish(data)
                player.wait_until(lambda: False, 0.1)
    assert diagnosed(player, 'frames with a camera missing', 12), player.diagnostics
    assert player.received
