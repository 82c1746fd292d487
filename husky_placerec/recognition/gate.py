"""Whether the best candidate is to be believed."""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.recognition.reasons import Reason


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
