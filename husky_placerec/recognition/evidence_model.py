"""The probability of a statement, by the evidence with local agreement or without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from husky_placerec.recognition.evidence import ALL_EVIDENCE, EVIDENCE
from husky_placerec.recognition.logistic import Logistic
from husky_placerec.types import Floats
import numpy as np


@dataclass(frozen=True, eq=False)
class EvidenceModel:
    """
    Two logistic models: of all evidence, and of the evidence that every place has.

    :param plain: for places that were not compared by local descriptors.
    :param local: for those that were; None where the calibration has no local descriptors.
    """

    plain: Logistic
    local: Logistic | None = None

    def log_odds(self, evidence: Floats) -> Floats:
        """Return [...] the log odds of the statement for evidence [..., len(ALL_EVIDENCE)]."""
        return self._by(evidence, lambda model, seen: model.log_odds(seen))

    def probability(self, evidence: Floats) -> Floats:
        """Return [...] the probability of the statement for evidence [..., F]."""
        return np.asarray(1 / (1 + np.exp(-self.log_odds(evidence))))

    def log_ratio(self, evidence: Floats) -> Floats:
        """Return [...] the log likelihood ratio of evidence [..., F]: true against false."""
        return self._by(evidence, lambda model, seen: model.log_ratio(seen))

    def against(self, evidence: Floats) -> dict[str, float]:
        """Return by how much each piece of evidence [F] lowers the log odds, by its name."""
        if self.local is not None and np.isfinite(evidence).all():
            return self.local.against(evidence)
        return self.plain.against(evidence[: len(EVIDENCE)])

    def _by(self, evidence: Floats, value: Any) -> Floats:
        found = np.array(value(self.plain, evidence[..., : len(EVIDENCE)]), np.float64)
        if self.local is None:
            return found
        compared = np.isfinite(evidence).all(axis=-1)
        if compared.any():
            found[compared] = value(self.local, evidence[compared])
        return found

    def as_json(self) -> dict[str, Any]:
        """Return the models as JSON values."""
        local = {} if self.local is None else {'local': self.local.as_json()}
        return {**self.plain.as_json(), **local}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> EvidenceModel:
        """
        Read what `as_json` returned.

        :raises ValueError: for numbers that are not finite, or models of other evidence.
        """
        local = values.get('local')
        made = cls(
            Logistic.from_json(values), None if local is None else Logistic.from_json(local)
        )
        for model, names in ((made.plain, EVIDENCE), (made.local, ALL_EVIDENCE)):
            if model is not None and model.names != names:
                raise ValueError(
                    f'it is of {", ".join(model.names)}; expected {", ".join(names)}: calibrate '
                    'the map again'
                )
        return made
