"""The prior that comes with the package, and what is refused as one."""

from __future__ import annotations

import json

from husky_placerec.errors import InputError
from husky_placerec.recognition.calibrating.fitting import SIGNS
from husky_placerec.recognition.evidence import ALL_EVIDENCE, EVIDENCE
from husky_placerec.recognition.prior import Prior, shipped_prior
import numpy as np
import pytest
from support.calibrations import evidence_with, model

MODELS = ('gate', 'partial', 'place')


def made():
    gates = [model(bias=float(n), lead=n + 1.0, local={'local_lead': n + 2.0}) for n in range(3)]
    return Prior(*gates, 0.7, 9.0, ('campus 1', 'street'))


def test_a_prior_comes_back_from_json_as_it_was():
    read = Prior.from_json(json.loads(json.dumps(made().as_json())), 'prior')
    assert read.as_json() == made().as_json()
    assert (read.found, read.proof, read.worlds) == (0.7, 9.0, ('campus 1', 'street'))
    assert [getattr(read, name).plain.bias for name in MODELS] == [0.0, 1.0, 2.0]


@pytest.mark.parametrize(
    'changes',
    [
        {'gate': None},
        {'partial': ...},
        {'found': 'much'},
        {'found': ...},
        {'proof': ...},
        {'worlds': ...},
    ],
    ids=str,
)
def test_a_damaged_prior_is_refused(tmp_path, changes):
    values = {**made().as_json(), **changes}
    values = {name: value for name, value in values.items() if value is not ...}
    file = tmp_path / 'prior.json'
    file.write_text(json.dumps(values))
    with pytest.raises(InputError, match=r'prior\.json: prior not as expected'):
        shipped_prior(file)


def test_a_prior_of_other_evidence_is_refused(tmp_path):
    values = made().as_json()
    values['place']['local']['names'][0] = 'another'
    file = tmp_path / 'prior.json'
    file.write_text(json.dumps(values))
    with pytest.raises(InputError, match=r'prior\.json: .*it is of another'):
        shipped_prior(file)


@pytest.mark.parametrize('text', ['{', '', '[]'])
def test_what_is_no_json_object_is_refused(tmp_path, text):
    file = tmp_path / 'prior.json'
    file.write_text(text)
    with pytest.raises(InputError, match=r'prior\.json'):
        shipped_prior(file)


def test_the_shipped_prior_weighs_evidence_by_its_known_signs():
    prior = shipped_prior()
    assert prior is shipped_prior()
    assert 0.05 <= prior.found <= 0.95 and prior.proof > 0 and prior.worlds
    for name in MODELS:
        both = getattr(prior, name)
        for logistic, names in ((both.plain, EVIDENCE), (both.local, ALL_EVIDENCE)):
            signs = np.array([SIGNS.get(each, 1.0) for each in names])
            assert (logistic.weights * signs >= 0).all(), name
            assert (logistic.scale > 0).all()
            assert logistic.weights[names.index('cosine')] == 0  # its scale is a world's own


@pytest.mark.parametrize('name', MODELS)
@pytest.mark.parametrize(
    'local', [{}, {'local_lead': 0.05, 'shift_lead': 0.05}], ids=['', 'local']
)
def test_the_shipped_prior_tells_a_clear_case_from_a_hopeless_one(name, local):
    both = getattr(shipped_prior(), name)
    clear = evidence_with(
        **{'similarity': 6.0, 'lead': 3.0, 'weakest_lead': 2.5, 'strongest_lead': 3.5},
        **{'agreement': 0.8, 'usual_share': 0.9, **local},
    )
    opposed = {each: -value for each, value in local.items()}
    hopeless = evidence_with(
        **{'similarity': 1.0, 'lead': -2.0, 'behind': -2.0, 'weakest_lead': -3.0},
        **{'strongest_lead': -1.0, 'disagreement': 2.0, **opposed},
    )
    assert float(both.log_ratio(clear)) > (0.5 if name == 'partial' else 1.0)
    assert float(both.log_ratio(hopeless)) < (-0.5 if name == 'partial' else -1.0)
