"""
The calibration of a map, as `map.json` holds it: models of the evidence, and errors of poses.

A calibration is valid for one descriptor with its precision and preprocessing, and for one way to
compare descriptors (raw, whitened or centred), because each of these changes the similarities.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.errors import InputError
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.covariance import CovarianceTable
from husky_placerec.recognition.evidence import EVIDENCE
from husky_placerec.recognition.evidence_model import EvidenceModel
from husky_placerec.schema import anything, boolean, choice, items, mapping, number, record, text
from husky_placerec.types import FloatArray

OWN, MAP_ALONE, SIMULATED = 'own', 'map_alone', 'simulated'
KINDS = (OWN, MAP_ALONE, SIMULATED)  # that a file may hold
PRIOR, UNCALIBRATED = 'prior', 'uncalibrated'
PROVEN, WEAK, UNFIT = 'proven', 'weak', 'unfit'
GRADES = (PROVEN, WEAK, UNFIT)

MOST_PROOF = 1e6


def _is_number(value: Any, name: str) -> None:
    if type(value) not in (int, float):
        raise ValueError(f'{name} is {value!r}; expected a number')


# Evidence is between -2 and 2, and log odds beyond 50 are certainties.
_NUMBERS = items(number(-1e6, 1e6), least=1, most=64)
_LOGISTIC = {
    'names': items(text(64), least=1, most=64),
    'mean': _NUMBERS,
    'scale': items(number(1e-9, 1e9), least=1, most=64),
    'weights': _NUMBERS,
    'bias': number(-1e6, 1e6),
    'prior': number(-1e6, 1e6),
}
_MODEL = record(_LOGISTIC, {'local': record(_LOGISTIC), 'added': items(record(_LOGISTIC), most=8)})
_TABLE = record(
    {
        'edges': items(number(0, 1), least=1, most=64),
        'variances': items(items(number(1e-8, 1e8), least=6, most=6), least=1, most=64),
    }
)
SCHEMA = record(
    {
        'kind': text(64),
        'descriptor': mapping(anything, text(64), most=64),
        'whitened': boolean,
        'local': boolean,
        'sources': items(text()),
        'created': text(64),
        **dict.fromkeys(('gate', 'partial', 'place'), _MODEL),
        # `from_json` checks the range.
        **dict.fromkeys(('found', 'proof', 'guessed_proof'), _is_number),
        'grade': choice(*GRADES),
        'weakness': text(1024),
        **dict.fromkeys(('measured', 'estimated', 'guessed', 'turned'), _TABLE),
        'figures': mapping(anything, text(255)),
    },
    {'places': text(64), 'metric_scale': number(1, 1000)},
)


@dataclass(frozen=True)
class Calibration:
    """
    Models that turn evidence into probabilities, and the measured errors of poses.

    :param kind: where it comes from, one of KINDS: `own`, drives on this map; `map_alone`, the
        map's own frames, which know no other light; `simulated`, rendered campuses; `prior`, other
        worlds alone, for a map that is not calibrated.
    :param local: the drives were compared with the places locally.
    :param gate: probability that the best candidate of a frame with all cameras is right.
    :param partial: the same for a frame that lacks a camera.
    :param place: probability that a place is right, against strangers that look like it.
    :param found: share of the frames on the map whose best candidate is right.
    :param proof: cumulative log likelihood ratio that a pose needs, where odometry tells the
        motion; `guessed_proof` where only the elapsed time does.
    :param grade: what it can promise, one of GRADES: `proven`, held-out frames bear it out;
        `weak`, there are too few of them or some were wrong; `unfit`, the map looks like road that
        it does not have, and no pose is accepted.
    :param weakness: why it is not proven, in a sentence.
    :param single_errors: of the poses of single frames.
    :param sequence_errors: of the poses of the sequence filter, with odometry.
    :param guessed_errors: of the poses of the sequence filter, without odometry.
    :param reversed_errors: of poses of single frames on places passed in reverse: cameras that
        are not alike see them too near or too far.
    :param reversed_sequence_errors: of poses of the sequence filter on such places.
    :param metric_scale: factor of the standard deviations of poses by landmarks.
    :param figures: what was measured, for people.
    """

    kind: str
    descriptor: Mapping[str, Any]
    whitened: bool
    centred: bool
    local: bool
    sources: tuple[str, ...]
    created: str
    gate: EvidenceModel
    partial: EvidenceModel
    place: EvidenceModel
    found: float
    proof: float
    guessed_proof: float
    grade: str
    weakness: str
    single_errors: CovarianceTable
    sequence_errors: CovarianceTable
    guessed_errors: CovarianceTable
    reversed_errors: CovarianceTable
    reversed_sequence_errors: CovarianceTable
    figures: Mapping[str, Any]
    metric_scale: float = 1.0

    def gate_of(self, query: FloatArray) -> EvidenceModel:
        """Return the gate for a query [C, D]: `partial` where a camera is missing."""
        return self.gate if query.any(axis=1).all() else self.partial

    def as_json(self) -> dict[str, Any]:
        """Return the calibration as JSON values."""
        return {
            'kind': self.kind,
            'descriptor': dict(self.descriptor),
            'whitened': self.whitened,
            'centred': self.centred,
            'local': self.local,
            'sources': list(self.sources),
            'created': self.created,
            'gate': self.gate.as_json(),
            'partial': self.partial.as_json(),
            'place': self.place.as_json(),
            'found': self.found,
            'proof': self.proof,
            'guessed_proof': self.guessed_proof,
            'grade': self.grade,
            'weakness': self.weakness,
            'measured': self.single_errors.as_json(),
            'estimated': self.sequence_errors.as_json(),
            'guessed': self.guessed_errors.as_json(),
            'turned': self.reversed_errors.as_json(),
            'turned_estimated': self.reversed_sequence_errors.as_json(),
            'figures': dict(self.figures),
            'metric_scale': self.metric_scale,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any], source: str) -> Calibration:
        """
        Read what `as_json` returned.

        :raises InputError: for damaged values, or a calibration of other evidence.
        """
        _require_evidence(values, source)
        try:
            SCHEMA(values, '')
            made = cls(
                values['kind'],
                dict(values['descriptor']),
                bool(values['whitened']),
                bool(values.get('centred', False)),
                values['local'],
                tuple(values['sources']),
                values['created'],
                EvidenceModel.from_json(values['gate']),
                EvidenceModel.from_json(values['partial']),
                EvidenceModel.from_json(values['place']),
                float(values['found']),
                float(values['proof']),
                float(values['guessed_proof']),
                values['grade'],
                values['weakness'],
                CovarianceTable.from_json(values['measured']),
                CovarianceTable.from_json(values['estimated']),
                CovarianceTable.from_json(values['guessed']),
                CovarianceTable.from_json(values['turned']),
                CovarianceTable.from_json(values.get('turned_estimated', values['turned'])),
                dict(values['figures']),
                float(values.get('metric_scale', 1.0)),
            )
        except (ArithmeticError, KeyError, TypeError, ValueError) as error:
            raise InputError(f'{source}: calibration not as expected ({error!r})') from error
        for name in ('proof', 'guessed_proof'):
            if not 0 <= getattr(made, name) <= MOST_PROOF:
                raise InputError(
                    f'{source}: calibration has {name} {getattr(made, name)}; expected 0 to '
                    f'{MOST_PROOF:g}'
                )
        if not 0 < made.found <= 1:
            raise InputError(f'{source}: calibration has found {made.found}; expected 0 to 1')
        if made.kind not in KINDS:
            raise InputError(f'{source}: calibration is {made.kind!r}; expected one of {KINDS}')
        return made

    def require_of(self, place_map: PlaceMap) -> None:
        """
        Refuse a calibration of another descriptor, preprocessing or way to compare than a map's.

        :raises InputError: that names what differs.
        """
        source = place_map.name
        theirs = DescriptorSpec.from_json(self.descriptor, source)
        differences = [
            f'{name} was {other!r} and is {own!r}'
            for name, own, other in place_map.spec.differences(theirs)
        ]
        ways = {'whitened': place_map.whitening, 'centred': place_map.centring}
        for name, way in ways.items():
            was, now = getattr(self, name), way is not None
            if was != now:
                differences.append(f'{name} was {was} and is {now}')
        if differences:
            raise InputError(f'{source}: calibrated with another model: {"; ".join(differences)}')


def _require_evidence(values: Any, source: str) -> None:
    """Refuse models of other evidence, by which an older version calibrated, and say so."""
    for name in ('gate', 'partial', 'place'):
        model = values.get(name) if isinstance(values, Mapping) else None
        names = model.get('names') if isinstance(model, Mapping) else None
        if isinstance(names, list) and names != list(EVIDENCE):
            raise InputError(
                f'{source}: calibration is of {", ".join(map(str, names))}; expected '
                f'{", ".join(EVIDENCE)}: calibrate the map again'
            )


def calibration_of(place_map: PlaceMap) -> Calibration | None:
    """
    Return the calibration that a map has; None where it has none.

    :raises InputError: for a calibration that is damaged, or of another model.
    """
    if place_map.calibration is None:
        return None
    made = Calibration.from_json(place_map.calibration, place_map.name)
    made.require_of(place_map)
    return made
