"""
The calibration that the shipped network brings along, measured on simulated campuses.

They lie next to its weights. They are used for maps of simulated drives only, because a simulation
does not tell how much real roads resemble each other.
"""

from __future__ import annotations

from dataclasses import replace
import json
from pathlib import Path

from husky_placerec.config import Config
from husky_placerec.descriptor.shipped import weights_file
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.documents import read_json
from husky_placerec.errors import InputError
from husky_placerec.files import write_atomic
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.calibration import Calibration, calibration_of, SIMULATED
from husky_placerec.recognition.uncalibrated import uncalibrated

# Factor of a proof that was measured with local descriptors, where frames are compared without
# them: unknown road then gathers more of it.
WITHOUT_LOCAL = 1.5
# The same of the default: its proof has a margin already, and on the drives of the demo 28 let no
# wrong pose through, where 18.6 let 7 of 223.
WITHOUT_LOCAL_DEFAULT = 1.12
SUFFIX = '.calibration.json'  # appended to the name of the weights


def calibration_for(
    place_map: PlaceMap, spec: DescriptorSpec, config: Config = Config()
) -> Calibration | None:
    """
    Return the calibration of a map, or what decides in its place.

    On an uncalibrated simulated map the default of its model does, on another one the prior, or
    thresholds (None), as the parameter `uncalibrated` says.

    :param spec: the descriptor of the model that runs.
    :raises InputError: for a calibration that is damaged or of another model.
    """
    made = _own_or_default(place_map, spec)
    if made is None and config.uncalibrated == 'prior':
        made = uncalibrated(place_map)
    compared = place_map.local is not None and config.rerank != 'off'
    if made is None or compared or not made.local:
        return made
    factor = WITHOUT_LOCAL_DEFAULT if made.kind == SIMULATED else WITHOUT_LOCAL
    proofs = {name: factor * getattr(made, name) for name in ('proof', 'guessed_proof')}
    return replace(made, **proofs)


def _own_or_default(place_map: PlaceMap, spec: DescriptorSpec) -> Calibration | None:
    own = calibration_of(place_map)
    if own is not None or not place_map.simulated or place_map.whitening or place_map.centring:
        return own
    file = Path(weights_file(spec.weights, '.onnx') + SUFFIX)
    if not spec.weights or not file.is_file():
        return None
    for made in read_defaults(file):
        of = DescriptorSpec.from_json(made.descriptor, str(file))
        if of.weights_sha256 == spec.weights_sha256:
            # The evidence is in deviations of the cohort, so that it holds for any view.
            return replace(made, descriptor=spec.as_json())
    return None


def read_defaults(file: Path) -> list[Calibration]:
    """
    Read the calibrations of a model.

    :raises InputError: for a file that is damaged.
    """
    try:
        about = read_json(file)
    except InputError as error:
        raise InputError(f'{file}: expected a JSON list `calibrations` ({error})') from error
    documents = about.get('calibrations') if isinstance(about, dict) else None
    if not isinstance(documents, list):
        raise InputError(f'{file}: expected a JSON list `calibrations`')
    return [Calibration.from_json(values, str(file)) for values in documents]


def save_default(file: Path, made: Calibration) -> None:
    """Write the calibration of a model, beside its weights."""
    write_atomic(file, json.dumps({'calibrations': [made.as_json()]}, indent=1).encode())
