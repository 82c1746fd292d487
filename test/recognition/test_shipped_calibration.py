"""The calibrations that a network brings along, for maps of simulated drives."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.errors import InputError
from husky_placerec.recognition.shipped_calibration import (
    calibration_for,
    read_defaults,
    save_default,
)
import pytest
from support.builders import random_map, spec
from support.calibrations import calibration
from support.needs import needs


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
    assert calibration_for(place_map, network) is None
    shipped(tmp_path, network)
    assert calibration_for(place_map, network).kind == 'simulated'
    assert calibration_for(replace(place_map, simulated=False), network) is None
    whitened = replace(place_map, whitening=place_map.fit_whitening())
    assert calibration_for(whitened, network) is None
    own = replace(place_map, calibration=calibration().as_json())
    assert calibration_for(own, network).kind == 'own'


def test_the_default_of_another_precision_does_not_count(place_map, network, tmp_path):
    shipped(tmp_path, network)
    assert calibration_for(place_map, replace(network, precision='bfloat16')) is None


def test_a_damaged_file_is_refused(place_map, network, tmp_path):
    file = shipped(tmp_path, network)
    file.write_text('{')
    with pytest.raises(InputError, match=r'net\.onnx\.calibration\.json: expected a JSON list'):
        calibration_for(place_map, network)


def test_a_model_has_a_default_for_each_preprocessing(place_map, network, tmp_path):
    pinhole = replace(network, pinhole_focal=0.7)
    for trust, each in ((0.2, network), (0.4, pinhole), (0.6, pinhole)):
        file = shipped(tmp_path, each, trust=trust)
    assert len(read_defaults(file)) == 2
    assert calibration_for(place_map, network).trust == 0.2
    assert calibration_for(place_map, pinhole).trust == 0.6
    assert calibration_for(place_map, replace(network, pinhole_focal=0.9)) is None
