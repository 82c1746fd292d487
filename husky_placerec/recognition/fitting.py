"""Models of the evidence, fitted to samples; scikit-learn is needed for this alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from husky_placerec.recognition.evidence import EVIDENCE
from husky_placerec.recognition.logistic import bounded, Logistic
from husky_placerec.recognition.reliability import (
    PRECISIONS,
    recall_at,
    Reliability,
    upper_bound,
)
from husky_placerec.recognition.samples import MASKED, Row, Samples, UNKNOWN, WHOLE
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Of a state that is followed agreement tells nothing that its lead does not.
CANDIDATES_ONLY = ('agreement',)
UNKNOWN_SHARE = 1 / 3  # of the frames, off the map
FOLDS = 5
REGULARISATION = 1.0  # scikit-learn's C: evidence that never fails does not make one certain


def fit(samples: Samples, wide: bool, without: Sequence[str] = ()) -> Logistic:
    """
    Fit a logistic model.

    :param wide: bound the evidence around all of it, not around what is usual where it is right.
        For a map alone: where its own frames are right they are more alike than those of any other
        light, beside which all would look wrong.
    :param without: evidence that is not to count.
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
    Fit a model to frames with all cameras, and one to those without some.

    One camera has other similarities and leads than two, and they tell less. Where there is too
    little to learn that from, the first is both.
    """
    gate = fit(samples.whole.balanced(UNKNOWN_SHARE), wide)
    partial = samples.chosen(samples.partial)
    if not partial.true.any() or partial.true.all():
        return gate, gate
    return gate, fit(partial.balanced(UNKNOWN_SHARE), wide)


def fit_place(rows: Sequence[Row], wide: bool) -> Logistic:
    """Fit the likelihood to whole frames: of a camera alone it is not known what it follows."""
    return fit(Samples.join(rows).whole, wide, without=CANDIDATES_ONLY)


def found_share(samples: Samples) -> float:
    """Return how often the best candidate is right of a place that the map knows."""
    whole = samples.whole
    return float(np.clip(whole.true[whole.origin == WHOLE].mean(), 0.05, 0.95))


def held_out(samples: Samples, wide: bool) -> Floats:
    """Return [N] probabilities by models that were fitted to other neighbourhoods."""
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
    """Return how the gate does on neighbourhoods that it was not fitted to, with all cameras."""
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
