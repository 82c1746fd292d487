"""The probability of a statement, by the evidence with local agreement or without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from husky_placerec.recognition.evidence import ALL_EVIDENCE, EVIDENCE
from husky_placerec.recognition.logistic import Logistic
from husky_placerec.recognition.supplement import Supplement, supplements_of
from husky_placerec.types import Floats
import numpy as np


@dataclass(frozen=True, eq=False)
class EvidenceModel:
    """
    Two logistic models: of all evidence, and of the evidence that every place has.

    :param plain: for places that were not compared by local descriptors.
    :param local: for those that were; None where the calibration has no local descriptors.
    :param added: what evidence adds that only some frames have.
    """

    plain: Logistic
    local: Logistic | None = None
    added: tuple[Supplement, ...] = ()

    def log_odds(self, evidence: Floats) -> Floats:
        """Return [...] the log odds of the statement for evidence [..., len(COLUMNS)]."""
        return self._by(evidence, lambda model, seen: model.log_odds(seen))

    def probability(self, evidence: Floats) -> Floats:
        """Return [...] the probability of the statement for evidence [..., F]."""
        return np.asarray(1 / (1 + np.exp(-self.log_odds(evidence))))

    def log_ratio(self, evidence: Floats) -> Floats:
        """Return [...] the log likelihood ratio of evidence [..., F]: true against false."""
        return self._by(evidence, lambda model, seen: model.log_ratio(seen))

    def against(self, evidence: Floats) -> dict[str, float]:
        """Return by how much each piece of evidence [F] lowers the log odds, by its name."""
        seen = evidence[: len(ALL_EVIDENCE)]
        if self.local is not None and np.isfinite(seen).all():
            against = self.local.against(seen)
        else:
            against = self.plain.against(seen[: len(EVIDENCE)])
        for supplement in self.added:
            against.update(supplement.against(evidence))
        return against

    def _by(self, evidence: Floats, value: Any) -> Floats:
        seen = evidence[..., : len(ALL_EVIDENCE)]
        found = np.array(value(self.plain, seen[..., : len(EVIDENCE)]), np.float64)
        if self.local is not None:
            compared = np.isfinite(seen).all(axis=-1)
            if compared.any():
                found[compared] = value(self.local, seen[compared])
        for supplement in self.added:
            found = found + supplement.log_ratio(evidence)
        return found

    def as_json(self) -> dict[str, Any]:
        """Return the models as JSON values."""
        local = {} if self.local is None else {'local': self.local.as_json()}
        added = [each.model.as_json() for each in self.added]
        return {**self.plain.as_json(), **local, **({'added': added} if added else {})}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> EvidenceModel:
        """
        Read what `as_json` returned.

        :raises ValueError: for numbers that are not finite, or models of other evidence.
        """
        local = values.get('local')
        made = cls(
            Logistic.from_json(values),
            None if local is None else Logistic.from_json(local),
            supplements_of(values.get('added', ())),
        )
        for model, names in ((made.plain, EVIDENCE), (made.local, ALL_EVIDENCE)):
            if model is not None and model.names != names:
                raise ValueError(
                    f'it is of {", ".join(model.names)}; expected {", ".join(names)}: calibrate '
                    'the map again'
                )
        return made
