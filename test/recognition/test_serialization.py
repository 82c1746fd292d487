"""The lines of `recognitions.jsonl`: names and values that other programs read."""

from __future__ import annotations

from dataclasses import replace
import json

from husky_placerec.errors import InputError
from husky_placerec.recognition.serialization import recognition_json, recognition_of
from husky_placerec.types import Candidate, Measurement, Recognition
import pytest
from support.builders import planar

BEST = Candidate(7, 0.9, False, planar(21.0), {'front': 0.9})
OTHER = Candidate(9, 0.8, True, planar(27.0), {'front': 0.7, 'back': 0.9}, 0.95)
SINGLE = Measurement(False, 'ambiguous', planar(22.0), 0.6, (1.0,) * 6, (1.0, 0.0, 1.0))
WHOLE = Recognition(
    *(5, {'front': 5, 'back': 6}, True, None, (BEST, OTHER)),
    margin=0.1,
    probability=0.95,
    covariance=(1.0, 2.0, 3.0, 4.0, 5.0, 6.0),
    covariance_xy=(1.0, 0.5, 2.0),
    state='LOCALIZED',
    measurement=SINGLE,
    estimate=planar(26.0, 1.0, 90.0),
    chosen=OTHER,
    proof=12.5,
)


def test_a_line_has_every_value_of_the_estimate():
    line = recognition_json(WHOLE)
    candidates = line.pop('candidates')
    assert line.pop('measurement') == {
        'accepted': False,
        'reason': 'ambiguous',
        'probability': 0.6,
        'pose': vars(planar(22.0)),
        'covariance': [1.0] * 6,
    }
    assert line == {
        'stamp_ns': 5,
        'cameras': ['front', 'back'],
        'image_stamps_ns': {'front': 5, 'back': 6},
        'accepted': True,
        'reason': None,
        'probability': 0.95,
        'reversed': True,
        'place': 9,
        'similarity': 0.8,
        'margin': 0.1,
        'pose': vars(planar(26.0, 1.0, 90.0)),
        'covariance': [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        'state': 'LOCALIZED',
        'proof': 12.5,
        'metric': None,
    }
    assert candidates == [
        {
            'place': each.place,
            'similarity': each.similarity,
            'cosines': dict(each.cosines),
            'probability': chance,
            'reversed': each.reversed,
            'pose': vars(each.pose),
        }
        for each, chance in ((BEST, None), (OTHER, 0.95))
    ]


def test_without_a_sequence_the_place_is_the_best_candidate():
    line = recognition_json(replace(WHOLE, chosen=None, measurement=None, covariance=None))
    assert (line['place'], line['similarity'], line['reversed']) == (7, 0.9, False)
    assert line['measurement'] is None and line['covariance'] is None


def test_without_candidates_there_is_no_place():
    line = recognition_json(Recognition(5, {}, False, 'no_candidate', ()), planar(0.0))
    empty = ('place', 'similarity', 'reversed', 'pose', 'error_m', 'error_deg')
    assert [line[name] for name in empty] == [None] * 6
    assert line['candidates'] == []


def test_a_measurement_may_have_neither_pose_nor_covariance():
    bare = recognition_json(replace(WHOLE, measurement=Measurement(False, 'no_candidate', None)))
    assert bare['measurement']['pose'] is None
    assert bare['measurement']['covariance'] is None


def test_the_error_is_from_the_truth():
    line = recognition_json(WHOLE, planar(23.0, 5.0, 60.0))
    assert line['error_m'] == pytest.approx(5.0)
    assert line['error_deg'] == pytest.approx(30.0)
    assert line['truth'] == vars(planar(23.0, 5.0, 60.0))


def test_a_line_is_read_as_it_was_written():
    truth = planar(23.0, 5.0, 60.0)
    line = json.loads(json.dumps(recognition_json(WHOLE, truth)))
    alone = replace(SINGLE, covariance_xy=None)
    expected = replace(WHOLE, covariance_xy=None, measurement=alone)
    assert recognition_of(line, 'log:1') == (expected, truth)
    bare = Recognition(5, {}, False, 'no_candidate', ())
    assert recognition_of(json.loads(json.dumps(recognition_json(bare))), 'log:1') == (bare, None)


@pytest.mark.parametrize(
    'changes',
    [
        {'stamp_ns': -1},
        {'accepted': 'yes'},
        {'candidates': [{'place': 1}]},
        {'probability': 7},
        {'pose': {'x': 'far'}},
        {'image_stamps_ns': {'front': 'now'}},
    ],
)
def test_a_line_with_a_wrong_value_is_refused_by_its_place(changes):
    line = json.loads(json.dumps(recognition_json(WHOLE)))
    with pytest.raises(InputError, match='log:7'):
        recognition_of({**line, **changes}, 'log:7')
