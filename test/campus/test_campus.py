"""The simulated campus: what it shows is repeatable, and its bags are as a robot's."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
import os
from pathlib import Path
import subprocess
import sys

import cv2
from husky_placerec.campus.conditions import CONDITIONS
from husky_placerec.campus.drive_path import drive_poses
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.messages import IMAGE_TOPICS, ODOMETRY_TOPIC, topics_of, TRUTH_TOPIC
from husky_placerec.campus.photographer import Photographer
from husky_placerec.campus.recording import write_drive
from husky_placerec.campus.rig import HUSKY_RIG
from husky_placerec.campus.traffic import Traffic
from husky_placerec.campus.world import Campus
from husky_placerec.errors import InputError
import numpy as np
import pytest
from rosbags.highlevel import AnyReader
from support.paths import TESTS

NEEDS = ('numba',)

SMALL = DriveConfig(length_m=18.0, width=160, height=96, condition='winter_dusk')


@pytest.fixture(scope='module')
def campus() -> Campus:
    return Campus(SMALL.seed)


@pytest.fixture(scope='module')
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('drives') / 'dusk'
    write_drive(path, SMALL, workers=1)
    return path


def test_other_drives_take_another_way_and_see_other_traffic(campus: Campus) -> None:
    first, second = (drive_poses(campus, DriveConfig(drive=drive)) for drive in (0, 1))
    assert all(0 < a.pose.distance_m(b.pose) < 5 for a, b in zip(first, second, strict=True))
    assert second[0].stamp_ns > first[-1].stamp_ns
    x, y = first[0].pose.x, first[0].pose.y
    seen = [Traffic(campus, drive).seen_from(x, y, 0.0)['points'] for drive in (0, 0, 1)]
    np.testing.assert_array_equal(seen[0], seen[1])
    assert seen[0].shape != seen[2].shape or not np.allclose(seen[0], seen[2])


def test_traffic_moves(campus: Campus) -> None:
    traffic, place = Traffic(campus, 0), campus.route.at(0.0)
    early, late = (traffic.seen_from(place.x, place.y, time_s)['points'] for time_s in (0.0, 5.0))
    assert early.shape != late.shape or not np.allclose(early, late)


def test_robot_drives_along_the_route_at_walking_pace(campus: Campus) -> None:
    poses = drive_poses(campus, DriveConfig(length_m=30.0, step_m=3.0))
    assert len(poses) == 10
    for before, after in pairwise(poses):
        assert after.stamp_ns - before.stamp_ns == 3_000_000_000
        assert before.pose.distance_m(after.pose) == pytest.approx(3.0, abs=0.5)
        assert campus.route.distance_m((after.pose.x, after.pose.y)) < 2.0


def test_conditions_look_different() -> None:
    assert list(CONDITIONS) == [
        'summer_day',
        'autumn_overcast',
        'autumn_rain',
        'fog',
        'winter_day',
        'winter_dusk',
        'summer_dusk',
        'night',
        'winter_night',
    ]
    photographer = Photographer(SMALL)
    means = []
    for condition in CONDITIONS.values():
        photographer.condition = condition
        picture = photographer.pictures(0)['front'].image
        assert picture.shape == (96, 160, 3)
        assert picture.std() > 10
        means.append(picture.mean())
    brightest, darkest = means.index(max(means)), means.index(min(means))
    assert list(CONDITIONS)[darkest] == 'night'
    assert list(CONDITIONS)[brightest] in ('fog', 'winter_day')


def test_bag_has_images_between_poses(bag: Path) -> None:
    stamps: dict[str, list[int]] = {}
    with AnyReader([bag]) as reader:
        for connection, logged_ns, data in reader.messages():
            stamps.setdefault(connection.topic, []).append(logged_ns)
            if connection.topic in IMAGE_TOPICS.values():
                message = reader.deserialize(data, connection.msgtype)
                stamp = message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec
                assert (stamp, message.format) == (logged_ns, 'jpeg')
                assert cv2.imdecode(message.data, cv2.IMREAD_COLOR).shape == (96, 160, 3)
    assert set(stamps) == set(topics_of(HUSKY_RIG))
    front, back = (stamps[IMAGE_TOPICS[camera]] for camera in ('front', 'back'))
    poses = stamps[TRUTH_TOPIC]
    assert len(front) == 6
    assert [stamp + 4_000_000 for stamp in front] == back
    assert poses == sorted(set(poses)) == stamps[ODOMETRY_TOPIC]
    assert poses[0] < front[0] and back[-1] < poses[-1]
    assert max(after - before for before, after in pairwise(poses)) < 300_000_000


def test_other_processes_render_the_same_pixels(bag: Path, tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    write_drive(
        tmp_path / 'two',
        SMALL,
        workers=2,
        progress=lambda done, total: calls.append((done, total)),
    )
    assert calls == [(frame, 6) for frame in range(1, 7)]
    with AnyReader([bag]) as one, AnyReader([tmp_path / 'two']) as two:
        for (_, stamp, data), (_, other_stamp, other) in zip(
            one.messages(), two.messages(), strict=True
        ):
            assert (stamp, data) == (other_stamp, other)


def test_another_kind_of_processor_renders_nearly_the_same(tmp_path: Path) -> None:
    """Compiled for a plain processor, without the vector instructions of this one."""
    script = (
        'import sys, numpy as np; from test_campus import SMALL, two_frames; '
        'np.savez(sys.argv[1], *two_frames())'
    )
    plain = {
        'NUMBA_CPU_NAME': 'generic',
        'NUMBA_CPU_FEATURES': '',
        'NUMBA_CACHE_DIR': str(tmp_path / 'cache'),
        'PYTHONPATH': os.pathsep.join([str(Path(__file__).parent), str(TESTS), *sys.path]),
    }
    path = tmp_path / 'plain.npz'
    subprocess.run(
        [sys.executable, '-c', script, str(path)], env=os.environ | plain, check=True, timeout=300
    )
    with np.load(path) as stored:
        other = [stored[name] for name in stored.files]
    for here, there in zip(two_frames(), other, strict=True):
        if here.ndim == 2:  # a mask
            assert (here != there).mean() < 0.002
        else:
            difference = np.abs(here.astype(int) - there)
            assert difference.mean() < 0.1
            assert (difference > 8).mean() < 0.002


def two_frames() -> list[np.ndarray]:
    """Return images and masks of both cameras, by day and at dusk."""
    shots = [Photographer(replace(SMALL, condition=c)) for c in ('summer_day', 'winter_dusk')]
    pictures = [picture for shot in shots for picture in shot.pictures(1).values()]
    return [part for picture in pictures for part in (picture.image, picture.mask)]


def test_existing_output_is_refused(tmp_path: Path) -> None:
    output = tmp_path / 'bag'
    output.mkdir()
    with pytest.raises(InputError, match='exists already'):
        write_drive(output, SMALL)
    assert not any(output.iterdir())


@pytest.mark.parametrize(
    ('config', 'expected'),
    [
        (DriveConfig(condition='hail'), "'hail' is unknown; expected one of summer_day, "),
        (DriveConfig(step_m=0.0), 'step_m is 0.0'),
        (DriveConfig(length_m=float('nan')), 'length_m is nan'),
        (DriveConfig(drive=-1), 'drive is -1'),
    ],
)
def test_bad_config_is_refused(tmp_path: Path, config: DriveConfig, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        write_drive(tmp_path / 'bag', config)
    assert not any(tmp_path.iterdir())


def test_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_drive(tmp_path / 'bag', SMALL, workers=1, progress=interrupt)
    assert not any(tmp_path.iterdir())
