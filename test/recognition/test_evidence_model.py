"""Which of two models judges a piece of evidence: that of compared places, or that of all."""

from __future__ import annotations

import json

from husky_placerec.recognition.evidence import ALL_EVIDENCE, EVIDENCE
from husky_placerec.recognition.evidence_model import EvidenceModel
import numpy as np
import pytest
from support.calibrations import evidence_with, logistic, model

BOTH = model(bias=1.0, prior=0.25, lead=2.0, local={'bias': -3.0, 'prior': 0.5, 'local_lead': 4.0})
PLAIN = model(bias=1.0, prior=0.25, lead=2.0)
NOT_COMPARED = evidence_with(lead=0.7)
COMPARED = evidence_with(lead=0.7, local_lead=0.3)
HALF = evidence_with(lead=0.7, local_lead=0.3, shift_lead=np.nan)


@pytest.mark.parametrize(
    ('made', 'seen', 'odds', 'prior'),
    [
        (BOTH, COMPARED, -3 + 4 * np.tanh(0.3), 0.5),
        (BOTH, NOT_COMPARED, 1 + 2 * np.tanh(0.7), 0.25),
        (BOTH, HALF, 1 + 2 * np.tanh(0.7), 0.25),
        (PLAIN, COMPARED, 1 + 2 * np.tanh(0.7), 0.25),
        (PLAIN, NOT_COMPARED, 1 + 2 * np.tanh(0.7), 0.25),
    ],
)
def test_compared_places_are_judged_by_the_local_model(made, seen, odds, prior):
    assert float(made.log_odds(seen)) == pytest.approx(odds)
    assert float(made.probability(seen)) == pytest.approx(1 / (1 + np.exp(-odds)))
    assert float(made.log_ratio(seen)) == pytest.approx(odds - prior)


def test_of_many_places_each_is_judged_as_it_would_be_alone():
    rows = np.array([COMPARED, NOT_COMPARED, HALF, COMPARED + 0.1])
    for name in ('log_odds', 'probability', 'log_ratio'):
        found = getattr(BOTH, name)(rows)
        assert found.tolist() == pytest.approx([float(getattr(BOTH, name)(row)) for row in rows])
    assert BOTH.log_ratio(rows[:0]).shape == (0,)


def test_what_speaks_against_a_place_is_of_the_model_that_judges_it():
    assert list(BOTH.against(COMPARED)) == list(ALL_EVIDENCE)
    assert BOTH.against(COMPARED)['local_lead'] == pytest.approx(-4 * np.tanh(0.3))
    for made, seen in ((BOTH, NOT_COMPARED), (BOTH, HALF), (PLAIN, COMPARED)):
        assert list(made.against(seen)) == list(EVIDENCE)
        assert made.against(seen)['lead'] == pytest.approx(-2 * np.tanh(0.7))


@pytest.mark.parametrize('made', [BOTH, PLAIN])
def test_a_model_comes_back_from_json_as_it_was(made):
    read = EvidenceModel.from_json(json.loads(json.dumps(made.as_json())))
    assert read.as_json() == made.as_json()
    assert (read.local is None) == (made.local is None)


@pytest.mark.parametrize(
    ('plain', 'local', 'words'),
    [
        (ALL_EVIDENCE, ALL_EVIDENCE, 'expected similarity.*cosine: calibrate'),
        (EVIDENCE, EVIDENCE, 'expected similarity.*shift_lead: calibrate'),
        (EVIDENCE[::-1], ALL_EVIDENCE, 'it is of cosine'),
    ],
)
def test_a_model_of_other_evidence_is_refused(plain, local, words):
    values = {**logistic(plain).as_json(), 'local': logistic(local).as_json()}
    with pytest.raises(ValueError, match=words):
        EvidenceModel.from_json(values)
