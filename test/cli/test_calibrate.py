"""The command `placerec calibrate`: what it prints and writes, and the drives that it refuses."""

from __future__ import annotations

import json
import shutil

from husky_placerec.config import make_config
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.moving import transform
from husky_placerec.placemap.storage import save_map
from husky_placerec.recognition.recognizer import Recognizer
from support.builders import planar

NEEDS = 'sklearn', 'matplotlib'


def test_the_command_calibrates_a_map_and_a_replay_then_states_probabilities(
    map_path, drives, placerec, tmp_path
):
    path = tmp_path / 'campus.map'
    shutil.copytree(map_path, path)
    done = placerec('calibrate', path, drives[1], '--plot', tmp_path / 'reliability.png')
    assert done.returncode == 0, done.stderr
    for words in (
        'Reliability',
        'expected calibration error',
        'recall at 99 % precision',
        'the sequence believes a pose when about',
    ):
        assert words in done.stdout
    assert 'no wrong match among' in done.stderr
    assert '--unknown SOURCE' in done.stderr
    assert (tmp_path / 'reliability.png').stat().st_size > 1000
    assert 'calibration: own' in placerec('map', 'verify', path).stdout
    assert placerec('replay', drives[1], '--map', path, '-o', tmp_path / 'out').returncode == 0
    lines = [json.loads(t) for t in (tmp_path / 'out/recognitions.jsonl').read_text().splitlines()]
    last = lines[-1]
    assert {line['state'] for line in lines} <= {'LOST', 'TENTATIVE', 'LOCALIZED'}
    assert last['state'] == 'LOCALIZED' and last['accepted']
    assert 0.9 < last['probability'] <= 1
    assert len(last['covariance']) == 6 and min(last['covariance']) > 0
    assert last['covariance'][0] + last['covariance'][1] >= 3.0**2 / 12
    assert last['error_m'] < 3
    assert 0.3 < last['measurement']['probability'] <= 0.95  # of a calibration that is weak
    assert 'weak: ' in done.stderr
    summary = json.loads((tmp_path / 'out/summary.json').read_text())
    assert summary['precision'] == 1


def test_a_map_alone_gives_a_weaker_calibration_that_says_so(map_path, placerec, tmp_path):
    path = tmp_path / 'campus.map'
    shutil.copytree(map_path, path)
    done = placerec('calibrate', path)
    assert done.returncode == 0, done.stderr
    assert 'weaker' in done.stderr
    assert 'calibration: map_alone' in placerec('map', 'verify', path).stdout
    assert Recognizer.load(load_map(path), make_config({})).calibration_kind == 'map_alone'


def test_a_drive_that_never_meets_the_map_is_refused(map_path, drives, placerec, tmp_path):
    path = tmp_path / 'far.map'
    save_map(transform(load_map(map_path), planar(5000.0)), path)
    before = (path / 'map.json').read_bytes()
    done = placerec('calibrate', path, drives[1])
    assert done.returncode == 2
    assert 'expected a drive that comes within 10 m' in done.stderr
    assert (path / 'map.json').read_bytes() == before
