"""What evidence adds that only some frames have: their texts, and their poses by landmarks."""

from __future__ import annotations

from dataclasses import replace
import json

from husky_placerec.recognition.evidence import COLUMNS, SUPPLEMENTS
from husky_placerec.recognition.evidence_model import EvidenceModel
from husky_placerec.recognition.logistic import Logistic
from husky_placerec.recognition.metric_comparison import METRIC_EVIDENCE
from husky_placerec.recognition.supplement import Supplement, supplements_of
from husky_placerec.recognition.text_comparison import TEXT_EVIDENCE
import numpy as np
import pytest
from support.calibrations import evidence_with, logistic, model

BY_TEXT = Supplement(logistic(TEXT_EVIDENCE, bias=-0.5, text_common=3.0, text_contradiction=-2.0))
BY_LANDMARKS = Supplement(logistic(METRIC_EVIDENCE, bias=1.0, inliers=2.0))
PLAIN = model(bias=1.0, lead=2.0)
BOTH = replace(PLAIN, added=(BY_TEXT, BY_LANDMARKS))
NOTHING = evidence_with(lead=0.7)
TEXTS = evidence_with(lead=0.7, text_common=0.9, text_contradiction=0.2)
SOLVED = evidence_with(lead=0.7, inliers=0.6, inlier_lead=0.5)
OF_TEXTS = -0.5 + 3 * np.tanh(0.9) - 2 * np.tanh(0.2)
OF_LANDMARKS = 1 + 2 * np.tanh(0.6)


@pytest.mark.parametrize(
    ('seen', 'added'),
    [
        (NOTHING, 0.0),
        (TEXTS, OF_TEXTS),
        (SOLVED, OF_LANDMARKS),
        (np.where(np.isnan(TEXTS), SOLVED, TEXTS), OF_TEXTS + OF_LANDMARKS),
        (evidence_with(lead=0.7, text_common=0.9), 0.0),  # half of the texts' evidence
    ],
)
def test_evidence_that_is_there_is_added_and_other_evidence_stays(seen, added):
    assert float(BOTH.log_odds(seen)) == pytest.approx(float(PLAIN.log_odds(seen)) + added)
    assert float(BOTH.log_ratio(seen)) == pytest.approx(float(PLAIN.log_ratio(seen)) + added)


def test_each_of_many_places_has_its_own():
    rows = np.array([NOTHING, TEXTS, SOLVED])
    found = BOTH.log_odds(rows) - PLAIN.log_odds(rows)
    assert found.tolist() == pytest.approx([0.0, OF_TEXTS, OF_LANDMARKS])
    assert BOTH.log_odds(rows[:0]).shape == (0,)


def test_what_speaks_against_a_place_is_named_if_it_is_there():
    assert BOTH.against(TEXTS)['text_contradiction'] == pytest.approx(2 * np.tanh(0.2))
    assert 'inliers' not in BOTH.against(TEXTS)
    assert not {'inliers', 'text_common'} & BOTH.against(NOTHING).keys()


def test_supplements_come_back_from_json_as_they_were():
    read = EvidenceModel.from_json(json.loads(json.dumps(BOTH.as_json())))
    assert read.as_json() == BOTH.as_json()
    assert [each.model.names for each in read.added] == [TEXT_EVIDENCE, METRIC_EVIDENCE]
    assert 'added' not in PLAIN.as_json() and PLAIN.added == ()


@pytest.mark.parametrize('names', [[('lead',)], [TEXT_EVIDENCE, TEXT_EVIDENCE], [('inliers',)]])
def test_supplements_of_other_evidence_are_refused(names):
    values = [logistic(each).as_json() for each in names]
    with pytest.raises(
        ValueError, match='each at most once: text_common, text_contradiction; inl'
    ):
        supplements_of(values)


def test_a_supplement_with_damaged_numbers_is_refused():
    values = {**BY_TEXT.model.as_json(), 'weights': [float('nan'), 1.0]}
    with pytest.raises(ValueError, match='weights: expected 2 finite numbers'):
        supplements_of([values])
    assert isinstance(BY_TEXT.model, Logistic)


def test_the_columns_end_with_the_supplements():
    names = [name for each in SUPPLEMENTS for name in each]
    assert list(COLUMNS[-len(names) :]) == names
