"""Models of the evidence, fitted to the calibration set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from husky_placerec.recognition.calibrating.logistic_fit import fit_weights
from husky_placerec.recognition.calibrating.reliability import (
    PRECISIONS,
    recall_at,
    Reliability,
    upper_bound,
)
from husky_placerec.recognition.calibrating.samples import MASKED, Samples, UNKNOWN, WHOLE
from husky_placerec.recognition.evidence import (
    ALL_EVIDENCE,
    COLUMNS,
    EVIDENCE,
    OWN_SCALE,
    SUPPLEMENTS,
)
from husky_placerec.recognition.evidence_model import EvidenceModel
from husky_placerec.recognition.logistic import bounded, Logistic
from husky_placerec.recognition.metric_comparison import METRIC_EVIDENCE
from husky_placerec.recognition.prior import Prior
from husky_placerec.recognition.supplement import Supplement
from husky_placerec.types import Floats, Mask
import numpy as np

UNKNOWN_SHARE = 1 / 3  # assumed share of the frames that are off the map
FOLDS = 5
# Strengths of the shrinkage, in frames. Without a prior, the weights are shrunk to none: it keeps
# probabilities below 1 where no sample is wrong. To a prior the bias is shrunk less than the
# weights: it differs most from world to world.
REGULARISATION = 1.0
WEIGHT_STRENGTH, BIAS_STRENGTH = 3.0, 1.0
SUPPLEMENT_SCALE = 0.3  # of evidence of supplements, which lies between -1 and 1
# Signs of evidence that speaks against a place; all other speaks for it.
SIGNS = {'disagreement': -1.0, 'text_contradiction': -1.0}


def fit(
    samples: Samples, prior: EvidenceModel | None = None, without: Sequence[str] = ()
) -> EvidenceModel:
    """
    Fit the logistic models of bounded evidence: one for all places, one for compared ones.

    :param prior: to which the weights are shrunk, and whose bounds are used; None: to no weight,
        with bounds about the right samples.
    :param without: names of evidence that gets no weight.
    """
    plain = replace(samples, evidence=samples.evidence[:, : len(EVIDENCE)])
    every = replace(samples, evidence=samples.evidence[:, : len(ALL_EVIDENCE)])
    compared = every.chosen(np.asarray(np.isfinite(every.evidence).all(axis=1)))
    local = None
    if compared.true.any() and not compared.true.all():
        known = None if prior is None else prior.local
        local = _fit(compared, ALL_EVIDENCE, known, without)
    known = None if prior is None else prior.plain
    return EvidenceModel(_fit(plain, EVIDENCE, known, without), local)


def _fit(
    samples: Samples, names: tuple[str, ...], prior: Logistic | None, without: Sequence[str]
) -> Logistic:
    true, weight = samples.true, samples.weight
    signs = np.array([0.0 if name in without else SIGNS.get(name, 1.0) for name in names])
    odds = float(np.log(weight[true].sum() / weight[~true].sum()))
    usual, counts = samples.evidence[true], weight[true]
    mean: Floats = np.average(usual, axis=0, weights=counts)
    spread = np.average(np.square(usual - mean), axis=0, weights=counts)
    scale: Floats = np.where(spread > 1e-12, np.sqrt(spread), 1.0)
    centre = np.zeros(len(names) + 1)
    strength = np.append(np.full(len(names), REGULARISATION), 0.0)
    if prior is not None:
        known = ~np.isin(names, OWN_SCALE)
        mean, scale = (
            np.where(known, *each) for each in ((prior.mean, mean), (prior.scale, scale))
        )
        # The likelihood ratio of the prior holds here, not the share of right samples there.
        centre = np.append(prior.weights, prior.bias - prior.prior + odds)
        strength = np.append(np.full(len(names), WEIGHT_STRENGTH), BIAS_STRENGTH)
    seen = bounded(samples.evidence, mean, scale)
    found = fit_weights(seen, true, weight, signs, centre, strength)
    return Logistic(names, mean, scale, found[:-1], float(found[-1]), odds)


def fit_gate(samples: Samples, prior: EvidenceModel | None = None) -> EvidenceModel:
    """
    Fit a gate: the models of all evidence, and what evidence adds that only some frames have.

    :param prior: as in `fit`.
    """
    made = fit(samples, prior)
    for names in SUPPLEMENTS:
        columns = [COLUMNS.index(name) for name in names]
        there: Mask = np.asarray(np.isfinite(samples.evidence[:, columns]).all(axis=1))
        known = [] if prior is None else [p for p in prior.added if p.model.names == names]
        some = samples.chosen(there)
        # That a frame is solved at all tells something, where no wrong place is ever solved.
        alone = names == METRIC_EVIDENCE and not samples.true.all()
        if some.true.any() and (alone or not some.true.all()):
            added = _fit_supplement(some, names, columns, made.log_odds(some.evidence), known)
            made = replace(made, added=(*made.added, added))
        else:
            made = replace(made, added=(*made.added, *known))
    return made


def _fit_supplement(
    samples: Samples,
    names: tuple[str, ...],
    columns: Sequence[int],
    offset: Floats,
    known: Sequence[Supplement],
) -> Supplement:
    """
    Fit what evidence adds to the log odds by all other evidence.

    :param offset: [N] these log odds.
    :param known: the prior, to which it is shrunk; empty: to nothing.
    """
    seen = samples.evidence[:, columns]
    centre = np.zeros(len(names) + 1)
    mean, scale = np.median(seen[samples.true], axis=0), np.full(len(names), SUPPLEMENT_SCALE)
    if known:
        mean, scale = known[0].model.mean, known[0].model.scale
        centre = np.append(known[0].model.weights, known[0].model.bias)
    signs = np.array([SIGNS.get(name, 1.0) for name in names])
    strength = np.append(np.full(len(names), WEIGHT_STRENGTH), BIAS_STRENGTH)
    bounds = bounded(seen, mean, scale)
    found = fit_weights(bounds, samples.true, samples.weight, signs, centre, strength, offset)
    return Supplement(Logistic(names, mean, scale, found[:-1], float(found[-1]), 0.0))


def fit_gates(samples: Samples, prior: Prior | None = None) -> tuple[EvidenceModel, EvidenceModel]:
    """
    Fit a gate to frames with all cameras, and another to frames that lack a camera.

    One camera has other similarities and leads than two, and they tell less. The first gate serves
    for both where the samples of single cameras are all right or all wrong.
    """
    whole = samples.whole.balanced(UNKNOWN_SHARE)
    gate = fit_gate(whole, None if prior is None else prior.gate)
    partial = samples.chosen(samples.partial)
    if not partial.true.any() or partial.true.all():
        return gate, gate
    known = None if prior is None else prior.partial
    return gate, fit_gate(partial.balanced(UNKNOWN_SHARE), known)


def fit_place(
    samples: Samples, prior: Prior | None = None, added: tuple[Supplement, ...] = ()
) -> EvidenceModel:
    """
    Fit the likelihood of the route filter to frames with all cameras.

    :param added: of the gate. Only the best places of a frame have this evidence, so that there is
        none of random places to fit it to.
    """
    known = None if prior is None else prior.place
    return replace(fit(samples.whole, known), added=added)


def found_share(samples: Samples) -> float:
    """Return the share of the frames on the map whose best candidate is right."""
    whole = samples.whole
    return float(np.clip(whole.true[whole.origin == WHOLE].mean(), 0.05, 0.95))


def held_out(samples: Samples, prior: EvidenceModel | None = None) -> Floats:
    """Return [N] probabilities by models that were fitted to other groups (cross-validation)."""
    from sklearn.model_selection import GroupKFold

    groups = len(np.unique(samples.group))
    probability = np.full(len(samples.true), np.nan)
    if groups < 2:
        return fit_gate(samples, prior).probability(samples.evidence)
    folds = GroupKFold(min(FOLDS, groups))
    for train, test in folds.split(samples.evidence, samples.true, samples.group):
        rows = np.zeros(len(samples.true), np.bool_)
        rows[train] = True
        part = samples.chosen(rows)
        if part.true.all() or not part.true.any():
            part = samples
        probability[test] = fit_gate(part, prior).probability(samples.evidence[test])
    return probability


def gate_figures(samples: Samples, prior: Prior | None = None) -> dict[str, Any]:
    """Return the cross-validated figures of the gate, for frames with all cameras."""
    whole = samples.whole.balanced(UNKNOWN_SHARE)
    probability = held_out(whole, None if prior is None else prior.gate)
    known = whole.origin == WHOLE
    count, wrong = int(known.sum()), int((known & ~whole.true).sum())
    reliability = Reliability.of(probability, whole.true, whole.weight)
    recalls = {}
    for precision in PRECISIONS:
        recall, least = recall_at(precision, probability, whole.true, count)
        recalls[f'{precision:g}'] = {'recall': recall, 'probability': least}
    return {
        'frames': count,
        'wrong': wrong,
        'wrong_at_most': upper_bound(wrong, count),
        'unknown': int((whole.origin == UNKNOWN).sum()),
        'made_unknown': int((whole.origin == MASKED).sum()),
        'expected_calibration_error': reliability.error,
        'reliability': reliability.as_json(),
        'recall_at_precision': recalls,
    }
