"""Evidence that only some frames have, as an addition to the log odds of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from husky_placerec.recognition.evidence import COLUMNS, SUPPLEMENTS
from husky_placerec.recognition.logistic import Logistic
from husky_placerec.types import Floats
import numpy as np


@dataclass(frozen=True, eq=False)
class Supplement:
    """
    What one kind of evidence adds: the texts of a frame, or its pose by landmarks.

    It was fitted to what all other evidence leaves open. A place without this evidence is judged
    as if there were no such kind.

    :param model: of the names of one of SUPPLEMENTS.
    """

    model: Logistic

    def log_ratio(self, evidence: Floats) -> Floats:
        """Return [...] what is added to the log odds, for evidence [..., len(COLUMNS)]."""
        seen = self._of(evidence)
        added = self.model.log_odds(np.nan_to_num(seen))
        return np.where(np.isfinite(seen).all(axis=-1), added, 0.0)

    def against(self, evidence: Floats) -> dict[str, float]:
        """Return by how much each piece of evidence [len(COLUMNS)] lowers the log odds."""
        seen = self._of(evidence)
        return self.model.against(seen) if np.isfinite(seen).all() else {}

    def _of(self, evidence: Floats) -> Floats:
        return np.asarray(evidence[..., [COLUMNS.index(name) for name in self.model.names]])


def supplements_of(values: Any) -> tuple[Supplement, ...]:
    """
    Read the models of supplements.

    :raises ValueError: for models of other evidence, or two of one kind.
    """
    made = tuple(Supplement(Logistic.from_json(each)) for each in values)
    names = [each.model.names for each in made]
    if len(set(names)) < len(names) or not set(names) <= set(SUPPLEMENTS):
        known = '; '.join(', '.join(each) for each in SUPPLEMENTS)
        raise ValueError(f'added is of {names}; expected, each at most once: {known}')
    return made
