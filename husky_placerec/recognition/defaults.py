"""
The calibration that a model brings along, from simulated campuses.

It lies next to the weights, and counts for maps of simulated drives only: how unlike a real road
is to another, no simulation tells.
"""

from __future__ import annotations

import json
from pathlib import Path

from husky_placerec.descriptor.shipped import weights_file
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.errors import InputError
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.calibration import Calibration, calibration_of

SUFFIX = '.calibration.json'  # after the name of the weights


def calibration_for(place_map: PlaceMap, spec: DescriptorSpec) -> Calibration | None:
    """
    Return the calibration of a map, else the default of its model where that counts.

    :param spec: of the model that runs.
    :raises InputError: for a calibration that is damaged, or one of the map that is of another
        model.
    """
    own = calibration_of(place_map)
    if own is not None or not place_map.simulated or place_map.whitening is not None:
        return own
    file = Path(weights_file(spec.weights, '.onnx') + SUFFIX)
    if not spec.weights or not file.is_file():
        return None
    try:
        made = Calibration.from_json(json.loads(file.read_text(encoding='utf-8')), str(file))
    except (OSError, ValueError) as error:
        raise InputError(f'{file}: cannot be read as JSON ({error})') from error
    same = not spec.differences(DescriptorSpec.from_json(made.descriptor, str(file)))
    return made if same else None
