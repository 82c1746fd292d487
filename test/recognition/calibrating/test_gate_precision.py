"""The precision of a gate: measured on frames that it did not see, or said to be unknown."""

from __future__ import annotations

from husky_placerec.config import make_config
from husky_placerec.recognition.calibrating.gate_precision import gate_precision
from support.validation_maps import drive

NEEDS = ('sklearn',)

CONFIG = make_config({'min_probability': 0.5})


def test_a_gate_by_the_same_look_is_precise_and_worse_by_a_look_that_is_all_noise():
    place_map = drive(count=60)
    clear = gate_precision(place_map, drive(seed=1, look=0, count=60, noise=0.02), CONFIG)
    assert clear.precision > 0.95
    assert clear.accepted > 30
    assert clear.why == ''
    blurred = gate_precision(place_map, drive(seed=1, look=0, count=60, noise=0.3), CONFIG)
    assert (blurred.precision or 0) < clear.precision


def test_the_threshold_is_that_of_the_configuration():
    place_map, driven = drive(count=60), drive(seed=1, look=0, count=60, noise=0.15)
    few, many = (
        gate_precision(place_map, driven, make_config({'min_probability': least}))
        for least in (0.95, 0.5)
    )
    assert few.accepted < many.accepted
    assert few.precision is None or few.precision > many.precision


def test_a_drive_that_is_too_short_has_no_precision_but_a_reason():
    found = gate_precision(drive(count=40), drive(seed=1, look=0, count=6, noise=0.02), CONFIG)
    assert found.precision is None
    assert 'frames are' in found.why
