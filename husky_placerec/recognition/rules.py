"""What the configuration says of decisions."""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.config import Config
from husky_placerec.recognition.gate import Gate
from husky_placerec.recognition.sequence import SequenceRules


@dataclass(frozen=True)
class Rules:
    """See the parameters of these names."""

    candidates: int
    apart_m: float
    both_ways: bool
    fallback: Gate
    min_probability: float
    contradiction: float
    sequence: bool
    speed: float
    filter: SequenceRules

    @classmethod
    def of(cls, config: Config) -> Rules:
        return cls(
            config.candidates,
            config.elsewhere,
            config.search_reversed,
            Gate(config.min_similarity, config.min_margin),
            config.min_probability,
            config.contradiction,
            config.sequence,
            config.usual_speed,
            SequenceRules(
                leave_m=config.leave_after,
                jump_m=config.jump_after,
                evidence_m=config.evidence_every,
                least_m=min(config.evidence_every / 3, 1.0),
                proof=config.proof,
                localized_from=config.localized_from,
                lost_below=config.lost_below,
            ),
        )
