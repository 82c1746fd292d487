"""
What evidence is worth on a world of which nothing is known yet, learned on many other worlds.

The evidence is in deviations of each query's own cohort, so that it means the same on any map. A
map's own calibration begins here: some frames of a second drive adjust it, many replace it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from husky_placerec.descriptor.shipped import MODELS_FOLDER
from husky_placerec.documents import read_json
from husky_placerec.errors import InputError
from husky_placerec.recognition.evidence_model import EvidenceModel

FILE = MODELS_FOLDER / 'prior.json'


@dataclass(frozen=True, eq=False)
class Prior:
    """
    The models of evidence, pooled over worlds.

    :param gate: as in a Calibration, and so are `partial`, `place` and `found`.
    :param proof: that a pose needs where nothing of the world's own null is known.
    :param worlds: names of the worlds that it was learned on.
    """

    gate: EvidenceModel
    partial: EvidenceModel
    place: EvidenceModel
    found: float
    proof: float
    worlds: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the prior as JSON values."""
        models = {name: getattr(self, name).as_json() for name in ('gate', 'partial', 'place')}
        numbers = {'found': self.found, 'proof': self.proof}
        return {**models, **numbers, 'worlds': list(self.worlds)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any], source: str) -> Prior:
        """
        Read what `as_json` returned.

        :raises InputError: for damaged values.
        """
        try:
            gate, partial, place = (
                EvidenceModel.from_json(values[name]) for name in ('gate', 'partial', 'place')
            )
            worlds = tuple(map(str, values['worlds']))
            numbers = float(values['found']), float(values['proof'])
            return cls(gate, partial, place, *numbers, worlds)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(f'{source}: prior not as expected ({error!r})') from error


@lru_cache(maxsize=2)
def shipped_prior(file: Path = FILE) -> Prior:
    """
    Return the prior that comes with the package.

    :raises InputError: for a file that is damaged.
    """
    return Prior.from_json(read_json(file), str(file))
