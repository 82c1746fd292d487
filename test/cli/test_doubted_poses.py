"""Poses that cannot be right: every command says so before it writes, and names the remedy."""

from __future__ import annotations

import json
import math

from husky_placerec.placemap.loading import load_map
import numpy as np
import pytest
from support.builders import encode, smooth_image
from support.needs import needs

COUNT = 12
BEND = 6  # the drive goes east, then north
HOG = '--set', 'extractor=hog'


def drive(path, yaw=None, jump=None):
    """
    Write a folder of a drive, a frame a second and two metres.

    :param yaw: heading of all frames, radians; None: that of the motion.
    :param jump: number of a frame whose pose is 90 m away.
    """
    path.mkdir()
    lines = ['stamp,front,back,x,y,z,yaw']
    for i in range(COUNT):
        for camera, seed in (('front', i), ('back', 50 + i)):
            (path / f'{camera}_{i}.png').write_bytes(encode(smooth_image(seed, 64, 48)))
        x, y = 2 * min(i, BEND), 2 * max(0, i - BEND)
        x += 90 * (i == jump)
        heading = (0.0 if i <= BEND else math.pi / 2) if yaw is None else yaw
        stamp = 1_700_000_000 + i
        lines.append(f'{stamp},front_{i}.png,back_{i}.png,{x},{y},0,{heading}')
    (path / 'frames.csv').write_text('\n'.join(lines))
    return path


@pytest.fixture
def good_map(tmp_path, placerec):
    """Build a map of a good drive."""
    built = placerec('map', 'build', drive(tmp_path / 'good'), tmp_path / 'map', *HOG)
    assert built.returncode == 0
    assert 'warning' not in built.stderr
    return tmp_path / 'map'


def refused(ended):
    """Return whether a command ended for the headings, and named what to do."""
    said = ' '.join(ended.stderr.split())
    told = 'the heading is always 0 degrees' in said and '--heading motion' in said
    return ended.returncode == 2 and told


def test_a_map_of_headings_that_are_none_is_refused_and_made_by_the_motion(tmp_path, placerec):
    wrong, output = drive(tmp_path / 'wrong', yaw=0.0), tmp_path / 'map'
    assert refused(placerec('map', 'build', wrong, output, *HOG))
    assert not output.exists()
    built = placerec('map', 'build', wrong, output, *HOG, '--heading', 'motion')
    assert built.returncode == 0, built.stderr
    yaws = [2 * math.atan2(pose[5], pose[6]) for pose in load_map(output).places.poses]
    np.testing.assert_allclose(yaws[:BEND], 0, atol=1e-6)
    np.testing.assert_allclose(yaws[BEND + 1 :], math.pi / 2, atol=1e-6)


def test_headings_that_the_user_vouches_for_are_taken_with_a_warning(tmp_path, placerec):
    wrong = drive(tmp_path / 'wrong', yaw=0.0)
    built = placerec('map', 'build', wrong, tmp_path / 'map', *HOG, '--heading', 'poses')
    assert built.returncode == 0
    assert 'the heading is always 0 degrees' in ' '.join(built.stderr.split())


def test_a_folder_has_no_topics_for_a_heading(tmp_path, placerec):
    built = placerec(
        'map', 'build', drive(tmp_path / 'good'), tmp_path / 'map', *HOG, '--heading', '/imu'
    )
    assert built.returncode == 2
    assert 'expected motion or poses' in ' '.join(built.stderr.split())


@needs('sklearn', 'matplotlib', 'jinja2')
def test_no_command_takes_such_headings_for_the_truth(tmp_path, placerec, good_map):
    wrong, output = drive(tmp_path / 'wrong', yaw=0.0), tmp_path / 'out'
    before = (good_map / 'map.json').read_bytes()
    assert refused(placerec('map', 'add', good_map, wrong))
    assert refused(placerec('calibrate', good_map, wrong))
    assert refused(placerec('replay', wrong, '--map', good_map, '-o', output))
    assert refused(placerec('evaluate', tmp_path / 'good', wrong, '-o', output, *HOG))
    assert (good_map / 'map.json').read_bytes() == before
    assert not output.exists()
    replayed = placerec('replay', wrong, '--map', good_map, '-o', output, '--heading', 'motion')
    assert replayed.returncode == 0, replayed.stderr
    assert json.loads((output / 'summary.json').read_text())['recall']['5']['1'] == 1


def test_a_check_names_it_as_an_error_with_what_to_do(tmp_path, placerec):
    checked = placerec('data', 'check', drive(tmp_path / 'wrong', yaw=0.0), '--json')
    assert checked.returncode == 1
    (finding,) = json.loads(checked.stdout)['findings']
    assert finding['error']
    assert 'the heading is always 0 degrees' in finding['what']
    assert '--heading motion' in finding['advice']
    assert placerec('data', 'check', tmp_path / 'wrong', '--heading', 'motion').returncode == 0


def test_a_pose_that_cannot_be_is_told_and_taken_from_its_neighbours(tmp_path, placerec):
    far, output = drive(tmp_path / 'far', jump=4), tmp_path / 'map'
    checked = placerec('data', 'check', far, '--json')
    assert '1 of 12 poses' in json.loads(checked.stdout)['findings'][0]['what']
    built = placerec('map', 'build', far, output, *HOG)
    said = ' '.join(built.stderr.split())
    assert built.returncode == 0
    assert '1 of 12 poses are where the robot cannot have been' in said
    np.testing.assert_allclose(load_map(output).places.poses[4, :3], [8, 0, 0], atol=1e-6)


def test_a_conversion_warns_and_writes(tmp_path, placerec):
    wrong = drive(tmp_path / 'wrong', yaw=0.0)
    converted = placerec('convert', wrong, tmp_path / 'wrong.tum', '--to', 'tum')
    assert converted.returncode == 0
    assert 'the heading is always 0 degrees' in ' '.join(converted.stderr.split())
    assert len((tmp_path / 'wrong.tum').read_text().splitlines()) == COUNT


def test_a_map_that_was_made_of_such_headings_is_told_by_verify(tmp_path, placerec, good_map):
    assert 'warning' not in placerec('map', 'verify', good_map).stderr
    wrong = drive(tmp_path / 'wrong', yaw=0.0)
    placerec('map', 'build', wrong, tmp_path / 'bad', *HOG, '--heading', 'poses')
    said = ' '.join(placerec('map', 'verify', tmp_path / 'bad').stderr.split())
    assert 'the heading is always 0 degrees' in said
