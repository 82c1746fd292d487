"""The calibrations that a network brings along, for maps of simulated drives."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.config import Config, make_config
from husky_placerec.errors import InputError
from husky_placerec.recognition.shipped_calibration import (
    calibration_for,
    read_defaults,
    save_default,
)
import pytest
from support.builders import random_map, spec
from support.calibrations import calibration
from support.local_features import local_of
from support.needs import needs

OFF = make_config({'rerank': 'off'})


@pytest.fixture
def place_map():
    return replace(random_map(), simulated=True)


@pytest.fixture
def network(tmp_path):
    """Return a descriptor with weights in a file of its own."""
    return spec(weights=str(tmp_path / 'net.onnx'))


def shipped(tmp_path, network, **changes):
    """Save a default for a network; return the file."""
    file = tmp_path / 'net.onnx.calibration.json'
    save_default(file, calibration(descriptor=network.as_json(), kind='simulated', **changes))
    return file


@needs('sklearn')
def test_the_default_counts_for_uncalibrated_maps_of_simulated_drives_only(
    place_map, network, tmp_path
):
    assert calibration_for(place_map, network).kind == 'prior'
    shipped(tmp_path, network)
    assert calibration_for(place_map, network).kind == 'simulated'
    assert calibration_for(replace(place_map, simulated=False), network).kind == 'prior'
    whitened = replace(place_map, whitening=place_map.fit_whitening())
    assert calibration_for(whitened, network).kind == 'prior'
    own = replace(place_map, calibration=calibration().as_json())
    assert calibration_for(own, network).kind == 'own'


@pytest.mark.parametrize(
    'change',
    [{'pinhole_focal': 0.7}, {'precision': 'bfloat16'}, {'cameras': ('front', 'back', 'left')}],
    ids=str,
)
def test_the_default_counts_for_every_view_through_the_same_weights(
    place_map, network, tmp_path, change
):
    """Its evidence is in deviations of the cohort, whose scale is the view's own."""
    shipped(tmp_path, network)
    other = replace(network, **change)
    made = calibration_for(place_map, other)
    made.require_of(replace(place_map, spec=other))


def test_a_proof_with_local_descriptors_counts_more_without_them(place_map, network, tmp_path):
    shipped(tmp_path, network, proof=8.0, guessed_proof=10.0, local=True)
    whole = replace(place_map, local=local_of(len(place_map)))
    plain, off, made = (
        calibration_for(each, network, config)
        for each, config in ((place_map, Config()), (whole, OFF), (whole, Config()))
    )
    assert (made.proof, made.guessed_proof) == (8.0, 10.0)
    assert (plain.proof, plain.guessed_proof) == (off.proof, off.guessed_proof)
    assert (plain.proof, plain.guessed_proof) == pytest.approx((8.96, 11.2))
    own = calibration(proof=8.0, local=True).as_json()
    assert calibration_for(replace(whole, calibration=own), network, OFF).proof == 12.0
    own = calibration(proof=8.0).as_json()
    assert calibration_for(replace(whole, calibration=own), network, OFF).proof == 8.0


def test_the_default_of_other_weights_does_not_count(place_map, network, tmp_path):
    shipped(tmp_path, replace(network, weights_sha256='a' * 64))
    assert calibration_for(place_map, network).kind == 'prior'
    same = replace(network, weights_sha256='a' * 64)
    assert calibration_for(place_map, same).kind == 'simulated'


def test_a_damaged_file_is_refused(place_map, network, tmp_path):
    file = shipped(tmp_path, network)
    file.write_text('{')
    with pytest.raises(InputError, match=r'net\.onnx\.calibration\.json: expected a JSON list'):
        calibration_for(place_map, network)


def test_a_model_has_one_default(place_map, network, tmp_path):
    for found in (0.2, 0.4):
        file = shipped(tmp_path, network, found=found)
    (made,) = read_defaults(file)
    assert made.found == calibration_for(place_map, network).found == 0.4
