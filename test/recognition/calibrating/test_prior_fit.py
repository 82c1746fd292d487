"""The prior is fitted to the samples of many worlds, each of which counts the same."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.recognition.calibrating.fitting import fit, UNKNOWN_SHARE
from husky_placerec.recognition.calibrating.prior_fit import fit_prior
from husky_placerec.recognition.calibrating.samples import MASKED, Samples, WHOLE
from husky_placerec.recognition.evidence import ALL_EVIDENCE, COLUMNS, EVIDENCE, OWN_SCALE
import numpy as np
import pytest

LEAD = EVIDENCE.index('lead')


def samples(count, seed=0, helpful=True, partial=False):
    """Make samples of compared places; in a helpful world the right ones have more evidence."""
    rng = np.random.default_rng(seed)
    true = np.arange(count) % 2 == 0
    evidence = np.full((count, len(COLUMNS)), np.nan)
    evidence[:, : len(ALL_EVIDENCE)] = rng.normal(0, 1, (count, len(ALL_EVIDENCE)))
    if helpful:
        evidence[:, LEAD] += 2.0 * true
    return Samples(
        evidence,
        true,
        np.ones(count),
        np.where(true, WHOLE, MASKED),
        np.arange(count) // 10,
        np.full(count, partial),
    )


def lead_weight(worlds):
    return fit_prior(worlds, 9.0).gate.plain.weights[LEAD]


def test_a_long_drive_counts_no_more_than_a_short_one():
    useless = samples(100, 1, helpful=False), samples(100, 2, helpful=False)
    few = lead_weight({'a': useless, 'b': (samples(100, 3), samples(100, 4))})
    many = lead_weight({'a': useless, 'b': (samples(4000, 3), samples(4000, 4))})
    alone = lead_weight({'b': (samples(100, 3), samples(100, 4))})
    assert few == pytest.approx(many, rel=0.25)
    assert max(few, many) < 0.8 * alone


def test_evidence_of_an_own_scale_gets_no_weight():
    prior = fit_prior({'a': (samples(200), samples(200, 1))}, 9.0)
    for name in OWN_SCALE:
        for made in (prior.gate, prior.partial, prior.place):
            assert made.plain.weights[EVIDENCE.index(name)] == 0
            assert made.local.weights[ALL_EVIDENCE.index(name)] == 0


def test_frames_that_lack_a_camera_have_a_prior_of_their_own_where_there_are_any():
    whole, partial = samples(200), samples(200, 5, helpful=False, partial=True)
    both = Samples(
        *(np.concatenate(each) for each in zip(vars(whole).values(), vars(partial).values()))
    )
    prior = fit_prior({'a': (both, whole)}, 9.0)
    assert prior.partial.plain.weights[LEAD] < 0.3 < prior.gate.plain.weights[LEAD]
    only = fit_prior({'a': (whole, whole)}, 9.0)
    assert only.partial.as_json() == only.gate.as_json()


def test_the_prior_tells_what_it_was_learned_on():
    gate = samples(200)
    wrong = replace(gate, origin=np.full(200, WHOLE))  # half of the frames are wrong
    prior = fit_prior({'a': (gate, gate), 'b': (wrong, wrong)}, 7.5)
    assert prior.worlds == ('a', 'b') and prior.proof == 7.5
    assert prior.found == pytest.approx((0.95 + 0.5) / 2)


def test_a_single_world_is_fitted_as_a_drive_is():
    gate = samples(300)
    alone = fit(gate.balanced(UNKNOWN_SHARE), without=OWN_SCALE)
    assert fit_prior({'a': (gate, gate)}, 9.0).gate.plain.weights == pytest.approx(
        alone.plain.weights, abs=0.2
    )
