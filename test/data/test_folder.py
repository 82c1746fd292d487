"""A folder of images with a CSV, CSV trajectories, and what SOURCE is taken for."""

from __future__ import annotations

import json
import math

from husky_placerec.config import make_config
from husky_placerec.data.bag import Bag
from husky_placerec.data.folder import ImageFolder
from husky_placerec.data.itlp import Track
from husky_placerec.data.pose_file import read_trajectory
from husky_placerec.data.source import decoded_frames, find_trajectory, open_source
from husky_placerec.errors import InputError
import numpy as np
import pytest
from support.builders import (
    BACK,
    compressed,
    encode,
    FRONT,
    MS,
    smooth_image,
    START_NS,
    track_rows,
    write_bag,
    write_csv,
    write_images,
    write_track_folder,
)
from support.camera_bags import PIXELS
from support.folder_drives import folder_drive
from support.needs import needs

CONFIG = make_config({})
COUNT = 4


def stamp(i):
    return START_NS + i * 500 * MS


def write_folder(folder, header=('stamp', 'front', 'back', 'x', 'y', 'z', 'yaw'), **table):
    """Write images as somebody's script would, with a CSV that lists them."""
    rows = []
    for i in range(COUNT):
        for camera in (FRONT, BACK):
            file = folder / camera / f'{i:04d}.jpg'
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(encode(smooth_image(10 * i + len(camera), 64, 48, 8), '.jpg'))
        paths = f'front/{i:04d}.jpg', f'back/{i:04d}.jpg'
        rows.append([stamp(i), *paths, 2.0 * i, 0.0, 0.5, math.pi / 2])
    write_csv(folder / 'frames.csv', header, [row[: len(header)] for row in rows], **table)
    return folder


@pytest.mark.parametrize('name', ['.', 'frames.csv'])
@pytest.mark.parametrize('separator', [',', ';', '\t'])
def test_a_folder_gives_images_stamps_and_poses(tmp_path, name, separator):
    write_folder(tmp_path, separator=separator)
    with open_source(tmp_path / name) as source:
        assert isinstance(source, ImageFolder)
        frames = list(decoded_frames(source, source.frames(CONFIG)))
        trajectory = find_trajectory(source, None)
        assert source.problems.lines() == []
    assert [frame.stamp_ns for frame in frames] == [stamp(i) for i in range(COUNT)]
    assert all(frame.cameras == (FRONT, BACK) for frame in frames)
    assert trajectory.poses[:, 0].tolist() == [0, 2, 4, 6]
    np.testing.assert_allclose(trajectory.poses[:, 5:], math.sqrt(0.5))


def test_a_camera_may_have_stamps_of_its_own(tmp_path):
    write_folder(tmp_path, ('stamp', 'front', 'back'))
    rows = [
        [stamp(i), f'front/{i:04d}.jpg', f'back/{i:04d}.jpg', stamp(i) + 7] for i in range(COUNT)
    ]
    write_csv(tmp_path / 'frames.csv', ['stamp', FRONT, BACK, 'back_stamp'], rows)
    with open_source(tmp_path) as source:
        first = next(source.frames(CONFIG))
        assert source.pose_topics() == []
    assert first.image_stamps_ns == {FRONT: stamp(0), BACK: stamp(0) + 7}


def test_missing_images_are_named_and_the_rest_used(tmp_path):
    write_folder(tmp_path)
    (tmp_path / 'back' / '0002.jpg').unlink()
    with open_source(tmp_path) as source:
        cameras = [frame.cameras for frame in source.frames(CONFIG)]
        assert source.problems.lines() == ['1 x missing back image: back/0002.jpg']
    assert cameras == [(FRONT, BACK), (FRONT, BACK), (FRONT,), (FRONT, BACK)]


def test_two_tables_are_asked_about(tmp_path):
    write_folder(tmp_path)
    (tmp_path / 'copy.csv').write_bytes((tmp_path / 'frames.csv').read_bytes())
    with pytest.raises(InputError, match=r'found copy\.csv, frames\.csv'):
        open_source(tmp_path).__enter__()
    with open_source(tmp_path / 'copy.csv') as source:
        assert source.frame_count(CONFIG) == COUNT


@needs('sklearn', 'matplotlib', 'jinja2')
def test_a_folder_is_mapped_and_recognised(tmp_path, placerec):
    write_folder(tmp_path / 'mine')
    built = placerec(
        *('map', 'build', tmp_path / 'mine', tmp_path / 'map', '--set', 'extractor=hog')
    )
    assert built.returncode == 0, built.stderr
    replayed = placerec(
        *('replay', tmp_path / 'mine', '--map', tmp_path / 'map', '-o', tmp_path / 'out'),
        *('--set', 'check_images=false'),  # they are blots
    )
    assert replayed.returncode == 0, replayed.stderr
    summary = json.loads((tmp_path / 'out' / 'summary.json').read_text())
    assert summary['median_top1_distance_m'] == 0


def test_a_track_wins_over_the_bag_in_it(tmp_path):
    write_track_folder(tmp_path)
    write_bag(tmp_path / 'bag', [('/front', compressed(START_NS))])
    (tmp_path / 'lap.mcap').write_bytes(b'')
    assert isinstance(open_source(tmp_path), Track)
    assert isinstance(open_source(tmp_path / 'bag'), Bag)
    assert isinstance(open_source(tmp_path / 'bag', 'bag'), Bag)


def test_what_it_is_taken_for_can_be_overridden(tmp_path, placerec):
    write_track_folder(tmp_path / 'track')
    for kind, reader in (('track', Track), ('folder', ImageFolder)):
        assert isinstance(open_source(tmp_path / 'track', kind), reader)
    words = 'map', 'build', tmp_path / 'track', tmp_path / 'map', '--set', 'extractor=hog'
    assert placerec(*words, '--as', 'track').returncode == 0
    for kind, expected in (('folder', 'a column "stamp"'), ('bag', 'bag'), ('rosbag', 'track, b')):
        refused = placerec(*words, '--as', kind, '--overwrite')
        assert refused.returncode == 2
        assert expected in refused.stderr


@pytest.mark.parametrize(
    ('files', 'found'),
    [
        ([], 'an empty folder'),
        (['a.txt', 'b.txt'], 'found a.txt, b.txt;'),
        ([f'{i}.png' for i in range(20)], '12 more'),
        (['train.csv'], 'found train.csv'),  # without a column `track`
    ],
)
def test_a_folder_that_is_none_of_them_says_what_it_has(tmp_path, files, found):
    for name in files:
        (tmp_path / name).write_text('id,label\n1,2\n')
    with pytest.raises(InputError) as caught:
        open_source(tmp_path)
    assert found in str(caught.value)
    assert 'track.csv' in str(caught.value)
    assert 'metadata.yaml' in str(caught.value)


def test_a_source_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match='nowhere: no such source'):
        open_source(tmp_path / 'nowhere')


def test_a_bag_and_a_track_of_the_same_drive_give_the_same_frames(track):
    """What reads them does not know which it has."""
    with open_source(track) as first, open_source(track / 'bag') as second:
        ours, theirs = (list(source.frames(CONFIG)) for source in (first, second))
        assert [f.image_stamps_ns for f in ours] == [f.image_stamps_ns for f in theirs]
        assert first.frame_count(CONFIG) == second.frame_count(CONFIG) == 3
        assert first.fingerprint(CONFIG) != second.fingerprint(CONFIG)
        assert [i[:2] for i in first.images(CONFIG)] == [i[:2] for i in second.images(CONFIG)]


@pytest.mark.parametrize(
    ('header', 'row', 'expected'),
    [
        ('stamp,x,y,z,qx,qy,qz,qw', '{},1,2,3,0,0,1,0', [1, 2, 3, 0, 0, 1, 0]),
        ('timestamp;tx;ty;tz;qx;qy;qz;qw', '{};1,5;2;3;0;0;1;0', [1.5, 2, 3, 0, 0, 1, 0]),
        ('stamp_ns\tx\ty\tyaw', '{}\t1\t2\t0', [1, 2, 0, 0, 0, 0, 1]),
        ('\ufeffstamp,yaw,y,x,name', '{},0,2,1,"a, b"', [1, 2, 0, 0, 0, 0, 1]),
    ],
    ids=['comma', 'semicolons and decimal commas', 'yaw', 'BOM and other columns'],
)
def test_a_trajectory_may_be_a_csv(tmp_path, header, row, expected):
    file = tmp_path / 'poses.csv'
    file.write_text(f'{header}\r\n{row.format(START_NS)}\r\n\r\n', encoding='utf-8')
    trajectory = read_trajectory(file)
    assert trajectory.stamps_ns.tolist() == [START_NS]
    np.testing.assert_allclose(trajectory.poses, [expected])


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('a,b\n1,2\n', 'found the columns a, b; expected stamp, and x, y, z'),
        ('stamp,x,y\n1,2,3\n', 'expected stamp, and x, y, z'),
        ('stamp,x,x\n1,2,3\n', 'a header of different names'),
        ('stamp,x,y,yaw\n1,2,3\n', 'no poses'),
        ('stamp,x,y,yaw\n1,2,north,0\n', r"poses\.csv:2: y is 'north'; expected a number"),
        ('stamp,x,y,yaw\n1,2,3,4,5\n', r'poses\.csv:2: 5 values; expected 4'),
        ('stamp,x,y,yaw\n1e18,2,3,4\n', r'poses\.csv:2: stamp .*float'),
        ('', 'a header'),
    ],
)
def test_a_csv_that_is_no_trajectory_says_what_it_lacks(tmp_path, text, expected):
    (tmp_path / 'poses.csv').write_text(text)
    with pytest.raises(InputError, match=expected):
        read_trajectory(tmp_path / 'poses.csv')


def test_memory_grows_by_a_few_kilobytes_a_frame(tmp_path):
    """Only names and stamps are kept; the images stay on the disk."""
    rows = track_rows(1)
    write_images(tmp_path, rows)
    paths = f'front_cam/{rows[0][1]}.png', f'back_cam/{rows[0][2]}.png'
    lines = [[START_NS + i * MS, *paths, i, 0, 0, 0] for i in range(2_000)]
    write_csv(tmp_path / 'a.csv', ['stamp', FRONT, BACK, 'x', 'y', 'z', 'yaw'], lines)
    import tracemalloc

    tracemalloc.start()
    with open_source(tmp_path) as source:
        assert sum(1 for _ in source.frames(CONFIG)) == len(lines)
        peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4000 * len(lines)  # bytes: 0.4 GB for 100,000 frames; the peak is linear


def test_a_folder_without_a_back_camera_is_recognised_by_the_front_one(placerec, tmp_path):
    both = folder_drive(tmp_path / 'both', 0)
    assert placerec('map', 'build', both, tmp_path / 'map', *PIXELS).returncode == 0
    front = folder_drive(tmp_path / 'front', 0)
    rows = [line.split(',') for line in (front / 'frames.csv').read_text().splitlines()]
    (front / 'frames.csv').write_text('\n'.join(','.join([r[0], r[1], *r[3:]]) for r in rows))
    done = placerec('replay', front, '--map', tmp_path / 'map', '-o', tmp_path / 'out')
    assert done.returncode == 0, done.stderr
    assert 'no camera back in frames.csv; done without it; there are: front' in done.stderr
    lines = (tmp_path / 'out' / 'recognitions.jsonl').read_text().splitlines()
    found = [json.loads(line) for line in lines]
    assert [each['cameras'] for each in found] == [['front']] * 6
    assert [each['candidates'][0]['place'] for each in found] == list(range(6))
