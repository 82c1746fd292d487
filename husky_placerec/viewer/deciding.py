"""Which frames are accepted: as they were decided, or from a threshold on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from husky_placerec.evaluation.metrics import Judged
from husky_placerec.evaluation.report.case import (
    RIGHT_ACCEPTED,
    RIGHT_REFUSED,
    UNKNOWN_REFUSED,
    worst_mistakes,
    WRONG_ACCEPTED,
    WRONG_REFUSED,
)
from husky_placerec.types import Floats, Indices, Mask
from husky_placerec.viewer.run import Run
import numpy as np

AS_DECIDED, BY_SIMILARITY, BY_PROBABILITY = 'decided', 'similarity', 'probability'
# Outcomes of frames whose truth is not known.
ACCEPTED, REFUSED = 5, 6
# What is drawn last lies on top.
OUTCOMES = {
    UNKNOWN_REFUSED: 'off the map, refused',
    WRONG_REFUSED: 'wrong, refused',
    RIGHT_REFUSED: 'right, refused',
    RIGHT_ACCEPTED: 'right, accepted',
    WRONG_ACCEPTED: 'wrong, accepted',
    REFUSED: 'refused',
    ACCEPTED: 'accepted',
}


@dataclass(frozen=True)
class Rule:
    """
    What accepts a frame.

    :param by: AS_DECIDED, BY_SIMILARITY (of the best candidate) or BY_PROBABILITY.
    :param threshold: from which a frame is accepted; without a meaning for AS_DECIDED.
    """

    by: str = AS_DECIDED
    threshold: float = 0.0


def rules_of(run: Run) -> list[str]:
    """Return by what a run can be decided; probabilities need a calibrated map."""
    stated = [BY_PROBABILITY] if np.isfinite(run.probability).any() else []
    return [AS_DECIDED, *stated, BY_SIMILARITY]


def scores(run: Run, by: str) -> Floats:
    """Return [Q] what is compared with the threshold; minus infinity where there is nothing."""
    if by == BY_SIMILARITY:
        return run.similarity
    return np.where(np.isnan(run.probability), -np.inf, run.probability)


@dataclass(frozen=True)
class Counts:
    """
    What became of the frames whose truth is known.

    :param on_map: frames with a place of the map near their true position.
    :param off_map_accepted: frames without one that were accepted nevertheless.
    """

    frames: int
    accepted: int
    right: int
    on_map: int
    off_map_accepted: int

    @property
    def wrong(self) -> int:
        """Accepted frames whose pose is wrong."""
        return self.accepted - self.right

    @property
    def precision(self) -> float | None:
        """The share of the accepted poses that are right; None without any."""
        return self.right / self.accepted if self.accepted else None

    @property
    def recall(self) -> float | None:
        """The share of the frames on the map whose pose is accepted and right."""
        return self.right / self.on_map if self.on_map else None


@dataclass(frozen=True, eq=False)
class Decided:
    """A run, decided by a rule."""

    run: Run
    rule: Rule

    @cached_property
    def accepted(self) -> Mask:
        """Whether each frame is accepted [Q]."""
        if self.rule.by == AS_DECIDED:
            return self.run.accepted
        return np.asarray(scores(self.run, self.rule.by) >= self.rule.threshold)

    @cached_property
    def judged(self) -> Judged | None:
        """The frames whose truth is known; None without any."""
        judged = self.run.judged
        if judged is None:
            return None
        return replace(
            judged,
            accepted=self.accepted[self.run.known],
            pose_right=right_poses(judged, self.rule.by),
        )

    @cached_property
    def outcomes(self) -> Indices:
        """The outcome of each frame [Q], of OUTCOMES."""
        found = np.where(self.accepted, ACCEPTED, REFUSED)
        if self.judged is not None:
            found[self.run.known] = self.run.case(self.judged).outcomes
        return found

    @cached_property
    def counts(self) -> Counts | None:
        """The counts of the outcomes; None without a truth."""
        judged = self.judged
        if judged is None:
            return None
        return Counts(
            len(judged),
            int(judged.accepted.sum()),
            int((judged.accepted & judged.pose_right).sum()),
            int(judged.on_map.sum()),
            int((judged.accepted & ~judged.on_map).sum()),
        )

    def worst(self, most: int = 20) -> list[int]:
        """Return the rows of the worst mistakes, the worst first."""
        if self.judged is None:
            return []
        found = worst_mistakes([self.run.case(self.judged)], most)
        return [int(self.run.known[mistake.row]) for mistake in found]


def right_poses(judged: Judged, by: str) -> Mask:
    """Return whether the pose is right that the rule accepts or refuses."""
    return judged.right if by == BY_SIMILARITY else judged.pose_right
