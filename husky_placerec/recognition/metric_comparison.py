"""The poses of one frame by the landmarks of the map, beside some of its candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from husky_placerec.config import Config
from husky_placerec.metric.correspondences import FrameKeyPoints
from husky_placerec.metric.matching import neighbours
from husky_placerec.metric.solver import Solution, Solver, SolverSettings
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.types import Candidate, Floats, Indices, Mask, MetricPose, Pose
import numpy as np

METRIC_EVIDENCE = (
    'inliers',  # beside the place, as n / (n + 30), 0 to 1
    'inlier_lead',  # over the best place elsewhere, as a share of both, -1 to 1
)
StateKey = tuple[int, bool]  # a place, and whether it is passed in reverse
AROUND = 2  # neighbours each way, whose landmarks are matched, too
BESIDE_M = 12.0  # farthest from a place at which a pose is solved
SAME_M = 10.0  # between candidates that share most landmarks
ANOTHER_M = 2.0  # between two poses that contradict each other
AMBIGUOUS = 0.8  # of the inliers: so many beside a place elsewhere speak against a pose
MANY_INLIERS = 30.0  # that count as half of the most
FEW_INLIERS = 10.0  # added to those of two places, of which the lead is a share
REPEATED = 'ambiguous'  # why such a pose is not accepted


@dataclass(frozen=True, eq=False)
class MetricComparison:
    """
    Solves a frame beside places; each once.

    :param frame: the key points of the frame.
    :param stamp_ns: of the frame, from which the draws begin: equal frames get equal poses.
    :param up: the measured direction up in `base_link`; None: it is not measured.
    :param scale: factor of the standard deviations, which the calibration of the map tells.
    :param _solved: what is solved already: the pose of a frame beside a place stays the same.
    """

    place_map: PlaceMap
    frame: FrameKeyPoints
    config: Config
    stamp_ns: int
    up: Floats | None = None
    scale: float = 1.0
    _solved: dict[StateKey, Solution] = field(default_factory=dict, repr=False)
    _asked: dict[StateKey, Solution] = field(default_factory=dict, init=False)
    _repeated: set[StateKey] = field(default_factory=set, init=False)

    def solve(self, place: int, reverse: bool) -> Solution:
        """Return the best pose beside a place."""
        state = place, bool(reverse)
        if state not in self._solved:
            places = self.place_map.places
            around = neighbours(places.poses, places.tracks, place, AROUND)
            self._solved[state] = self._solver.solve(
                self.frame, [place, *around], bool(reverse), self.stamp_ns, self.up
            )
        self._asked[state] = self._solved[state]
        return self._solved[state]

    def again(self) -> MetricComparison:
        """Return the same comparison, for which no earlier decision has asked for a place."""
        return replace(self)

    def evidence(self, places: Indices, reverse: Mask) -> Floats:
        """
        Return [K, len(METRIC_EVIDENCE)] for K places, each passed in reverse or not.

        A place shares the pose that was solved beside one at most SAME_M from it. NaN where there
        is none, or where the pose lies elsewhere: landmarks are seen from afar. Where no pose is
        solved anywhere, all is NaN: at night or in fog that tells nothing about a place.
        """
        found = np.full((len(places), len(METRIC_EVIDENCE)), np.nan)
        asked = [*self._asked]
        if not any(self._asked[state].reason is None for state in asked):
            return found
        solutions = [self._asked[state] for state in asked]
        others = np.array([place for place, _ in asked])
        ways = np.array([turned for _, turned in asked])
        inliers = np.array([solution.total for solution in solutions], np.float64)
        elsewhere = np.array([self._lies_elsewhere(state) for state in asked])
        positions = self.place_map.places.poses[:, :2]
        apart = np.linalg.norm(positions[places][:, None] - positions[others], axis=-1)
        at = (apart < SAME_M) & (reverse[:, None] == ways)
        own = np.where(at & ~elsewhere, inliers, -1.0).max(axis=1)
        against = np.where(at, 0.0, inliers).max(axis=1)
        found[:, 0] = own / (own + MANY_INLIERS)
        found[:, 1] = (own - against) / (own + against + FEW_INLIERS)
        found[own < 0] = np.nan
        return found

    def near(self, place: int, reverse: bool) -> MetricPose | None:
        """Return an accepted pose beside a place; it is solved there where none is known yet."""
        if self._good(place, reverse):
            return self.pose_of(place, reverse)
        here = self._position(place)
        for (other, turned), solution in list(self._asked.items()):
            pose = solution.pose
            if not self._good(other, turned) or pose is None or turned != bool(reverse):
                continue
            if np.hypot(pose.x - here[0], pose.y - here[1]) < BESIDE_M:
                return self.pose_of(other, turned)
        return None

    def search(self, candidates: Sequence[Candidate], rival: StateKey | None) -> MetricPose | None:
        """
        Return the pose beside the first candidate that has one, or else that beside the first.

        Candidates near one that failed are left out, because they share its landmarks.

        :param rival: the best place elsewhere, for the lead.
        """
        if not candidates:
            return None
        tried: list[StateKey] = []
        for each in candidates:
            state = each.place, bool(each.reversed)
            if any(self._alike(state, other) for other in tried):
                continue
            tried.append(state)
            if self.solve(*state).reason is None:
                return self.pose_of(*state, rival=rival)
            if len(tried) == self.config.metric_candidates:
                break
        return self.pose_of(*tried[0], rival=rival)

    def pose_of(self, place: int, reverse: bool, rival: StateKey | None = None) -> MetricPose:
        """Return what `solve` found, in the words of the package."""
        found = self.solve(place, reverse)
        covariance, lead = found.covariance, self._lead(found, rival)
        if lead is not None and lead <= (1 - AMBIGUOUS) * found.total:
            self._repeated.add((place, bool(reverse)))
        repeated = (place, bool(reverse)) in self._repeated
        reason = REPEATED if repeated else found.reason
        return MetricPose(
            reason is None,
            reason,
            found.pose,
            None if covariance is None else tuple((covariance * self.scale**2).ravel().tolist()),
            dict(zip(self.frame.rig.names, found.inliers.tolist())),
            found.matches,
            place,
            bool(reverse),
            lead,
            None if self.up is None else (self.up[0], self.up[1], self.up[2]),
        )

    @property
    def _solver(self) -> Solver:
        landmarks = self.place_map.landmarks
        assert landmarks is not None
        settings = SolverSettings(self.config.metric_hypotheses)
        poses = self.place_map.places.poses
        return Solver(landmarks, poses, self.place_map.opposites, settings)

    def _lead(self, found: Solution, rival: StateKey | None) -> int | None:
        """Return by how many inliers a pose leads over the best candidate elsewhere."""
        if rival is None or not self.config.metric_lead or found.reason is not None:
            return None
        other = self.solve(*rival)
        if found.pose is None or other.pose is None:
            return found.total - other.total
        if found.pose.distance_m(other.pose) < ANOTHER_M:
            return None  # the rival is near enough to agree
        return found.total - other.total

    def _good(self, place: int, reverse: bool) -> bool:
        state = place, bool(reverse)
        return self.solve(*state).reason is None and state not in self._repeated

    def _lies_elsewhere(self, state: StateKey) -> bool:
        pose, at = self._asked[state].pose, self._position(state[0])
        return pose is not None and bool(np.hypot(pose.x - at[0], pose.y - at[1]) > BESIDE_M)

    def _alike(self, one: StateKey, other: StateKey) -> bool:
        apart = self._position(one[0]) - self._position(other[0])
        return one[1] == other[1] and float(np.hypot(*apart)) < SAME_M

    def _position(self, place: int) -> Floats:
        return np.asarray(self.place_map.places.poses[place, :2])


def planar(metric: MetricPose) -> tuple[Pose, Floats] | None:
    """Return a pose and its covariance [3, 3] of x, y and yaw; None where it is not solved."""
    if not metric.solved or metric.pose is None or metric.covariance is None:
        return None
    chosen = [0, 1, 5]
    return metric.pose, np.array(metric.covariance).reshape(6, 6)[np.ix_(chosen, chosen)]
