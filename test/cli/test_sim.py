"""Simulated drives as track folders and bags, from the command line, and live."""

import csv
from dataclasses import replace
from itertools import pairwise
import json
import math
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import time

import cv2
from husky_placerec.campus.drive_path import drive_poses
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.labels import EGO_VEHICLE
from husky_placerec.campus.messages import INFO_TOPICS, ODOMETRY_TOPIC, TRUTH_TOPIC
from husky_placerec.data.bag import Bag
import numpy as np
import pytest
from support.domains import new_domain

NEEDS = ('numba',)

SIZE = '--width', '160', '--height', '96'
SHORT = '--seed', '3', '--length', '9', *SIZE
STAMP_DIGITS = 19


def rows_of(file):
    with file.open(newline='') as opened:
        return list(csv.DictReader(opened))


def test_a_track_is_laid_out_as_itlp_campus(track):
    rows = rows_of(track / 'track.csv')
    assert len(rows) == 3
    assert list(rows[0]) == [
        *('timestamp', 'front_cam_ts', 'back_cam_ts', 'lidar_ts'),
        *('tx', 'ty', 'tz', 'qx', 'qy', 'qz', 'qw'),
    ]
    for row in rows:
        for camera in ('front_cam', 'back_cam'):
            stamp = row[f'{camera}_ts']
            assert len(stamp) == STAMP_DIGITS
            image = cv2.imread(str(track / camera / f'{stamp}.png'))
            mask = cv2.imread(str(track / 'masks' / camera / f'{stamp}.png'), cv2.IMREAD_UNCHANGED)
            assert image.shape == (96, 160, 3)
            assert mask.shape == (96, 160)
            assert (mask[-2:] == EGO_VEHICLE).mean() > 0.5
    for camera in ('front_cam', 'back_cam'):
        texts = rows_of(track / 'text_labels' / f'{camera}_text_labels.csv')
        assert all((track / camera / text['path']).is_file() for text in texts)


def test_the_bag_has_the_same_frames_and_poses_as_the_table(track):
    rows = rows_of(track / 'track.csv')
    with Bag(track / 'bag') as bag:
        stamps = [stamp for _, stamp, _ in bag.messages({INFO_TOPICS['front']: 'front'})]
        assert [str(stamp) for stamp in stamps] == [row['timestamp'] for row in rows]
        assert bag.pose_topics() == [TRUTH_TOPIC]  # the wheels drift
        trajectory = bag.trajectory(TRUTH_TOPIC)
        assert trajectory.covers(np.array(stamps), 10**9).all()
        found = trajectory.at(np.array(stamps))
        expected = [[float(row[key]) for key in list(row)[4:]] for row in rows]
        np.testing.assert_allclose(found[:, :3], np.array(expected)[:, :3], atol=0.02)
        assert bag.trajectory(ODOMETRY_TOPIC).frame_id == 'odom'
        assert set(bag.topics) >= {'/tf', '/tf_static', *INFO_TOPICS.values()}


def test_the_unlike_cameras_tell_their_focal_lengths(track):
    with Bag(track / 'bag') as bag:
        focal = {
            camera: next(m for _, _, m in bag.messages({topic: camera})).k[0]
            for camera, topic in INFO_TOPICS.items()
        }
    assert focal == pytest.approx({'front': 683 * 160 / 1280, 'back': 910 * 160 / 1280})


def test_several_conditions_are_resumed_where_they_stopped(placerec, tmp_path):
    words = 'sim', tmp_path / 'out', *SHORT, '--condition', 'fog', '--condition', 'night'
    first = placerec(*words)
    assert first.returncode == 0, first.stderr
    finished = (tmp_path / 'out' / 'fog' / 'track.csv').stat().st_mtime_ns
    shutil.rmtree(tmp_path / 'out' / 'night')
    again = placerec(*words, '--resume')
    assert again.returncode == 0, again.stderr
    assert (tmp_path / 'out' / 'fog' / 'track.csv').stat().st_mtime_ns == finished
    assert (tmp_path / 'out' / 'night' / 'track.csv').is_file()


@pytest.mark.parametrize(
    ('words', 'expected'),
    [
        (['--condition', 'hail'], ['hail', 'summer_day', 'winter_night']),
        (['--step', '0'], ['step']),
        (['--fault', 'fog:left'], ['fault']),
        (['--protocol', 'easy'], ['easy', 'standard', 'hard']),
        (['--scaffolding', '2'], ['scaffolding']),
    ],
)
def test_what_cannot_be_driven_is_refused(placerec, tmp_path, words, expected):
    result = placerec('sim', tmp_path / 'out', *SHORT, *words)
    assert result.returncode == 2
    for word in expected:
        assert word in result.stderr
    assert not list(tmp_path.iterdir())


def test_a_seed_is_an_integer_and_an_output_new(placerec, tmp_path):
    assert placerec('sim', tmp_path / 'out', '--seed', 'one').returncode == 2
    (tmp_path / 'out').mkdir()
    result = placerec('sim', tmp_path / 'out', *SHORT)
    assert result.returncode == 2
    assert 'exists already' in result.stderr
    assert placerec('sim', *SHORT).returncode == 2  # no output


def test_a_drive_covers_the_route_and_a_detour_leaves_it_for_a_third():
    """The drives of the README."""
    for seed in (1, 7):
        config = DriveConfig(seed=seed, drive=1)
        campus = config.campus()
        whole = config.whole()
        assert campus.route.length_m - 1 < whole.length_m <= campus.route.length_m
        detour = replace(config, detour=True).whole()
        places = [at.pose for at in drive_poses(campus, whole)]
        seen = [
            min(at.pose.distance_m(place) for place in places) < 10
            for at in drive_poses(campus, detour)
        ]
        assert 0.6 < np.mean(seen) < 0.73
        assert sum(a != b for a, b in pairwise(seen)) == 2  # it leaves once, and comes back


def test_the_length_is_that_of_the_route_where_nothing_is_said(placerec, tmp_path):
    assert placerec('sim', tmp_path / 'out', '--step', 400, '--workers', 1, *SIZE).returncode == 0
    rows = rows_of(tmp_path / 'out' / 'track.csv')
    assert len(rows) == 2  # 751 m


def test_the_protocol_counts_where_nothing_else_is_said(placerec, tmp_path):
    words = 'sim', tmp_path / 'hard', *SHORT, '--protocol', 'hard', '--traffic', '0'
    result = placerec(*words)
    assert result.returncode == 0, result.stderr
    rows = rows_of(tmp_path / 'hard' / 'track.csv')
    away = max(math.hypot(float(row['tx']), float(row['ty'])) for row in rows)
    assert away > 250  # its route is more than twice as wide


def test_a_sheet_shows_all_conditions_with_their_masks(placerec, tmp_path):
    path = tmp_path / 'sheet.png'
    assert placerec('sim', tmp_path / 'sheet', '--sheet', *SHORT).returncode == 2
    result = placerec('sim', path, '--sheet', *SHORT)
    assert result.returncode == 0, result.stderr
    image = cv2.imread(str(path))
    rows = np.array_split(image, 9)
    assert len({row.tobytes() for row in rows}) == 9
    road = (128, 64, 128)  # of the masks
    assert all((row == road).all(axis=2).mean() > 0.05 for row in rows)
    assert placerec('sim', path, '--sheet', *SHORT).returncode == 2  # it exists


def test_a_full_disk_leaves_nothing_half_written(track, tmp_path):
    """A limit on the size of files stands in for the end of a disk; `track` compiled before."""
    limited = (
        'import resource, sys; from husky_placerec.cli.main import main; '
        'resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000)); main()'
    )
    result = subprocess.run(
        [sys.executable, '-c', limited, 'sim', str(tmp_path / 'out'), *SHORT, '--workers', '1'],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 2
    assert 'File too large' in result.stderr and 'Traceback' not in result.stderr
    assert not list(tmp_path.iterdir())


def renderers(process):
    """Return the processes that a `sim` has started to render, once they import (have threads)."""
    children = Path(f'/proc/{process.pid}/task/{process.pid}/children').read_text().split()
    return [pid for pid in children if _is_rendering(Path('/proc', pid))]


def _is_rendering(process):
    threads = list((process / 'task').iterdir())
    return b'spawn_main' in (process / 'cmdline').read_bytes() and len(threads) > 1


def is_running(pid):
    try:
        return ') Z ' not in Path(f'/proc/{pid}/stat').read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(true, timeout_s=300.0):
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_stopped_simulation_leaves_no_process_and_nothing_half_written(tmp_path, number):
    words = [sys.executable, '-m', 'husky_placerec.cli', 'sim', str(tmp_path / 'out'), *SHORT]
    process = subprocess.Popen(
        words,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background job ignores SIGINT, and so would what it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        wait_until(lambda: len(renderers(process)) == 2)
        started = renderers(process)
        process.send_signal(number)
        stderr = process.communicate(timeout=300)[1]
        assert process.returncode != 0
        wait_until(lambda: not any(map(is_running, started)))
    finally:
        process.kill()
    assert 'Traceback' not in stderr
    if number != signal.SIGKILL:
        assert not list(tmp_path.iterdir())


def wait_for_text(file, text, process, timeout_s=60.0):
    """Wait until a process has written a text: the robot drives off whether it is heard or not."""
    end = time.monotonic() + timeout_s
    while text not in file.read_text():
        assert process.poll() is None and time.monotonic() < end, file.read_text()
        time.sleep(0.05)


@pytest.mark.ros
def test_the_live_robot_is_heard_by_the_node(map_path, tmp_path):
    """Two processes and DDS between them: the simulated robot, and the node that recognises."""
    pytest.importorskip('rclpy')
    new_domain()
    log = tmp_path / 'recognitions.jsonl'
    rules = {'uncalibrated': 'thresholds', 'min_similarity': 0.6}
    values = {'map': map_path, 'recognitions_file': log, **rules}
    options = [word for name, value in values.items() for word in ('-p', f'{name}:={value}')]
    run = [sys.executable, '-m']
    with (tmp_path / 'node.log').open('w') as opened:
        node = subprocess.Popen(
            [*run, 'husky_placerec.ros.node', '--ros-args', *options],
            stdout=opened,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for_text(tmp_path / 'node.log', 'listening', node)
        live = '--live', '--seed', '3', '--drive', '1', '--length', '45', '--rate', '4'
        robot = subprocess.run(
            [*run, 'husky_placerec.cli', 'sim', *live, '--width', '320', '--height', '192'],
            capture_output=True,
            text=True,
            timeout=90,
        )
        assert robot.returncode == 0, robot.stderr
        node.send_signal(signal.SIGINT)
        assert node.wait(5) == 0
    finally:
        node.kill()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert len(lines) >= 5, (tmp_path / 'node.log').read_text()
    assert all(line['cameras'] == ['front', 'back'] for line in lines)
    assert sum(line['accepted'] for line in lines) >= 3
