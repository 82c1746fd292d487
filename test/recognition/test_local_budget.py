"""How many candidates are compared locally within a budget, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.config import make_config
from husky_placerec.recognition import local_budget
from husky_placerec.recognition.descriptor_recognizer import DescriptorRecognizer
from husky_placerec.recognition.local_budget import known_cost, LocalCost, plan_of
from husky_placerec.recognition.recognizer import Recognizer
from husky_placerec.recognition.shipped_calibration import WITHOUT_LOCAL
from husky_placerec.session.loading import recognizer_of
import numpy as np
import pytest
from support.builders import straight_map
from support.calibrations import calibration
from support.local_features import local_of
from support.seen_places import map_of_views, view

COUNT = 20
PIXELS = {'extractor': 'pixels', 'threads': 1}
TRUE, TWIN = 3, 15
PLENTY, NOTHING = 1e4, 1e-3


@pytest.mark.parametrize(
    ('budget', 'expected'),
    [
        (0.0, 0),
        (20.0, 0),  # a description alone
        (20.0 + 6 * 0.5, 0),  # two candidates and four other places
        (20.0 + 7 * 0.5, 3),
        (30.0, 16),
    ],
)
def test_as_many_candidates_are_compared_as_fit(budget, expected):
    assert LocalCost(20.0, 0.5, 'measured').count(budget) == expected


def test_the_plan_says_what_it_chose_and_why():
    cost, config = LocalCost(20.0, 0.5, 'measured before'), make_config({'rerank_budget': 25})
    why = 'of rerank_budget 25 ms, a description takes 20.0 ms and a comparison 0.50 ms'
    plan = plan_of(cost, config)
    assert plan.count == 6
    assert plan.words == f'6 candidates are compared: {why} (measured before)'
    few = plan_of(cost, replace(config, candidates=4))
    assert few.count == 6  # the number of candidates may grow again
    assert few.words.startswith('4 candidates are compared')
    none = plan_of(cost, replace(config, rerank_budget=21.0))
    assert none.count == 0
    assert none.words.startswith('nothing is compared, because the budget is too small: of rerank')
    assert none.words.endswith('; raise it, or set rerank: always')


@pytest.fixture(scope='module')
def twin_map():
    """Return a map on which two places look the same but for their cells."""
    made = straight_map(COUNT)
    descriptors = made.descriptors.copy()
    descriptors[TRUE] = descriptors[TWIN]
    return replace(made, descriptors=descriptors, local=local_of(COUNT))


def searched(twin_map, most):
    recognizer = DescriptorRecognizer(twin_map, make_config({**PIXELS, 'candidates': 8}), None)
    recognizer.most_compared = most
    return recognizer.search(
        twin_map.descriptors[TWIN].astype(np.float32), twin_map.local.values[TWIN]
    )


def test_only_the_first_candidates_are_ranked_again(twin_map):
    plain = [(c.place, c.reversed) for c in searched(twin_map, 0).candidates]
    found = searched(twin_map, 3)
    ranked = [(c.place, c.reversed) for c in found.candidates]
    assert sorted(ranked[:3]) == sorted(plain[:3]) and ranked[:3] != plain[:3]
    assert ranked[3:] == plain[3:]
    known = found.local._known
    assert set(ranked[:3]) <= set(known) <= {*ranked[:3], *found.rival.states}
    assert len(searched(twin_map, None).local._known) >= 8


def test_where_nothing_fits_nothing_is_compared(twin_map):
    assert searched(twin_map, 0).local is None


@pytest.fixture(scope='module')
def seen_map():
    return map_of_views(4, make_config(PIXELS))


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))


def test_the_cost_is_measured_once_and_kept(seen_map):
    spec = seen_map.local.spec
    assert known_cost(spec, 2, 1) is None
    plenty = make_config({**PIXELS, 'rerank_budget': PLENTY})
    first = Recognizer.load(seen_map, plenty)
    assert first.local_words.endswith('(measured now)')
    kept = known_cost(spec, 2, 1)
    assert kept.describe_ms > kept.compare_ms > 0
    assert known_cost(spec, 2, 2) is None and known_cost(spec, 1, 1) is None
    again = Recognizer.load(seen_map, plenty)
    assert again.local_words.endswith('(measured before)')
    assert again.most_compared == first.most_compared == kept.count(PLENTY)


def test_a_budget_that_is_too_small_does_nothing_and_says_so(seen_map):
    said = []
    small = make_config({**PIXELS, 'rerank_budget': NOTHING})
    recognizer = recognizer_of(seen_map, small, said.append)
    assert recognizer.local_doubt.startswith('local descriptors: nothing is compared, because')
    assert not any('local descriptors' in each for each in said)  # the caller warns of it
    off = Recognizer.load(seen_map, replace(small, rerank='off'))
    assert (off.local_words, off.local_doubt) == ('', '')
    plenty = recognizer_of(seen_map, replace(small, rerank_budget=PLENTY), said.append)
    assert said[-1] == f'local descriptors: {plenty.local_words}'
    found = [each.recognize(view(2)) for each in (recognizer, off)]
    assert found[0].candidates == found[1].candidates


def test_always_compares_all_whatever_the_budget(seen_map):
    config = make_config({**PIXELS, 'rerank': 'always', 'rerank_budget': NOTHING})
    recognizer = Recognizer.load(seen_map, config)
    assert recognizer.most_compared is None
    assert recognizer.local_words == 'all candidates are compared, as rerank asks'
    assert known_cost(seen_map.local.spec, 2, 1) is None  # nothing was measured


def test_without_a_comparison_the_proof_is_that_of_frames_that_are_not_compared(seen_map):
    made = calibration(descriptor=seen_map.spec.as_json(), local=True)
    calibrated = replace(seen_map, calibration=made.as_json())
    proofs = {
        budget: Recognizer.load(
            calibrated, make_config({**PIXELS, 'rerank_budget': budget})
        ).calibration.proof
        for budget in (NOTHING, PLENTY)
    }
    assert proofs[PLENTY] == made.proof
    assert proofs[NOTHING] == pytest.approx(WITHOUT_LOCAL * made.proof)


def test_a_reloaded_map_is_planned_when_it_gets_local_descriptors(seen_map):
    config = make_config({**PIXELS, 'rerank_budget': NOTHING})
    recognizer = Recognizer.load(replace(seen_map, local=None), config)
    assert (recognizer.local_words, recognizer.local_doubt) == ('', '')
    recognizer.reload(seen_map)
    assert recognizer.local_doubt


def test_the_measurement_is_of_the_maps_own_places(seen_map, monkeypatch):
    compared = []
    real = local_budget.LocalComparison.compare

    def noted(self, states):
        compared.append(len(states))
        real(self, states)

    monkeypatch.setattr(local_budget.LocalComparison, 'compare', noted)
    Recognizer.load(seen_map, make_config(PIXELS))
    assert compared == [4] * (1 + local_budget.ROUNDS)
