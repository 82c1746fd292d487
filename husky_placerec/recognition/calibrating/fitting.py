"""Models of the evidence, fitted to the calibration set; this alone needs scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from husky_placerec.recognition.calibrating.reliability import (
    PRECISIONS,
    recall_at,
    Reliability,
    upper_bound,
)
from husky_placerec.recognition.calibrating.samples import MASKED, Row, Samples, UNKNOWN, WHOLE
from husky_placerec.recognition.evidence import EVIDENCE
from husky_placerec.recognition.logistic import bounded, Logistic
from husky_placerec.types import Floats
import numpy as np

# For a followed state the agreement of the candidates adds nothing to its lead.
CANDIDATES_ONLY = ('agreement',)
UNKNOWN_SHARE = 1 / 3  # assumed share of the frames that are off the map
FOLDS = 5
REGULARISATION = 1.0  # scikit-learn's C; it keeps probabilities below 1 where no sample is wrong


def fit(samples: Samples, wide: bool, without: Sequence[str] = ()) -> Logistic:
    """
    Fit a logistic model of bounded evidence.

    :param wide: centre the bounds on all samples instead of the right ones. A map that is
        calibrated by its own frames needs it: these are more alike than frames of any other light,
        and beside them every other right frame would look wrong.
    :param without: names of evidence that gets no weight.
    """
    from sklearn.linear_model import LogisticRegression

    true, weight = samples.true, samples.weight
    around = true | wide
    usual = samples.evidence[around]
    mean = np.average(usual, axis=0, weights=weight[around])
    spread = np.average(np.square(usual - mean), axis=0, weights=weight[around])
    scale = np.where(spread > 1e-12, np.sqrt(spread), 1.0)
    model = LogisticRegression(C=REGULARISATION, max_iter=1000)
    seen = bounded(samples.evidence, mean, scale)
    seen[:, [EVIDENCE.index(name) for name in without]] = 0.0
    model.fit(seen, true, sample_weight=weight)
    for_it, against = weight[true].sum(), weight[~true].sum()
    bias, prior = float(model.intercept_[0]), float(np.log(for_it / against))
    return Logistic(EVIDENCE, mean, scale, model.coef_[0], bias, prior)


def fit_gates(samples: Samples, wide: bool = False) -> tuple[Logistic, Logistic]:
    """
    Fit a gate to frames with all cameras, and another to frames that lack a camera.

    One camera has other similarities and leads than two, and they tell less. The first gate serves
    for both where the samples of single cameras are all right or all wrong.
    """
    gate = fit(samples.whole.balanced(UNKNOWN_SHARE), wide)
    partial = samples.chosen(samples.partial)
    if not partial.true.any() or partial.true.all():
        return gate, gate
    return gate, fit(partial.balanced(UNKNOWN_SHARE), wide)


def fit_place(rows: Sequence[Row], wide: bool) -> Logistic:
    """Fit the likelihood of the route filter to frames with all cameras."""
    return fit(Samples.join(rows).whole, wide, without=CANDIDATES_ONLY)


def found_share(samples: Samples) -> float:
    """Return the share of the frames on the map whose best candidate is right."""
    whole = samples.whole
    return float(np.clip(whole.true[whole.origin == WHOLE].mean(), 0.05, 0.95))


def held_out(samples: Samples, wide: bool) -> Floats:
    """Return [N] probabilities by models that were fitted to other groups (cross-validation)."""
    from sklearn.model_selection import GroupKFold

    groups = len(np.unique(samples.group))
    probability = np.full(len(samples.true), np.nan)
    if groups < 2:
        return fit(samples, wide).probability(samples.evidence)
    folds = GroupKFold(min(FOLDS, groups))
    for train, test in folds.split(samples.evidence, samples.true, samples.group):
        rows = np.zeros(len(samples.true), np.bool_)
        rows[train] = True
        part = samples.chosen(rows)
        if part.true.all() or not part.true.any():
            part = samples
        probability[test] = fit(part, wide).probability(samples.evidence[test])
    return probability


def gate_figures(samples: Samples, wide: bool = False) -> dict[str, Any]:
    """Return the cross-validated figures of the gate, for frames with all cameras."""
    whole = samples.whole.balanced(UNKNOWN_SHARE)
    probability = held_out(whole, wide)
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
