"""The calibration of a map by drives: what it measures, and the drives that it refuses."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from husky_placerec.config import make_config
from husky_placerec.data.trajectory import Trajectory
from husky_placerec.errors import InputError
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.calibrating.calibrate import (
    calibrate,
    drive_of,
    itself,
    sampled,
    with_errors,
)
from husky_placerec.recognition.calibrating.leave_out import Setting
from husky_placerec.recognition.calibrating.null import Null
from husky_placerec.recognition.calibrating.promise import Promise
from husky_placerec.recognition.calibrating.samples import DescribedDrive, Samples
from husky_placerec.recognition.prior import shipped_prior
from husky_placerec.types import Candidate, Measurement, Recognition, SECOND_NS
import numpy as np
import pytest
from support.builders import planar, straight_map
from support.calibrations import calibration

NEEDS = ('sklearn',)

CONFIG = make_config({'extractor': 'pixels'})
COUNT = 80


@pytest.fixture(scope='module')
def described():
    """Return a small map, and a second drive on it that looks a little different."""
    place_map = straight_map(24)
    noise = np.random.default_rng(5).normal(0, 0.1, place_map.descriptors.shape)
    seen = place_map.descriptors + noise
    seen /= np.linalg.norm(seen, axis=2, keepdims=True)
    stamps = 3 * np.arange(24) * SECOND_NS  # at 1 m/s
    poses = place_map.places.poses + np.array([1.0, 0.5, 0, 0, 0, 0, 0])
    return place_map, DescribedDrive('second', seen.astype(np.float16), stamps, poses)


@pytest.fixture(scope='module')
def calibrated(described):
    place_map, drive = described
    return calibrate([Setting(place_map, (drive,))], CONFIG)


def test_a_drive_on_the_map_gives_a_calibration_of_its_own(described, calibrated):
    place_map, drive = described
    assert calibrated.kind == 'own'
    assert calibrated.sources == (drive.name,)
    assert calibrated.descriptor == place_map.spec.as_json()
    assert not calibrated.whitened
    assert not calibrated.centred
    calibrated.require_of(place_map)
    assert calibrated.figures['frames'] == len(drive)
    assert 0 < calibrated.figures['usual_proof'] <= 6.0
    assert 0 < calibrated.proof <= calibrated.guessed_proof
    assert calibrated.grade in ('weak', 'unfit') and calibrated.weakness


def test_the_proof_is_that_of_the_null_by_each_motion(described, monkeypatch):
    from husky_placerec.recognition.calibrating import calibrate as module

    asked = []

    def null(runs, draft, config, *, by_odometry):
        asked.append((len(list(runs)) > 1, draft.proof, by_odometry))
        return Null(7.0 if by_odometry else 8.0, 1.0, 1e9)

    monkeypatch.setattr(module, 'measure_null', null)
    monkeypatch.setattr(module, 'promise_of', lambda *_: Promise())
    place_map, drive = described
    made = calibrate([Setting(place_map, (drive,))], CONFIG)
    assert (made.proof, made.guessed_proof) == pytest.approx((7.0, 8.0), abs=1e-3)
    assert asked == [(True, 0.0, True), (True, 0.0, False)]


def test_little_unknown_road_asks_for_the_proof_of_the_prior(described):
    place_map, drive = described
    prior = replace(shipped_prior(), proof=50.0)
    made = calibrate([Setting(place_map, (drive,))], CONFIG, prior=prior)
    assert 40.0 < made.proof < 50.0


def test_a_map_alone_keeps_the_prior_and_asks_more_without_odometry(described):
    place_map, _ = described
    prior = shipped_prior()
    made = calibrate([Setting(place_map, (itself(place_map),))], CONFIG, prior=prior)
    assert (made.kind, made.found) == ('map_alone', prior.found)
    assert made.place is prior.place and made.gate is prior.gate
    assert made.grade == 'unfit' or 'no second drive' in made.weakness
    assert made.guessed_proof >= 1.5 * made.proof - 1e-9 or made.guessed_proof > made.proof


def test_the_images_of_the_map_are_no_second_drive(described):
    place_map, drive = described
    again = replace(itself(place_map), name='again', itself=False)
    with pytest.raises(InputError, match='again: 24 of its 24 frames are places of map'):
        calibrate([Setting(place_map, (again,))], CONFIG)
    same_stamps = replace(drive, stamps_ns=place_map.places.stamps_ns)
    assert calibrate([Setting(place_map, (same_stamps,))], CONFIG).kind == 'own'


def test_reversed_poses_that_were_not_measured_are_not_said_to_be_precise(calibrated):
    for errors in ('reversed_errors', 'reversed_sequence_errors'):
        assert getattr(calibrated, errors).variances[0, :2].tolist() == [25.0, 25.0]
    for errors in ('single_errors', 'sequence_errors', 'guessed_errors'):
        assert getattr(calibrated, errors).variances[0, 0] < 25.0, errors


def test_a_drive_off_the_map_beside_the_map_alone_is_no_second_drive(described):
    place_map, _ = described
    elsewhere = replace(itself(place_map), poses=None, itself=False)
    elsewhere = replace(elsewhere, descriptors=elsewhere.descriptors[:, :, ::-1])
    setting = Setting(place_map, (itself(place_map), elsewhere))
    assert calibrate([setting], CONFIG).kind == 'map_alone'


def test_the_sequence_is_calibrated_whether_it_is_used_or_not(described):
    place_map, drive = described
    setting = Setting(place_map, (drive,))
    used, unused = (
        calibrate([setting], replace(CONFIG, sequence=on), kind='simulated')
        for on in (True, False)
    )
    assert used.kind == unused.kind == 'simulated'
    assert unused.proof == used.proof
    assert used.grade == 'proven'


def test_the_map_is_a_drive_of_its_own():
    place_map = straight_map(COUNT)
    drive = itself(place_map)
    assert drive.itself
    assert drive.poses is place_map.places.poses
    assert drive.descriptors is place_map.descriptors
    assert drive.odometry is None


@pytest.mark.parametrize(('covered', 'used'), [(19, True), (18, False), (20, True)])
def test_odometry_counts_where_it_covers_95_percent_of_the_frames(covered, used):
    described = straight_map(20)
    stamps = np.arange(20) * SECOND_NS
    described = replace(described, places=replace(described.places, stamps_ns=stamps))
    assert drive_of(described).odometry is None
    poses = [[0.5 * second, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0] for second in range(covered)]
    odometry = Trajectory.make(stamps[:covered].tolist(), poses, 'wheels')
    drive = drive_of(described, odometry)
    assert (drive.odometry is not None) == used
    if used:
        assert drive.odometry[10, 0] == pytest.approx(5.0)
    assert drive.poses is described.places.poses and not drive.itself


def test_odometry_that_is_over_a_second_apart_does_not_cover_the_frames():
    described = straight_map(20)
    stamps = np.arange(20) * SECOND_NS
    described = replace(described, places=replace(described.places, stamps_ns=stamps + 1))
    pose = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    for apart, used in ((1, True), (2, False)):
        stamps_ns = (np.arange(0, 30, apart) * SECOND_NS).tolist()
        odometry = Trajectory.make(stamps_ns, [pose] * len(stamps_ns), 'wheels')
        assert (drive_of(described, odometry).odometry is not None) == used


def drive(name, count, place_map: PlaceMap, off_m=0.0, **changes):
    poses = place_map.places.poses[:count] + np.array([0, off_m, 0, 0, 0, 0, 0])
    values = {'descriptors': place_map.descriptors[:count], 'stamps_ns': np.arange(count)}
    values['stamps_ns'] = values['stamps_ns'] + 1  # it is not the drive of the map
    return DescribedDrive(**{'name': name, 'poses': poses, **values, **changes})


def test_twenty_frames_in_a_row_make_a_group():
    place_map = straight_map(COUNT)
    drives = drive('first', 41, place_map), drive('second', 5, place_map)
    gates, places = sampled([Setting(place_map, drives)], CONFIG)
    samples = Samples.join(gates)
    whole = samples.chosen((samples.origin == 0) & ~samples.partial)
    assert whole.group.tolist() == [0] * 20 + [1] * 20 + [2] + [3] * 5
    assert {row[4] for row in places} == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ('offs_m', 'words'),
    [
        ((10.1,), 'far: it keeps 10 m from the map; expected a drive that comes within 10 m'),
        ((20.0, 5000.0), 'far, far: it keeps 20 m'),
        ((), 'no drive: nothing to compare'),
    ],
)
def test_a_drive_that_never_meets_the_map_is_refused(offs_m, words):
    place_map = straight_map(COUNT)
    known = [drive('far', 5, place_map, off_m) for off_m in offs_m]
    unknown = drive('unknown', 5, place_map, poses=None)
    with pytest.raises(InputError, match=words):
        calibrate([Setting(place_map, (*known, unknown))], CONFIG)


def test_each_map_has_to_be_met():
    place_map = straight_map(COUNT)
    near = Setting(place_map, (drive('near', 5, place_map),))
    far = Setting(place_map, (drive('far', 5, place_map, 100.0),))
    with pytest.raises(InputError, match='far: it keeps 100 m'):
        calibrate([near, far], CONFIG)


def test_a_drive_of_which_no_frame_is_recognised_is_refused():
    place_map = straight_map(COUNT)
    shifted = place_map.descriptors[np.arange(40, 45)]
    setting = Setting(place_map, (drive('second', 5, place_map, descriptors=shifted),))
    with pytest.raises(InputError, match='map: none of 5 frames on the map is recognised'):
        calibrate([setting], CONFIG)


def test_a_map_without_an_unknown_place_is_refused():
    place_map = straight_map(8)
    setting = Setting(place_map, (drive('second', 8, place_map),))
    with pytest.raises(InputError, match='no frame is wrong or unknown: the map is smaller'):
        calibrate([setting], CONFIG)


def estimate(probability, off_m, reverse=False, single_off_m=None, **changes):
    """Make a recognition that errs along the road by some metres."""
    at = Candidate(0, 0.9, reverse, planar(0.0))
    single_off_m = off_m if single_off_m is None else single_off_m
    values = {
        'candidates': (at,),
        'probability': probability,
        'estimate': planar(off_m),
        'chosen': at,
        'measurement': Measurement(True, None, planar(single_off_m), probability),
    }
    return Recognition(0, {}, True, None, **{**values, **changes})


def measured(by_odometry, by_time=(), truth=planar(0.0), own=False):
    """Return the variances along the road: of single frames, sequence, guessed, reversed."""
    told = {True: by_odometry, False: by_time}
    run = SimpleNamespace(
        drive=SimpleNamespace(itself=own),
        truths=[truth] * max(len(by_odometry), len(by_time)),
        recognitions=lambda made, config, *, by_odometry, landmarks: (
            told[by_odometry] if (made, config, landmarks) == (draft, CONFIG, False) else []
        ),
    )
    draft = calibration()
    made = with_errors(draft, [run], CONFIG)
    names = ('single', 'sequence', 'guessed', 'reversed')
    return [getattr(made, f'{name}_errors').variances[0, 0] for name in names]


def test_each_table_has_the_errors_of_its_own_poses():
    found = measured(
        [estimate(0.5, 3.0, single_off_m=2.0), estimate(0.5, 5.0, True)], [estimate(0.5, 4.0)]
    )
    assert found == pytest.approx([4.0, 9.0, 16.0, 25.0])


@pytest.mark.parametrize(
    'without',
    [
        {'chosen': None, 'measurement': None},
        {'probability': None, 'measurement': None},
        {'estimate': None, 'measurement': None},
        {'chosen': None, 'candidates': ()},
        {'chosen': None, 'measurement': Measurement(False, None, None, 0.5)},
        {'chosen': None, 'measurement': Measurement(False, None, planar(0.0), None)},
    ],
)
def test_what_has_no_pose_or_probability_is_not_measured(without):
    assert measured([replace(estimate(0.5, 3.0), **without)]) == [25.0] * 4


def test_wrong_poses_unknown_truths_and_the_map_itself_are_not_measured():
    assert measured([estimate(0.5, 10.1)]) == [25.0] * 4
    assert measured([estimate(0.5, 3.0)], truth=None) == [25.0] * 4
    assert measured([estimate(0.5, 3.0)], own=True) == [25.0] * 4


def test_an_error_is_of_its_own_probability():
    sure, unsure = [estimate(0.95, 1.0)] * 30, [estimate(0.5, 3.0)] * 30
    told = [*sure, *unsure]
    run = SimpleNamespace(
        drive=SimpleNamespace(itself=False),
        truths=[planar(0.0)] * len(told),
        recognitions=lambda *_, **__: told,
    )
    made = with_errors(calibration(), [run], CONFIG)
    for errors in (made.single_errors, made.sequence_errors, made.guessed_errors):
        assert errors.variances[:, 0] == pytest.approx([9.0, 1.0])
