"""`map build --landmarks` and `map add-landmarks`, and what a replay makes of them."""

from __future__ import annotations

import json
import shutil

from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.calibration import calibration_of
from husky_placerec.recognition.metric_comparison import METRIC_EVIDENCE
import numpy as np
import pytest

NEEDS = ('numba', 'sklearn', 'matplotlib', 'jinja2')
HOG = ('-s', 'extractor=hog', '-s', 'threads=1')


@pytest.fixture(scope='module')
def landmarked(drives, tmp_path_factory):
    """Build a map with landmarks of the first drive."""
    from husky_placerec.cli.main import app
    from typer.testing import CliRunner

    path = tmp_path_factory.mktemp('landmarks') / 'campus.map'
    words = ['map', 'build', drives[0], path, '--landmarks', *HOG]
    ended = CliRunner().invoke(app, [str(word) for word in words])
    assert ended.exit_code == 0, ended.output
    return path, ended.output


def test_a_map_tells_of_its_landmarks(landmarked, placerec):
    path, said = landmarked
    assert 'landmarks: 28.8 kB a place' in said
    assert 'noise of the epipolar geometry' in said
    place_map = load_map(path)
    assert place_map.landmarks.per_place > 50
    shown = placerec('map', 'info', path).stdout
    assert 'a place by shipped' in shown


def test_a_drive_is_solved_in_centimetres(landmarked, drives, placerec, tmp_path):
    out = tmp_path / 'out'
    done = placerec('replay', drives[1], '--map', landmarked[0], '-o', out, '-s', 'threads=1')
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (out / 'recognitions.jsonl').open()]
    solved = [line for line in lines if line['metric']['solved']]
    assert len(solved) >= 0.8 * len(lines)
    off = [
        np.hypot(*(line['metric']['pose'][axis] - line['truth'][axis] for axis in 'xy'))
        for line in solved
    ]
    assert np.median(off) < 0.05
    best = [line for line in solved if line['accepted']]
    assert best and np.median([line['error_m'] for line in best]) < 0.05
    switched = placerec(
        'replay',
        drives[1],
        '--map',
        landmarked[0],
        '-o',
        tmp_path / 'off',
        '-s',
        'metric=off',
        '-s',
        'threads=1',
    )
    assert switched.returncode == 0
    lines = [json.loads(line) for line in (tmp_path / 'off' / 'recognitions.jsonl').open()]
    assert all(line['metric'] is None for line in lines)


def test_landmarks_are_added_later_by_sift(drives, map_path, placerec, tmp_path):
    path = tmp_path / 'campus.map'
    shutil.copytree(map_path, path)
    done = placerec('map', 'add-landmarks', path, drives[0], '-s', 'key_points=sift')
    assert done.returncode == 0, done.stderr
    found: PlaceMap = load_map(path)
    assert found.landmarks.spec.network == 'sift' and found.landmarks.per_place > 20
    assert found.calibration == load_map(map_path).calibration


def test_another_drive_is_refused_and_the_map_stays(drives, map_path, placerec, tmp_path):
    path = tmp_path / 'campus.map'
    shutil.copytree(map_path, path)
    done = placerec('map', 'add-landmarks', path, drives[1], '-s', 'key_points=sift')
    assert done.returncode == 2 and 'have no frame in' in done.stderr
    assert load_map(path).landmarks is None


def test_landmarks_of_another_network_are_refused(landmarked, drives, placerec, tmp_path):
    done = placerec(
        'replay',
        drives[1],
        '--map',
        landmarked[0],
        '-o',
        tmp_path / 'out',
        '-s',
        'key_points=sift',
    )
    assert done.returncode == 2
    assert 'landmarks of another network of key points' in done.stderr.replace('\n', ' ')


def test_a_budget_that_is_too_small_is_refused(landmarked, drives, placerec, tmp_path):
    done = placerec(
        'replay',
        drives[1],
        '--map',
        landmarked[0],
        '-o',
        tmp_path / 'out',
        '-s',
        'metric_hypotheses=5',
    )
    assert done.returncode == 2 and 'metric_hypotheses is 5; expected 200 to' in done.stderr


def test_cameras_that_are_not_calibrated_are_named(track, placerec, tmp_path):
    bare = tmp_path / 'track'
    shutil.copytree(track, bare)
    (bare / 'cameras.yaml').unlink()
    shutil.rmtree(bare / 'bag')
    done = placerec('map', 'build', bare, tmp_path / 'map', '--landmarks', *HOG)
    assert done.returncode == 2
    assert 'intrinsics and mounting of front' in done.stderr.replace('\n', ' ')
    assert not (tmp_path / 'map').exists()


def test_poses_by_landmarks_are_evidence_of_a_calibrated_map(
    landmarked, drives, placerec, tmp_path
):
    path = tmp_path / 'campus.map'
    shutil.copytree(landmarked[0], path)
    done = placerec('calibrate', path, drives[1], '-s', 'threads=1')
    assert done.returncode == 0, done.stderr
    made = calibration_of(load_map(path))
    (added,) = made.gate.added
    assert added.model.names == METRIC_EVIDENCE and (added.model.weights >= 0).all()
    assert added.model.weights.any() or added.model.bias > 0
    assert [each.model.names for each in made.place.added] == [METRIC_EVIDENCE]
    # One camera alone is not solved, and errors of poses are those without landmarks.
    assert made.partial.added == ()
    assert made.sequence_errors.variances[0, 0] > 0.01
