"""
What was measured of a map's answers: the calibration, as `map.json` holds it.

It counts for the descriptor, its precision and its preprocessing that it was measured with, and
for the whitening, since all of these move the similarities.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import math
from typing import Any

from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.errors import InputError
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.covariance import CovarianceTable
from husky_placerec.recognition.evidence import EVIDENCE
from husky_placerec.recognition.logistic import Logistic
from husky_placerec.types import FloatArray

OWN, MAP_ALONE, SIMULATED, UNCALIBRATED = 'own', 'map_alone', 'simulated', 'uncalibrated'
KINDS = (OWN, MAP_ALONE, SIMULATED)


@dataclass(frozen=True)
class Calibration:
    """
    How to read the evidence.

    :param kind: how it came about, one of KINDS: from drives, from the map alone, which knows no
        other light, or from simulated campuses.
    :param gate: that the best candidate of a frame with all cameras is right.
    :param partial: the same of a frame without some of them.
    :param place: that a state is right, against strangers that look like it.
    :param found: how often the best candidate is right where the map knows the place.
    :param trust: share of a frame's evidence that the frames before it have not given.
    :param proof: log of the likelihood ratio that the frames which led to a pose have to come to.
    :param measured: the errors of a frame's own poses.
    :param estimated: those of the sequence's, with odometry.
    :param guessed: those of the sequence's without odometry.
    :param turned: those of poses that face the other way than the drive in the map, where cameras
        that are not alike look too near or too far.
    :param figures: what was measured, to be shown.
    """

    kind: str
    descriptor: Mapping[str, Any]
    whitened: bool
    sources: tuple[str, ...]
    created: str
    gate: Logistic
    partial: Logistic
    place: Logistic
    found: float
    trust: float
    proof: float
    measured: CovarianceTable
    estimated: CovarianceTable
    guessed: CovarianceTable
    turned: CovarianceTable
    figures: Mapping[str, Any]

    def gate_of(self, query: FloatArray) -> Logistic:
        """Return the model that tells of a frame [C, D] whether its best candidate is right."""
        return self.gate if query.any(axis=1).all() else self.partial

    def as_json(self) -> dict[str, Any]:
        return {
            **vars(self),
            'descriptor': dict(self.descriptor),
            'sources': list(self.sources),
            'gate': self.gate.as_json(),
            'partial': self.partial.as_json(),
            'place': self.place.as_json(),
            'measured': self.measured.as_json(),
            'estimated': self.estimated.as_json(),
            'guessed': self.guessed.as_json(),
            'turned': self.turned.as_json(),
            'figures': dict(self.figures),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any], source: str) -> Calibration:
        """
        Read what `as_json` made.

        :raises InputError: for what is no calibration, or one of other evidence.
        """
        try:
            made = cls(
                values['kind'],
                dict(values['descriptor']),
                bool(values['whitened']),
                tuple(values['sources']),
                values['created'],
                Logistic.from_json(values['gate']),
                Logistic.from_json(values['partial']),
                Logistic.from_json(values['place']),
                float(values['found']),
                float(values['trust']),
                float(values['proof']),
                CovarianceTable.from_json(values['measured']),
                CovarianceTable.from_json(values['estimated']),
                CovarianceTable.from_json(values['guessed']),
                CovarianceTable.from_json(values['turned']),
                dict(values['figures']),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f'{source}: calibration not as expected ({error!r})') from error
        if not 0 <= made.proof < math.inf:
            raise InputError(f'{source}: calibration has proof {made.proof}; expected 0 or more')
        for name in ('found', 'trust'):
            if not 0 < getattr(made, name) <= 1:
                raise InputError(
                    f'{source}: calibration has {name} {getattr(made, name)}; expected 0 to 1'
                )
        if made.kind not in KINDS:
            raise InputError(f'{source}: calibration is {made.kind!r}; expected one of {KINDS}')
        for model in (made.gate, made.partial, made.place):
            if model.names != EVIDENCE:
                raise InputError(
                    f'{source}: calibration is of {", ".join(model.names)}; expected '
                    f'{", ".join(EVIDENCE)}: calibrate the map again'
                )
        return made

    def require_of(self, spec: DescriptorSpec, whitened: bool, source: str) -> None:
        """
        Refuse a calibration of another descriptor, precision or preprocessing.

        :raises InputError: that names what differs.
        """
        theirs = DescriptorSpec.from_json(self.descriptor, source)
        differences = [
            f'{name} was {other!r} and is {own!r}' for name, own, other in spec.differences(theirs)
        ]
        if whitened != self.whitened:
            differences.append(f'whitened was {self.whitened} and is {whitened}')
        if differences:
            raise InputError(f'{source}: calibrated with another model: {"; ".join(differences)}')


def calibration_of(place_map: PlaceMap) -> Calibration | None:
    """
    Return the calibration that a map has; None where it has none.

    :raises InputError: for one that is damaged, or of another model.
    """
    if place_map.calibration is None:
        return None
    made = Calibration.from_json(place_map.calibration, place_map.name)
    made.require_of(place_map.spec, place_map.whitening is not None, place_map.name)
    return made
