"""Calibration: from a drive to a map that knows how sure it is, and says why it is not."""

from __future__ import annotations

from dataclasses import replace
import json
import shutil

from husky_placerec.config import make_config
from husky_placerec.errors import InputError
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.moving import transform
from husky_placerec.placemap.storage import save_map
from husky_placerec.recognition.calibrating.reliability import recall_at, Reliability, upper_bound
from husky_placerec.recognition.calibrating.required_proof import frames_needed, required_proof
from husky_placerec.recognition.calibration import Calibration, calibration_of
from husky_placerec.recognition.covariance import CovarianceTable
from husky_placerec.recognition.logistic import Logistic
from husky_placerec.recognition.recognizer import Recognizer
from husky_placerec.recognition.shipped_calibration import (
    calibration_for,
    read_defaults,
    save_default,
)
import numpy as np
import pytest
from support.builders import BACK, frame, FRONT, planar, smooth_image


@pytest.fixture(scope='module')
def calibrated(map_path, drives, tmp_path_factory):
    """Calibrate a copy of the tiny map by the tiny second drive."""
    from husky_placerec.cli.drives import described_drive, DriveOptions
    from husky_placerec.recognition.calibrating.calibrate import calibrate, drive_of
    from husky_placerec.recognition.calibrating.leave_out import Setting

    path = tmp_path_factory.mktemp('calibrated') / 'campus.map'
    shutil.copytree(map_path, path)
    place_map = load_map(path)
    drive = drive_of(described_drive(drives[1], DriveOptions(), place_map))
    return path, calibrate([Setting(place_map, (drive,))], make_config({}))


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
    assert last['measurement']['probability'] > 0.5
    summary = json.loads((tmp_path / 'out/summary.json').read_text())
    assert summary['precision'] == 1


def test_a_map_alone_gives_a_weaker_calibration_that_says_so(map_path, placerec, tmp_path):
    path = tmp_path / 'campus.map'
    shutil.copytree(map_path, path)
    done = placerec('calibrate', path)
    assert done.returncode == 0, done.stderr
    assert 'weaker' in done.stderr
    assert 'calibration: map_alone' in placerec('map', 'verify', path).stdout
    assert Recognizer.load(load_map(path), make_config({})).calibration == 'map_alone'


def test_a_drive_off_the_map_beside_the_map_alone_is_no_second_drive(calibrated, drives, tmp_path):
    from husky_placerec.recognition.calibrating.calibrate import calibrate, itself
    from husky_placerec.recognition.calibrating.leave_out import Setting

    place_map = load_map(calibrated[0])
    elsewhere = replace(itself(place_map), poses=None, itself=False)
    elsewhere = replace(elsewhere, descriptors=elsewhere.descriptors[:, :, ::-1])
    setting = Setting(place_map, (itself(place_map), elsewhere))
    assert calibrate([setting], make_config({})).kind == 'map_alone'


def test_the_sequence_is_calibrated_whether_it_is_used_or_not(calibrated):
    from husky_placerec.recognition.calibrating.calibrate import calibrate, itself
    from husky_placerec.recognition.calibrating.leave_out import Setting

    place_map = load_map(calibrated[0])
    setting = Setting(place_map, (itself(place_map),))
    used, unused = (calibrate([setting], make_config({'sequence': on})) for on in (True, False))
    assert unused.proof == used.proof
    assert unused.trust == used.trust


def test_the_less_unknown_road_was_driven_the_more_has_to_be_proven(calibrated):
    needed = required_proof([], calibrated[1], make_config({}), 2.0)
    assert needed == pytest.approx(2.0 * np.log1p(2000 / 50))


def test_reversed_poses_that_were_not_measured_are_not_said_to_be_precise(calibrated):
    assert calibrated[1].turned.variances[0, :2].tolist() == [25.0, 25.0]
    assert calibrated[1].measured.variances[0, 0] < 25.0


def test_a_drive_that_never_meets_the_map_is_refused(map_path, drives, placerec, tmp_path):
    path = tmp_path / 'far.map'
    save_map(transform(load_map(map_path), planar(5000.0)), path)
    before = (path / 'map.json').read_bytes()
    done = placerec('calibrate', path, drives[1])
    assert done.returncode == 2
    assert 'expected a drive that comes within 10 m' in done.stderr
    assert (path / 'map.json').read_bytes() == before


def test_an_uncalibrated_map_decides_by_thresholds_alone(map_path):
    recognizer = Recognizer.load(load_map(map_path), make_config({}))
    assert recognizer.calibration == 'uncalibrated'
    seen = frame(**{name: smooth_image(n) for n, name in enumerate((FRONT, BACK))})
    found = recognizer.recognize(seen)
    assert (found.state, found.probability, found.covariance) == (None, None, None)


def test_black_images_give_no_pose_and_say_why(calibrated):
    path, made = calibrated
    save_map(with_calibration(load_map(path), made), path, overwrite=True)
    recognizer = Recognizer.load(load_map(path), make_config({}))
    black = np.zeros((192, 320, 3), np.uint8)
    found = recognizer.recognize(frame(front=black, back=black))
    assert (found.accepted, found.reason) == (False, 'image_unusable')
    assert found.measurement.reason == 'image_unusable'


def with_calibration(place_map, made):

    return replace(place_map, calibration=made.as_json())


def test_a_calibration_comes_back_from_the_map_as_it_was(calibrated):
    path, made = calibrated
    save_map(with_calibration(load_map(path), made), path, overwrite=True)
    read = calibration_of(load_map(path))
    assert read.as_json() == made.as_json()


@pytest.mark.parametrize('change', ['precision', 'preprocessing', 'weights_sha256'])
def test_a_calibration_of_another_model_is_refused(calibrated, change):
    path, made = calibrated
    values = made.as_json()
    values['descriptor'] = {**values['descriptor'], change: 'another'}
    place_map = load_map(path)
    read = Calibration.from_json(values, 'map')
    with pytest.raises(InputError, match=f'calibrated with another model: {change}'):
        read.require_of(place_map.spec, False, 'map')


@pytest.mark.parametrize(
    'break_it',
    [
        lambda v: v.pop('gate'),
        lambda v: v.update(kind='guess'),
        lambda v: v.update(proof=-1.0),
        lambda v: v.update(proof=float('nan')),
    ],
)
def test_a_damaged_calibration_is_refused(calibrated, break_it):
    values = calibrated[1].as_json()
    break_it(values)
    with pytest.raises(InputError, match=r'^map: calibration'):
        Calibration.from_json(values, 'map')


def logistic(**changes):
    values = {
        'names': ['a', 'b'],
        'mean': [0.0, 1.0],
        'scale': [1.0, 2.0],
        'weights': [3.0, 0.0],
        'bias': 0.5,
        'prior': 0.5,
    }
    return Logistic.from_json({**values, **changes})


def test_a_likelihood_ratio_is_the_odds_beyond_the_prior():
    model = logistic()
    assert model.log_ratio(np.array([0.0, 7.0])) == 0
    assert model.probability(np.array([0.0, 1.0])) == pytest.approx(1 / (1 + np.exp(-0.5)))
    assert model.against(np.array([-1.0, 1.0])) == pytest.approx({'a': 3 * np.tanh(1), 'b': 0})


def test_evidence_beyond_what_is_usual_says_no_more():
    model = logistic()
    bounds = model.log_ratio(np.array([[-1e6, 1.0], [1e6, 1.0]]))
    assert bounds == pytest.approx([-3.0, 3.0])
    assert model.against(np.array([-1e6, 1.0]))['a'] == pytest.approx(3.0)


@pytest.mark.parametrize(
    ('proof', 'usual', 'frames'),
    [
        (0.0, 5.0, 1),
        (4.0, 5.0, 1),
        (5.1, 5.0, 2),
        (15.0, 5.0, 4),
        (15.0, 1.0, None),
        (3.0, 0.0, None),
    ],
)
def test_a_proof_takes_so_many_usual_frames(proof, usual, frames):
    assert frames_needed(proof, usual, 3.0) == frames


@pytest.mark.parametrize('wrong', [{'scale': [1.0, 0.0]}, {'mean': [0.0]}, {'bias': np.nan}])
def test_a_model_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match='expected'):
        logistic(**wrong)


def test_covariance_follows_the_road_and_is_never_less_than_the_spacing():
    rng = np.random.default_rng(0)
    errors = rng.normal(0, [2.0, 0.5, 0.1, 0.01, 0.01, 0.05], (500, 6))
    table = CovarianceTable.fit(np.full(500, 0.95), errors)
    variances, (xx, xy, yy) = table.at(0.95, planar(0, yaw_deg=90), spacing_m=3.0)
    assert (yy, xx) == pytest.approx((4.0, 0.25), rel=0.25)
    assert variances[:2] == (xx, yy)
    assert abs(xy) < 1e-9
    wide, _ = table.at(0.95, planar(0), spacing_m=12.0)
    assert wide[0] == pytest.approx(12.0)


def test_probabilities_that_come_true_have_no_calibration_error():
    rng = np.random.default_rng(1)
    said = rng.random(20_000)
    true = rng.random(20_000) < said
    assert Reliability.of(said, true).error < 0.02
    assert Reliability.of(np.ones(10), np.zeros(10, bool)).error == 1


def test_recall_at_a_precision_counts_what_retrieval_missed():
    score, true = np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, True, False, True])
    assert recall_at(1.0, score, true, known=5) == (2 / 5, 0.8)
    assert recall_at(0.75, score, true, known=5) == (3 / 5, 0.6)
    assert recall_at(1.0, score, np.zeros(4, bool), known=5) == (0.0, None)


def test_without_any_error_the_rate_may_still_be_three_in_as_many():
    assert upper_bound(0, 1000) == pytest.approx(3 / 1000, rel=0.01)


def test_the_default_of_a_model_counts_for_simulated_maps_only(calibrated, tmp_path):
    path, made = calibrated
    place_map = load_map(path)
    assert place_map.simulated
    spec = replace(place_map.spec, weights=str(tmp_path / 'net.onnx'))
    file = tmp_path / 'net.onnx.calibration.json'
    bare = replace(place_map, calibration=None)
    assert calibration_for(bare, spec) is None
    save_default(file, replace(made, kind='simulated'))
    assert calibration_for(bare, spec).kind == 'simulated'
    assert calibration_for(replace(bare, simulated=False), spec) is None
    assert calibration_for(bare, replace(spec, precision='bfloat16')) is None
    file.write_text('{')
    with pytest.raises(InputError, match=r'net\.onnx\.calibration\.json: expected a JSON list'):
        calibration_for(bare, spec)


def test_a_model_has_a_default_for_each_preprocessing(calibrated, tmp_path):
    path, made = calibrated
    place_map = replace(load_map(path), calibration=None)
    spec = replace(place_map.spec, weights=str(tmp_path / 'net.onnx'))
    file = tmp_path / 'net.onnx.calibration.json'
    pinhole = replace(spec, pinhole_focal=0.7)
    for trust, each in ((0.2, spec), (0.4, pinhole), (0.6, pinhole)):
        save_default(file, replace(made, descriptor=each.as_json(), trust=trust))
    assert len(read_defaults(file)) == 2
    assert calibration_for(place_map, spec).trust == 0.2
    assert calibration_for(place_map, pinhole).trust == 0.6
    assert calibration_for(place_map, replace(spec, pinhole_focal=0.9)) is None
