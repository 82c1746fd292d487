"""What decides on a map that is not calibrated."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.config import make_config
from husky_placerec.errors import InputError
from husky_placerec.recognition.calibration import Calibration
from husky_placerec.recognition.descriptor_recognizer import DescriptorRecognizer
from husky_placerec.recognition.prior import shipped_prior
from husky_placerec.recognition.shipped_calibration import calibration_for
from husky_placerec.recognition.uncalibrated import uncalibrated
import numpy as np
import pytest
from support.builders import straight_map
from support.local_features import local_of

COUNT = 40
PIXELS = {'extractor': 'pixels'}


@pytest.fixture(scope='module')
def place_map():
    return straight_map(COUNT)


def test_the_prior_decides_by_stricter_rules(place_map):
    made = calibration_for(place_map, place_map.spec)
    prior = shipped_prior()
    assert (made.kind, made.grade, made.found) == ('prior', 'weak', prior.found)
    assert made.gate is prior.gate and made.place is prior.place
    assert 'run placerec calibrate' in made.weakness
    # Without local descriptors 1.5 times as much proof is asked.
    whole = replace(place_map, local=local_of(COUNT))
    compared = calibration_for(whole, place_map.spec)
    off = calibration_for(whole, place_map.spec, make_config({'rerank': 'off'}))
    assert (compared.proof, compared.guessed_proof) == (1.5 * prior.proof, 3.0 * prior.proof)
    assert made.proof == off.proof == 1.5 * compared.proof
    made.require_of(place_map)


def test_thresholds_decide_where_they_are_asked_for(place_map):
    config = make_config({'uncalibrated': 'thresholds'})
    assert calibration_for(place_map, place_map.spec, config) is None


def test_no_file_can_pretend_to_be_the_prior(place_map):
    values = uncalibrated(place_map).as_json()
    with pytest.raises(InputError, match="calibration is 'prior'"):
        Calibration.from_json(values, 'stranger.map')


def test_no_single_frame_is_accepted_and_the_pose_is_as_wide_as_what_is_not_known(place_map):
    config = make_config(PIXELS)
    made = calibration_for(place_map, place_map.spec, config)
    recognizer = DescriptorRecognizer(place_map, config, made)
    result = recognizer.search(place_map.descriptors[7].astype(np.float32))
    said = recognizer.decide(0, {}, result)
    assert not said.accepted and not said.measurement.accepted
    assert said.measurement.covariance[0] >= 25.0 - 1e-6
