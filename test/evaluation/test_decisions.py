"""The decisions of an evaluation are those of a replay on a map of the other drive."""

from __future__ import annotations

from dataclasses import replace
import gzip
import json
import shutil

from husky_placerec.config import make_config
from husky_placerec.data.source import find_truth, open_source
from husky_placerec.evaluation.evaluate import evaluate
from husky_placerec.evaluation.protocol import PairProtocol
from husky_placerec.evaluation.replay import replay
from husky_placerec.evaluation.results import summary
from husky_placerec.evaluation.summary import evaluation_summary
from husky_placerec.evaluation.tracks import read_track
from husky_placerec.operations.build_map import build_map
from husky_placerec.operations.calibrate_map import calibrate_map
from husky_placerec.operations.drives import DriveOptions
from husky_placerec.placemap.loading import load_map
from husky_placerec.recognition.recognizer import Recognizer
from husky_placerec.recognition.serialization import recognition_json
import numpy as np
import pytest
from support.folder_drives import folder_drive, folder_of_bag

NEEDS = ('sklearn',)

HOG = make_config(
    {'extractor': 'hog', 'min_similarity': 0.7, 'min_margin': 0.02, 'pinhole': 'off'}
)
EXACT = (
    *('stamp_ns', 'cameras', 'image_stamps_ns', 'accepted', 'reason', 'state', 'place'),
    *('reversed', 'truth'),
)
NEARLY = 'similarity', 'margin', 'probability', 'proof', 'pose', 'covariance', 'error_m'


@pytest.fixture(scope='module')
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp('cache')


def evaluated(paths, config, poses=(None, None), **options):
    """Evaluate a pair of drives; return the evaluation and the lines of the first pair."""
    tracks = [read_track(p, p.name, config, poses=each) for p, each in zip(paths, poses)]
    protocol = PairProtocol.of(config)
    found = evaluate(tracks, config, protocol, with_baselines=False, **options)
    text = gzip.decompress(found.pairs[0].decisions.lines).decode()
    return found, [json.loads(line) for line in text.splitlines()]


def replayed(paths, folder, config, poses=(None, None), alone=False):
    """Map the first drive and replay the second; return the map and the results."""
    campus = folder / 'campus.map'
    options = DriveOptions(poses=poses[0], skip_unposed=True)
    build_map(paths[0], campus, config=config, options=options)
    if alone:
        calibrate_map(campus, config=config)
    place_map = load_map(campus)
    with open_source(paths[1], max_broken=0.2) as source:
        truth = find_truth(source, poses[1], place_map.frame_id)
        recognizer = Recognizer.load(place_map, config)
        return place_map, list(replay(source, recognizer, config, truth=truth))


def assert_same(lines, results):
    """Compare lines of recognitions.jsonl with the judged results of a replay."""
    known = [result for result in results if result.truth is not None]
    for line, result in zip(lines, known, strict=True):
        expected = recognition_json(result.recognition, result.truth)
        assert line.keys() == {*expected, 'database', 'queries'}
        for key in EXACT:
            assert line[key] == expected[key], key
        for key in NEARLY:
            assert line[key] == pytest.approx(expected[key], abs=1e-5), key
        single, other = line['measurement'], expected['measurement']
        assert (single['accepted'], single['reason']) == (other['accepted'], other['reason'])
        assert single['probability'] == pytest.approx(other['probability'], abs=1e-5)
        places = [candidate['place'] for candidate in expected['candidates']]
        assert [candidate['place'] for candidate in line['candidates']] == places


@pytest.mark.parametrize('kind', ['uncalibrated', 'prior', 'map_alone'])
def test_the_decisions_are_those_of_a_replay(kind, drives, cache, tmp_path):
    alone = kind == 'map_alone'
    config = replace(HOG, uncalibrated='thresholds' if kind == 'uncalibrated' else 'prior')
    found, lines = evaluated(drives, config, cache=cache, calibrate_alone=alone)
    place_map, results = replayed(drives, tmp_path, config, alone=alone)
    assert_same(lines, results)
    assert found.calibrations == {'mapped': kind, 'driven': kind}
    accepted = [line['accepted'] for line in lines]
    assert any(accepted) or kind == 'prior'
    if alone:
        assert all(line['probability'] is not None for line in lines if line['accepted'])
        assert 'LOCALIZED' in {line['state'] for line in lines}
    own, theirs = evaluation_summary(found)['pairs'][0], summary(results, place_map)
    for key in ('accepted', 'off_map', 'recall', 'recall_with_heading', 'precision'):
        assert own[key] == theirs[key], key
    decisions = found.pairs[0].decisions
    assert decisions.accepted.tolist() == accepted
    assert list(decisions.reasons) == [line['reason'] for line in lines]
    stated = [np.nan if line['probability'] is None else line['probability'] for line in lines]
    np.testing.assert_array_equal(decisions.probability, stated)
    poses = gzip.decompress(decisions.poses).decode().splitlines()
    assert len(poses) == sum(accepted)


@pytest.mark.parametrize('settings', [{'sequence': False}, {'search_reversed': False}])
def test_parameters_reach_the_decisions_of_a_calibrated_map(settings, drives, cache, tmp_path):
    config = replace(HOG, **settings)
    _, lines = evaluated(drives, config, cache=cache, calibrate_alone=True)
    _, results = replayed(drives, tmp_path, config, alone=True)
    assert_same(lines, results)


@pytest.mark.parametrize('alone', [False, True], ids=['thresholds', 'calibrated'])
@pytest.mark.parametrize('check', [True, False], ids=['checked', 'unchecked'])
def test_black_images_are_left_out_as_in_a_replay(alone, check, drives, cache, tmp_path):
    config = replace(HOG, check_images=check)
    black = {(4, 'front'), (7, 'front'), (7, 'back'), (12, 'back')}
    pair = drives[0], folder_of_bag(drives[1], tmp_path / 'dark', black)
    found, lines = evaluated(pair, config, cache=cache, calibrate_alone=alone)
    place_map, results = replayed(pair, tmp_path, config, alone=alone)
    assert_same(lines, results)
    assert (lines[7]['reason'] == 'image_unusable') == check
    own, theirs = evaluation_summary(found)['pairs'][0], summary(results, place_map)
    assert own['recall'] == theirs['recall']


def test_frames_without_a_pose_count_in_the_sequence_and_are_not_judged(drives, cache, tmp_path):
    poses = tmp_path / 'late.tum'
    with open_source(drives[1]) as source:
        (topic,) = source.pose_topics()
        known = source.trajectory(topic)
        stamps = [frame.stamp_ns for frame in source.frames(HOG)]
    rows = zip(known.stamps_ns.tolist(), known.poses.tolist())
    late = [f'{stamp} {" ".join(map(str, p))}' for stamp, p in rows if stamp >= stamps[8]]
    poses.write_text('\n'.join(late))
    sides = None, str(poses)
    found, lines = evaluated(drives, HOG, sides, cache=cache, calibrate_alone=True)
    _, results = replayed(drives, tmp_path, HOG, sides, alone=True)
    assert len(results) == len(stamps)
    assert [line['stamp_ns'] for line in lines] == stamps[8:]
    assert lines[0]['state'] == 'LOCALIZED'  # by the frames before it
    assert_same(lines, results)
    assert any('have no pose' in note for note in found.notes)


def test_a_broken_image_is_no_image_of_the_frame(drives, cache, tmp_path):
    broken = folder_of_bag(drives[1], tmp_path / 'broken')
    (broken / 'front_3.png').write_bytes(b'no image')
    for camera in ('front', 'back'):
        (broken / f'{camera}_5.png').write_bytes(b'no image')
    pair = drives[0], broken
    _, lines = evaluated(pair, HOG, cache=cache, calibrate_alone=True, max_broken=0.2)
    _, results = replayed(pair, tmp_path, HOG, alone=True)
    assert_same(lines, results)
    assert lines[3]['cameras'] == ['back']
    assert len(lines) == 18


def test_the_default_calibration_of_the_model_decides_on_simulated_maps(
    drives, cache, tmp_path, monkeypatch
):
    from husky_placerec.evaluation import databases
    from husky_placerec.recognition import recognizer
    from husky_placerec.recognition.calibration import Calibration

    measured = tmp_path / 'measured'
    measured.mkdir()
    calibrated, _ = replayed(drives, measured, HOG, alone=True)
    values = {**calibrated.calibration, 'kind': 'simulated'}

    def default(place_map, spec, config):
        return Calibration.from_json(values, 'default') if place_map.simulated else None

    monkeypatch.setattr(databases, 'calibration_for', default)
    monkeypatch.setattr(recognizer, 'calibration_for', default)
    found, lines = evaluated(drives, HOG, cache=cache)
    assert set(found.calibrations.values()) == {'simulated'}
    assert_same(lines, replayed(drives, tmp_path, HOG)[1])
    unlabelled = shutil.copytree(drives[0], tmp_path / 'unlabelled')
    metadata = unlabelled / 'metadata.yaml'
    metadata.write_text(metadata.read_text().replace('simulated', 'recorded'))
    found, lines = evaluated((unlabelled, drives[1]), HOG, cache=cache)
    assert found.calibrations == {'unlabelled': 'uncalibrated', 'driven': 'simulated'}
    assert {line['probability'] for line in lines} == {None}
    assert found.calibrated == ['driven']


def test_a_map_that_cannot_be_calibrated_alone_is_decided_by_thresholds(tmp_path):
    rules = {'uncalibrated': 'thresholds', 'min_similarity': 0.9}
    config = make_config({'extractor': 'pixels', **rules})
    pair = folder_drive(tmp_path / 'a', 0), folder_drive(tmp_path / 'b', 0)
    found, lines = evaluated(pair, config, calibrate_alone=True)
    assert set(found.calibrations.values()) == {'uncalibrated'}
    for name in ('a', 'b'):
        (note,) = [note for note in found.notes if f'the map of {name} ' in note]
        assert 'thresholds decide' in note
    assert all(line['accepted'] for line in lines)
    assert {line['probability'] for line in lines} == {None}
