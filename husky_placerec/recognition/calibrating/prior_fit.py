"""The fit of the prior to the samples of many worlds, each of which counts the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from husky_placerec.recognition.calibrating.fitting import fit, found_share, UNKNOWN_SHARE
from husky_placerec.recognition.calibrating.samples import Samples
from husky_placerec.recognition.evidence import OWN_SCALE
from husky_placerec.recognition.prior import Prior
import numpy as np

FRAMES = 300.0  # that each world counts as


def fit_prior(worlds: Mapping[str, tuple[Samples, Samples]], proof: float) -> Prior:
    """
    Fit the prior.

    :param worlds: the samples of the gate and those of the likelihood, by the name of the world.
    :param proof: as in a Prior.
    """
    gates = [gate for gate, _ in worlds.values()]
    places = [place for _, place in worlds.values()]
    whole = [gate.whole.balanced(UNKNOWN_SHARE) for gate in gates]
    partial = [
        gate.chosen(gate.partial).balanced(UNKNOWN_SHARE)
        for gate in gates
        if gate.partial.any() and not gate.partial.all()
    ]
    return Prior(
        fit(_pooled(whole), without=OWN_SCALE),
        fit(_pooled(partial or whole), without=OWN_SCALE),
        fit(_pooled([place.whole for place in places]), without=OWN_SCALE),
        float(np.mean([found_share(gate) for gate in gates])),
        proof,
        tuple(worlds),
    )


def _pooled(parts: Sequence[Samples]) -> Samples:
    """Join samples so that each part has the weight of FRAMES frames."""
    scaled = [replace(p, weight=p.weight * (FRAMES / p.weight.sum())) for p in parts]
    columns = zip(*(vars(part).values() for part in scaled))
    return Samples(*(np.concatenate(each) for each in columns))
