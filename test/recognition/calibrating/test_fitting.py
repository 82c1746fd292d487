"""Models fitted to samples: by their weights, without the evidence that they may not use."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.recognition.calibrating.fitting import (
    fit,
    fit_gate,
    fit_gates,
    fit_place,
    found_share,
    gate_figures,
    held_out,
    SIGNS,
    UNKNOWN_SHARE,
)
from husky_placerec.recognition.calibrating.samples import MASKED, Samples, UNKNOWN, WHOLE
from husky_placerec.recognition.evidence import ALL_EVIDENCE, COLUMNS, EVIDENCE, OWN_SCALE
from husky_placerec.recognition.logistic import bounded
from husky_placerec.recognition.metric_comparison import METRIC_EVIDENCE
from husky_placerec.recognition.prior import Prior
from husky_placerec.recognition.supplement import Supplement
from husky_placerec.recognition.text_comparison import TEXT_EVIDENCE
import numpy as np
import pytest
from scipy.optimize import minimize
from support.calibrations import logistic

NEEDS = ('sklearn',)

LEAD = EVIDENCE.index('lead')


def samples(count=60, seed=0, compared=False, **columns):
    """
    Make samples of which the right ones have larger evidence, in groups of ten.

    :param compared: whether the places were compared by local descriptors.
    """
    rng = np.random.default_rng(seed)
    true = np.arange(count) % 2 == 0
    evidence = np.full((count, len(COLUMNS)), np.nan)
    known = len(ALL_EVIDENCE) if compared else len(EVIDENCE)
    evidence[:, :known] = rng.normal(0, 1, (count, len(ALL_EVIDENCE)))[:, :known] + true[:, None]
    values = {
        'evidence': evidence,
        'true': true,
        'weight': rng.uniform(0.5, 2.0, count),
        'origin': np.where(true, WHOLE, MASKED),
        'group': np.arange(count) // 10,
        'partial': np.zeros(count, bool),
    }
    return Samples(**{**values, **columns})


@pytest.mark.parametrize(('compared', 'names'), [(False, EVIDENCE), (True, ALL_EVIDENCE)])
def test_a_model_has_the_least_regularised_loss_of_its_signs(compared, names):
    some = samples(compared=compared)
    made = fit(some)
    assert (made.local is None) != compared
    model = made.local if compared else made.plain
    seen = bounded(some.evidence[:, : len(names)], model.mean, model.scale)
    signs = [SIGNS.get(name, 1.0) for name in names]

    def loss(parameters):
        odds = seen @ parameters[:-1] + parameters[-1]
        per_sample = np.logaddexp(0, np.where(some.true, -odds, odds))
        return some.weight @ per_sample + 0.5 * np.square(parameters[:-1]).sum()

    bounds = [(0, None) if sign > 0 else (None, 0) for sign in signs] + [(None, None)]
    best = minimize(loss, np.zeros(len(names) + 1), bounds=bounds, tol=1e-12).x
    assert model.names == names
    assert model.weights == pytest.approx(best[:-1], abs=1e-2)
    assert model.bias == pytest.approx(best[-1], abs=1e-2)
    for_it, against = some.weight[some.true].sum(), some.weight[~some.true].sum()
    assert model.prior == pytest.approx(np.log(for_it / against))


def test_the_bounds_are_centred_on_the_right_samples():
    some = samples()
    weight, evidence = some.weight[some.true, None], some.evidence[some.true, : len(EVIDENCE)]
    mean = (weight * evidence).sum(axis=0) / weight.sum()
    variance = (weight * (evidence - mean) ** 2).sum(axis=0) / weight.sum()
    model = fit(some).plain
    assert model.mean == pytest.approx(mean)
    assert model.scale == pytest.approx(np.sqrt(variance))


def test_evidence_that_never_changes_has_a_scale_of_one():
    some = samples()
    some.evidence[:, LEAD] = 0.3
    model = fit(some).plain
    assert model.scale[LEAD] == 1.0
    assert model.weights[LEAD] == pytest.approx(0.0, abs=1e-6)


def test_evidence_that_a_model_may_not_use_has_no_weight():
    found = fit(samples(), without=('lead', 'agreement')).plain
    unused = dict(zip(EVIDENCE, found.weights.tolist()))
    assert unused['lead'] == unused['agreement'] == 0
    assert unused['similarity'] > 0


def test_few_samples_keep_the_prior_and_many_replace_it():
    prior = fit(samples(2000, seed=7))
    contrary = samples(40, seed=1)
    contrary.evidence[:, LEAD] = 0.0
    lead = prior.plain.weights[LEAD]
    few = fit(contrary.chosen(np.arange(40) < 2), prior).plain
    assert few.weights == pytest.approx(prior.plain.weights, abs=0.35)
    many = samples(4000, seed=1)
    many.evidence[:, LEAD] = np.random.default_rng(2).normal(size=4000)  # tells nothing here
    assert fit(many, prior).plain.weights[LEAD] < 0.2 * lead


def test_the_likelihood_ratio_of_the_prior_is_kept_whatever_the_share_of_right_samples():
    prior = fit(samples(400, seed=7))
    right = samples(30, seed=3)
    few = replace(right, weight=np.where(right.true, 1e-6, 1e-7))  # ten times as many, no data
    made = fit(few, prior)
    seen = samples(20, seed=9).evidence
    assert made.plain.prior != pytest.approx(prior.plain.prior, abs=0.5)
    own = np.isin(EVIDENCE, OWN_SCALE)
    bounds = made.plain.mean, prior.plain.mean
    assert np.array_equal(*(each[~own] for each in bounds))
    weights = made.plain.weights[~own], prior.plain.weights[~own]
    assert weights[0] == pytest.approx(weights[1], abs=1e-3)
    ratio = made.plain.bias - made.plain.prior, prior.plain.bias - prior.plain.prior
    assert ratio[0] == pytest.approx(ratio[1], abs=1e-3)
    assert np.isfinite(made.log_ratio(seen)).all()


def rows_of(some):
    return list(zip(some.evidence, *(column.tolist() for column in list(vars(some).values())[1:])))


def test_the_likelihood_of_a_place_is_of_whole_frames():
    whole, partial = samples(), samples(seed=1, partial=np.ones(60, bool))
    model = fit_place(joined(whole, partial))
    assert model.plain.weights == pytest.approx(fit(whole).plain.weights)


def joined(*parts):
    return Samples.join([row for part in parts for row in rows_of(part)])


def same(one, other):
    one, other = vars(one.plain), vars(other.plain)
    return all(np.allclose(one[name], other[name]) for name in list(one)[1:])


def test_frames_that_lack_a_camera_have_a_gate_of_their_own():
    whole, partial = samples(), samples(seed=1, partial=np.ones(60, bool))
    gate, other = fit_gates(joined(whole, partial))
    assert same(gate, fit(whole.balanced(1 / 3)))
    assert same(other, fit(partial.balanced(1 / 3)))
    assert not same(gate, other)
    assert UNKNOWN_SHARE == 1 / 3


def test_each_gate_is_shrunk_to_its_own_prior():
    whole, partial = samples(), samples(seed=1, partial=np.ones(60, bool))
    gates = fit(samples(300, seed=5)), fit(samples(300, seed=6)), fit(samples(300, seed=8))
    prior = Prior(*gates, 0.7, 9.0, ('here',))
    gate, other = fit_gates(joined(whole, partial), prior)
    assert same(gate, fit(whole.balanced(1 / 3), prior.gate))
    assert same(other, fit(partial.balanced(1 / 3), prior.partial))
    assert same(fit_place(whole, prior), fit(whole, prior.place))


@pytest.mark.parametrize('right', [None, True, False])
def test_one_gate_serves_for_both_where_partial_frames_tell_nothing(right):
    parts = [samples()]
    if right is not None:
        partial = samples(seed=1, partial=np.ones(60, bool))
        parts.append(partial.chosen(partial.true == right))
    gate, other = fit_gates(joined(*parts))
    assert gate is other


@pytest.mark.parametrize(
    ('right', 'of', 'share'), [(6, 8, 0.75), (0, 8, 0.05), (8, 8, 0.95), (99, 100, 0.95)]
)
def test_the_share_found_is_of_whole_frames_on_the_map(right, of, share):
    whole = samples(of, true=np.arange(of) < right, origin=np.zeros(of, int))
    masked = samples(10, true=np.zeros(10, bool), origin=np.full(10, MASKED))
    partial = samples(
        10, true=np.zeros(10, bool), origin=np.zeros(10, int), partial=np.ones(10, bool)
    )
    assert found_share(joined(whole, masked, partial)) == pytest.approx(share)


def test_a_held_out_probability_is_by_a_model_of_other_groups():
    some = samples()
    found = held_out(some)
    assert np.isfinite(found).all()
    own = fit(some).probability(some.evidence)
    assert not np.allclose(found, own, atol=1e-6)
    for group in range(6):
        rows = some.group == group
        candidates = [
            fit(some.chosen(~np.isin(some.group, left))).probability(some.evidence[rows])
            for left in ([group], *([group, other] for other in range(6)))
        ]
        assert any(np.allclose(found[rows], each) for each in candidates)


def test_one_group_is_judged_by_its_own_model():
    some = samples(group=np.zeros(60, int))
    assert held_out(some) == pytest.approx(fit(some).probability(some.evidence))


def test_where_the_other_groups_are_all_right_all_samples_count():
    some = samples(20, group=np.array([0] * 10 + [1] * 10))
    some = replace(some, true=np.arange(20) < 5)
    found = held_out(some)
    others = fit(some).probability(some.evidence[:10])
    assert found[:10] == pytest.approx(others)


def test_the_figures_count_whole_frames():
    origin = np.array([WHOLE] * 40 + [MASKED] * 12 + [UNKNOWN] * 8)
    true = (np.arange(60) % 4 != 0) & (origin == WHOLE)
    some = samples(origin=origin, true=true)
    partial = samples(seed=1, partial=np.ones(60, bool))
    figures = gate_figures(joined(some, partial))
    counted = {name: figures[name] for name in ('frames', 'wrong', 'unknown', 'made_unknown')}
    assert counted == {'frames': 40, 'wrong': 10, 'unknown': 8, 'made_unknown': 12}
    assert 0.25 < figures['wrong_at_most'] < 0.4
    assert set(figures['recall_at_precision']) == {'1', '0.99'}
    assert sum(line['share'] for line in figures['reliability']) == pytest.approx(1)
    assert figures['expected_calibration_error'] == pytest.approx(
        sum(b['share'] * abs(b['said'] - b['came_true']) for b in figures['reliability'])
    )
    best = figures['recall_at_precision']['0.99']
    probability = held_out(some.balanced(1 / 3))
    accepted = probability >= (best['probability'] or 2)
    assert best['recall'] == pytest.approx((accepted & true).sum() / 40)


def with_texts(made, rng, informative=True, share=0.5):
    """Return samples of which some have texts, that tell the right ones or nothing."""
    count = len(made.true)
    evidence = made.evidence.copy()
    common = np.where(made.true, 0.9, 0.2) if informative else rng.uniform(0, 1, count)
    read = rng.random(count) < share
    columns = [COLUMNS.index(name) for name in TEXT_EVIDENCE]
    evidence[:, columns] = np.column_stack([common, 1 - common])
    evidence[np.ix_(~read, columns)] = np.nan
    return replace(made, evidence=evidence)


def test_a_gate_learns_what_texts_add_and_frames_without_texts_are_untouched():
    rng = np.random.default_rng(3)
    plain = samples(400)
    made = with_texts(plain, rng)
    without, gate = fit_gate(plain), fit_gate(made)
    assert without.added == () and [s.model.names for s in gate.added] == [TEXT_EVIDENCE]
    common, contradiction = gate.added[0].model.weights
    assert common > 0.5 and contradiction <= 0
    unread = np.isnan(made.evidence[:, COLUMNS.index('text_common')])
    np.testing.assert_array_equal(
        gate.log_odds(made.evidence[unread]), without.log_odds(plain.evidence[unread])
    )
    read, true = ~unread, made.true
    added = gate.log_odds(made.evidence) - without.log_odds(plain.evidence)
    assert added[read & true].min() > 0 > added[read & ~true].max()


def test_texts_that_tell_nothing_add_next_to_nothing():
    rng = np.random.default_rng(4)
    gate = fit_gate(with_texts(samples(400), rng, informative=False))
    assert np.abs(gate.added[0].model.weights).max() < 0.5


def test_a_few_frames_with_texts_hardly_count():
    few = fit_gate(with_texts(samples(400), np.random.default_rng(5), share=0.02))
    many = fit_gate(with_texts(samples(400), np.random.default_rng(5), share=0.9))
    assert few.added[0].model.weights[0] < many.added[0].model.weights[0] / 2


def test_a_prior_supplement_stays_where_no_frame_has_the_evidence():
    known = Supplement(logistic(TEXT_EVIDENCE, text_common=2.0))
    prior = replace(fit(samples()), added=(known,))
    assert fit_gate(samples(), prior).added == (known,)
    learned = fit_gate(with_texts(samples(400), np.random.default_rng(6)), prior).added
    assert len(learned) == 1 and learned[0].model.weights[0] != 2.0


def test_the_likelihood_has_the_supplements_of_the_gate():
    gate = fit_gate(with_texts(samples(400), np.random.default_rng(7)))
    assert fit_place(samples(400), None, gate.added).added == gate.added


def test_that_only_right_places_are_ever_solved_counts_for_a_solved_one():
    plain = samples(400)
    evidence = plain.evidence.copy()
    columns = [COLUMNS.index(name) for name in METRIC_EVIDENCE]
    evidence[np.ix_(plain.true, columns)] = 0.8, 0.9
    gate = fit_gate(replace(plain, evidence=evidence))
    (added,) = gate.added
    solved = evidence[plain.true][:1]
    assert 0.3 < float(added.log_ratio(solved)[0]) < 5
    text = replace(plain, evidence=with_texts(plain, np.random.default_rng(8)).evidence)
    only = replace(text, evidence=np.where(text.true[:, None], text.evidence, plain.evidence))
    assert fit_gate(only).added == ()  # that a sign was read tells nothing
