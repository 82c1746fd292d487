"""The calibration of a map: stored and read again, and refused where it is of something else."""

from __future__ import annotations

from dataclasses import replace
import json

from husky_placerec.errors import InputError
from husky_placerec.recognition.calibration import Calibration, calibration_of
import numpy as np
import pytest
from support.builders import random_map, spec
from support.calibrations import calibration, model, table
from support.needs import needs


def distinct():
    """Return a calibration of which no two parts are equal."""
    return calibration(
        kind='map_alone',
        gate=model(lead=1.0, local={'local_lead': 7.0}),
        partial=model(lead=2.0),
        place=model(lead=3.0),
        found=0.7,
        proof=12.5,
        guessed_proof=14.5,
        grade='weak',
        weakness='too few frames',
        single_errors=table(1.0),
        sequence_errors=table(2.0),
        guessed_errors=table(3.0),
        reversed_errors=table(4.0),
        reversed_sequence_errors=table(5.0),
        figures={'frames': 80},
        metric_scale=2.5,
    )


def test_a_calibration_comes_back_from_json_as_it_was():
    made = distinct()
    read = Calibration.from_json(json.loads(json.dumps(made.as_json())), 'map')
    assert read.as_json() == made.as_json()
    same = ('kind', 'whitened', 'sources', 'created', 'found', 'proof', 'guessed_proof', 'figures')
    for name in (*same, 'grade', 'weakness', 'metric_scale'):
        assert getattr(read, name) == getattr(made, name), name
    for name in ('gate', 'partial', 'place'):
        assert getattr(read, name).as_json() == getattr(made, name).as_json()
    assert read.gate.local is not None and read.partial.local is None
    for name in ('single', 'sequence', 'guessed', 'reversed', 'reversed_sequence'):
        mine, theirs = (getattr(each, f'{name}_errors').variances for each in (made, read))
        assert mine.tolist() == theirs.tolist(), name


def test_the_names_in_map_json_are_kept():
    values = distinct().as_json()
    names = ('measured', 'estimated', 'guessed', 'turned', 'turned_estimated')
    assert [values[name]['variances'][0][0] for name in names] == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_without_errors_of_reversed_sequences_those_of_single_frames_count():
    values = distinct().as_json()
    del values['turned_estimated']
    assert Calibration.from_json(values, 'map').reversed_sequence_errors.variances[0, 0] == 4.0


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'kind': 'guess'}, "is 'guess'; expected one of"),
        ({'proof': -1.0}, 'proof -1.0'),
        ({'proof': float('nan')}, 'proof nan'),
        ({'proof': float('inf')}, 'proof inf'),
        ({'guessed_proof': -1.0}, 'guessed_proof -1.0'),
        ({'guessed_proof': float('inf')}, 'guessed_proof inf'),
        ({'found': 0.0}, 'found 0.0'),
        ({'found': float('nan')}, 'found nan'),
        ({'found': 1.01}, 'found 1.01'),
        ({'grade': 'good'}, "grade is 'good'"),
        ({'grade': ...}, 'grade'),
        ({'gate': None}, 'not as expected'),
        ({'created': ..., 'gate': ...}, 'not as expected'),
        ({'measured': {'edges': [0.0], 'variances': [[1.0]]}}, 'not as expected'),
    ],
)
def test_a_damaged_calibration_is_refused(changes, words):
    values = {**distinct().as_json(), **changes}
    values = {name: value for name, value in values.items() if value is not ...}
    with pytest.raises(InputError, match=f'^map: calibration.*{words}'):
        Calibration.from_json(values, 'map')


@pytest.mark.parametrize('changes', [{'proof': 0.0}, {'found': 1.0}, {'guessed_proof': 1e6}])
def test_the_bounds_of_the_numbers_are_valid(changes):
    values = {**distinct().as_json(), **changes}
    assert Calibration.from_json(values, 'map').as_json() == values


@pytest.mark.parametrize('name', ['gate', 'partial', 'place'])
def test_a_model_of_other_evidence_is_refused(name):
    values = distinct().as_json()
    values[name] = {**values[name], 'names': ['another', *values[name]['names'][1:]]}
    with pytest.raises(InputError, match=r'calibration is of another.*calibrate the map again'):
        Calibration.from_json(values, 'map')


def test_a_calibration_of_an_older_version_says_to_calibrate_again():
    values = distinct().as_json()
    names = [*values['gate']['names'][:-1], 'above_usual']
    values = {**values, 'trust': 0.5, 'gate': {**values['gate'], 'names': names}}
    del values['guessed_proof'], values['grade'], values['weakness']
    with pytest.raises(InputError, match=r'above_usual; expected .*: calibrate the map again'):
        Calibration.from_json(values, 'map')


def test_a_local_model_of_other_evidence_is_refused():
    values = distinct().as_json()
    values['gate']['local']['names'][-1] = 'another'
    with pytest.raises(InputError, match=r'another; expected .*shift_lead: calibrate the map'):
        Calibration.from_json(values, 'map')


@pytest.mark.parametrize('change', ['precision', 'preprocessing', 'weights_sha256'])
def test_a_calibration_of_another_model_is_refused(change):
    read = calibration(descriptor={**spec().as_json(), change: 'another'})
    with pytest.raises(InputError, match=f"^map: calibrated with .* {change} was 'another'"):
        read.require_of(random_map())


@pytest.mark.parametrize('way', ['whitened', 'centred'])
@pytest.mark.parametrize('was', [False, True])
@needs('sklearn')
def test_a_calibration_of_another_way_to_compare_is_refused(way, was):
    raw = random_map()
    other = raw.whitened(raw.fit_whitening()), raw.centred(raw.fit_centring())
    compared = other[way == 'centred']
    read = calibration(**{way: was})
    read.require_of(compared if was else raw)
    with pytest.raises(InputError, match=f'{way} was {was} and is {not was}'):
        read.require_of(raw if was else compared)


@needs('sklearn')
def test_the_calibration_of_a_map_is_checked_against_the_map():
    place_map = random_map()
    assert calibration_of(place_map) is None
    own = replace(place_map, calibration=distinct().as_json())
    assert calibration_of(own).as_json() == own.calibration
    with pytest.raises(InputError, match='calibrated with another model: size'):
        calibration_of(replace(own, spec=spec(size=8)))
    with pytest.raises(InputError, match='whitened was False and is True'):
        calibration_of(replace(own, whitening=own.fit_whitening()))


@pytest.mark.parametrize(('cameras', 'name'), [((1, 1), 'gate'), ((1, 0), 'partial')])
def test_a_frame_that_lacks_a_camera_has_a_gate_of_its_own(cameras, name):
    made = distinct()
    query = np.ones((2, 16), np.float32) * np.array(cameras)[:, None]
    assert made.gate_of(query) is getattr(made, name)
