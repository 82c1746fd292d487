"""
The default calibration of the shipped network for simulated maps.

The models of the evidence are those of the prior, which was learned on campuses and on real sets.
The null is measured on the calibration campuses: on `hard`, whose roads look alike, by drives in
both directions. So are the errors of poses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from decision_worlds import World
from husky_placerec.config import Config
from husky_placerec.recognition.calibrating.calibrate import calibrate
from husky_placerec.recognition.calibrating.leave_out import Setting
from husky_placerec.recognition.calibration import Calibration, SIMULATED
from husky_placerec.recognition.prior import shipped_prior

# The null of three campuses is 18.6. With it 87 of 14,300 frames off the maps of campuses 108 to
# 110 were accepted, on roads that look like mapped ones; with 25 there are 5.
LEAST_PROOF, LEAST_GUESSED = 25.0, 26.0


def default_calibration(worlds: Sequence[World], config: Config) -> Calibration:
    """
    Return the default calibration.

    :param worlds: the calibration campuses by the protocol `hard`.
    """
    settings = [
        Setting(each.place_map, tuple(d.described for d in (*each.driven, *each.reversed)))
        for each in worlds
    ]
    made = calibrate(settings, config, kind=SIMULATED, prior=shipped_prior())
    most = max(made.proof, LEAST_PROOF)
    return replace(made, proof=most, guessed_proof=max(made.guessed_proof, LEAST_GUESSED))
