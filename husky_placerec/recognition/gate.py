"""Whether the best candidate of one frame is to be believed."""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.recognition.logistic import Logistic
from husky_placerec.recognition.reasons import Reason
import numpy as np
from numpy.typing import NDArray

# What to call it when a piece of evidence is what speaks most against a candidate.
BLAME = {
    'similarity': Reason.LOW_SIMILARITY,
    'unusual': Reason.LOW_SIMILARITY,
    'lead': Reason.AMBIGUOUS,
    'weakest_lead': Reason.CAMERAS_DISAGREE,
    'strongest_lead': Reason.AMBIGUOUS,
    'behind': Reason.AMBIGUOUS,
    'agreement': Reason.AMBIGUOUS,
    'disagreement': Reason.CAMERAS_DISAGREE,
}


@dataclass(frozen=True)
class Gate:
    """
    Believes a candidate that is similar enough, and more so than any that contradicts it.

    :param min_similarity: its scale is the descriptor's own, and shifts with light and season.
    :param min_margin: by how much it has to lead. Light and season lower both alike, so this
        carries over from one to another where a similarity does not.
    """

    min_similarity: float
    min_margin: float

    def refuse(self, similarity: float | None, margin: float | None) -> str | None:
        """
        Return why the best candidate is refused, None when it is accepted.

        :param similarity: of the best candidate; None when there is none.
        :param margin: its lead over the best that contradicts it; None when nothing does.
        """
        if similarity is None:
            return Reason.NO_CANDIDATE.value
        if similarity < self.min_similarity:
            return Reason.LOW_SIMILARITY.value
        return Reason.AMBIGUOUS.value if margin is not None and margin < self.min_margin else None


@dataclass(frozen=True)
class CalibratedGate:
    """
    Believes a candidate that is probable enough.

    :param model: of the evidence, as it was calibrated.
    """

    model: Logistic
    min_probability: float

    def probability(self, seen: NDArray[np.float64]) -> float:
        """Return that of the candidate with this evidence [F]."""
        return float(self.model.probability(seen))

    def refuse(self, seen: NDArray[np.float64]) -> str | None:
        """Return what speaks most against it, compared with those that were right; or None."""
        if self.probability(seen) >= self.min_probability:
            return None
        worse = self.model.against(seen)
        blamed = BLAME[max(BLAME, key=lambda name: worse[name])]
        leads = dict(zip(self.model.names, seen.tolist()))
        if leads['weakest_lead'] == leads['strongest_lead'] and blamed is Reason.CAMERAS_DISAGREE:
            return Reason.AMBIGUOUS.value  # there is but one camera
        return blamed.value
