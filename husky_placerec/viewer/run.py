"""One drive that was recognised in one map, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from husky_placerec.evaluation.metrics import judge, Judged, TOLERANCES_M
from husky_placerec.evaluation.report.case import Case
from husky_placerec.types import Candidate, Floats, Indices, Mask, Pose, Recognition
from husky_placerec.viewer.places import ShownPlaces
import numpy as np

NOWHERE = (np.nan, np.nan)


@dataclass(frozen=True, eq=False)
class Run:
    """
    The decisions about the Q frames of a drive.

    :param queries: name of the drive, `database` that of the map.
    :param frames: each decision, and the true pose where it is known.
    :param source: path of the drive, as the results name it; empty where they do not.
    :param notes: what is missing, in sentences.
    """

    queries: str
    database: str
    frames: Sequence[tuple[Recognition, Pose | None]]
    places: ShownPlaces
    source: str = ''
    tolerances_m: tuple[float, ...] = TOLERANCES_M
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.frames)

    def recognition(self, row: int) -> Recognition:
        """Return one decision."""
        return self.frames[row][0]

    def truth(self, row: int) -> Pose | None:
        """Return one true pose; None where it is not known."""
        return self.frames[row][1]

    def answer(self, row: int) -> Candidate | None:
        """Return the place of the estimate; None without one."""
        recognition = self.recognition(row)
        return recognition.chosen or recognition.best

    @cached_property
    def stamps_ns(self) -> Indices:
        """The stamps [Q]."""
        return np.array([recognition.stamp_ns for recognition, _ in self.frames], np.int64)

    @cached_property
    def truths(self) -> Floats:
        """The true x and y [Q, 2], NaN where they are not known."""
        found = [NOWHERE if truth is None else (truth.x, truth.y) for _, truth in self.frames]
        return np.array(found, np.float64).reshape(-1, 2)

    @cached_property
    def estimates(self) -> Floats:
        """The recognised x and y [Q, 2], accepted or not; NaN where there is none."""
        poses = (recognition.pose for recognition, _ in self.frames)
        found = [NOWHERE if pose is None else (pose.x, pose.y) for pose in poses]
        return np.array(found, np.float64).reshape(-1, 2)

    @cached_property
    def at(self) -> Floats:
        """Where a frame is drawn [Q, 2]: its true position, else the recognised one."""
        return np.where(np.isnan(self.truths), self.estimates, self.truths)

    @cached_property
    def accepted(self) -> Mask:
        """Whether each pose was accepted [Q]."""
        return np.array([recognition.accepted for recognition, _ in self.frames], np.bool_)

    @cached_property
    def similarity(self) -> Floats:
        """The similarity of each best candidate [Q]; minus infinity without one."""
        best = (recognition.best for recognition, _ in self.frames)
        return np.array([b.similarity if b else -np.inf for b in best], np.float64)

    @cached_property
    def probability(self) -> Floats:
        """The stated probability of each pose [Q]; NaN where none was stated."""
        stated = (recognition.probability for recognition, _ in self.frames)
        return np.array([np.nan if p is None else p for p in stated], np.float64)

    @cached_property
    def known(self) -> Indices:
        """The rows whose truth is known."""
        return np.flatnonzero(np.isfinite(self.truths[:, 0]))

    @cached_property
    def judged(self) -> Judged | None:
        """The rows of `known`, judged; None where there is no truth, or no place is known."""
        if not len(self.known) or not self.places.positions.n:
            return None
        frames = [self.frames[row] for row in self.known]
        return judge(
            [recognition for recognition, _ in frames],
            [truth for _, truth in frames if truth is not None],
            self.places.positions.data,
            self.tolerances_m,
        )

    def case(self, judged: Judged) -> Case:
        """Return the rows of `known` as the reports take them."""
        best = [self.recognition(row).best for row in self.known]
        nothing = np.zeros(len(best), np.int64)
        return Case(
            self.database,
            self.queries,
            judged,
            self.stamps_ns[self.known],
            nothing,
            self.truths[self.known],
            np.array([(c.pose.x, c.pose.y) if c else NOWHERE for c in best]).reshape(-1, 2),
            self.places.poses[:, :2],
            np.array([bool(c and c.reversed) for c in best], np.bool_),
            [],
            [],
        )
