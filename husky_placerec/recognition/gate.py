"""Whether the best candidate is to be believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from husky_placerec.types import Candidate

NO_CANDIDATE = 'no_candidate'
LOW_SIMILARITY = 'low_similarity'


@dataclass(frozen=True)
class SimilarityGate:
    """Believes a candidate that is at least this similar; the scale is the descriptor's own."""

    min_similarity: float

    def refuse(self, candidates: Sequence[Candidate]) -> str | None:
        """Return why the best candidate is refused, None when it is accepted."""
        if not candidates:
            return NO_CANDIDATE
        return None if candidates[0].similarity >= self.min_similarity else LOW_SIMILARITY
