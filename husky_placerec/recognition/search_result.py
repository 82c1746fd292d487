"""The answer of a map to one frame: candidates, what contradicts them, evidence and poses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from husky_placerec.cameras.lever_arm import LeverArm
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.ranking import Rival
from husky_placerec.recognition.cohort import Cohort
from husky_placerec.recognition.evidence import evidence, LOCAL_EVIDENCE, local_evidence
from husky_placerec.recognition.flow_heading import pinhole_scale, turn_from_flow, turned
from husky_placerec.recognition.interpolation import (
    agreed_pose,
    COMPARED_M,
    interpolated_pose,
)
from husky_placerec.recognition.local_comparison import ACROSS, LocalComparison
from husky_placerec.recognition.metric_comparison import METRIC_EVIDENCE, MetricComparison
from husky_placerec.recognition.place_cosines import PlaceCosines
from husky_placerec.recognition.route import Route
from husky_placerec.recognition.text_comparison import TEXT_EVIDENCE, TextComparison
from husky_placerec.types import (
    Candidate,
    FloatArray,
    Floats,
    Indices,
    Mask,
    MetricPose,
    Pose,
)
import numpy as np

# Least cosine between the headings of places between which one pose lies.
FACES_ALIKE = 0.85


@dataclass(frozen=True, eq=False)
class SearchResult:
    """
    What a map says to one frame; results per place are computed once.

    :param query: [C, D] the frame's descriptor, zeros for absent cameras.
    :param candidates: best first.
    :param rival: the best place that contradicts the best candidate; None where nothing does.
    :param apart_m: distance from which a place contradicts another.
    :param without: places that were left out of the search.
    :param local: local agreements of the frame; None: there are none.
    :param arm: of the robot that asks.
    :param metric: solves the frame by landmarks; None: there are none.
    :param texts: agreement of the frame's texts; None: it has none, or the map has none.
    """

    place_map: PlaceMap
    route: Route
    query: FloatArray
    candidates: tuple[Candidate, ...]
    rival: Rival | None
    apart_m: float
    without: Indices | None = None
    local: LocalComparison | None = None
    arm: LeverArm = LeverArm()
    metric: MetricComparison | None = None
    texts: TextComparison | None = None
    _evidence: dict[tuple[int, bool], Floats] = field(default_factory=dict, init=False)
    _poses: dict[tuple[int, bool], Pose] = field(default_factory=dict, init=False)

    @property
    def best(self) -> Candidate | None:
        """The candidate with the highest similarity."""
        return self.candidates[0] if self.candidates else None

    @property
    def margin(self) -> float | None:
        """The lead of the best candidate over the best place that contradicts it."""
        if self.best is None or self.rival is None:
            return None
        return self.best.similarity - self.rival.similarity

    @cached_property
    def states(self) -> tuple[Indices, Mask]:
        """The places of the candidates [L], and whether each is passed in reverse [L]."""
        places = np.array([c.place for c in self.candidates], np.int64)
        return places, np.array([bool(c.reversed) for c in self.candidates], np.bool_)

    @cached_property
    def cohort(self) -> Cohort:
        """The similarities of the query to places all over the map."""
        return self.route.cohort.of(self.query, self.without)

    @cached_property
    def _cosines(self) -> PlaceCosines:
        return PlaceCosines(self.place_map, self.query)

    def again(self) -> SearchResult:
        """Return the same result, on which no earlier decision has compared more places."""
        local = None if self.local is None else self.local.again()
        metric = None if self.metric is None else self.metric.again()
        return replace(self, local=local, metric=metric)

    def without_landmarks(self) -> SearchResult:
        """Return the same result, for which nothing solves the frame."""
        return replace(self.again(), metric=None)

    def compare(self, states: Sequence[tuple[int, bool]]) -> None:
        """Compare more places locally, besides the candidates and what contradicts them."""
        if self.local is not None:
            self.local.compare(states)

    def evidence(self, places: Indices, reverse: Mask) -> Floats:
        """Return [K, len(COLUMNS)] for K places, each passed in reverse or not."""
        cosines = self._cosines.of(places, reverse)
        about = self.place_map.spec.cameras, self.route, cosines, self.cohort
        found = self.candidates, self.rival, self.apart_m
        seen = evidence(*about, *found, places, reverse)
        if self.local is None:
            locally = np.full((len(places), len(LOCAL_EVIDENCE)), np.nan)
        else:
            locally = local_evidence(self.local, self.route, self.apart_m, places, reverse)
        texts = self.text_evidence(places, reverse)
        return np.hstack([seen, locally, texts, self.metric_evidence(places, reverse)])

    def text_evidence(self, places: Indices, reverse: Mask) -> Floats:
        """Return [K, len(TEXT_EVIDENCE)] for K places; NaN for a frame without texts."""
        if self.texts is None:
            return np.full((len(places), len(TEXT_EVIDENCE)), np.nan)
        return self.texts.evidence(places, reverse)

    def metric_evidence(self, places: Indices, reverse: Mask) -> Floats:
        """Return [K, len(METRIC_EVIDENCE)] for K places; NaN where no pose was sought."""
        if self.metric is None:
            return np.full((len(places), len(METRIC_EVIDENCE)), np.nan)
        _ = self.metric_pose  # solves beside the candidates
        return self.metric.evidence(places, reverse)

    def evidence_of(self, place: int, reverse: bool) -> Floats:
        """Return [len(COLUMNS)] for one place."""
        state = place, reverse
        if state not in self._evidence:
            self._evidence[state] = self.evidence(np.array([place]), np.array([reverse]))[0]
        return self._evidence[state]

    def similarities(self, places: Indices, reverse: bool) -> Floats:
        """Return [K] mean cosines over the shared cameras; -inf where none is shared."""
        cosines = self._cosines.of(places, np.full(len(places), reverse))
        seen = np.isfinite(cosines)
        total = np.where(seen, cosines, 0.0).sum(axis=1)
        return np.where(seen.any(axis=1), total / np.maximum(seen.sum(axis=1), 1), -np.inf)

    def metric_near(self, place: int, reverse: bool) -> MetricPose | None:
        """Return an accepted pose by landmarks beside a place; None where there is none."""
        if self.metric is None:
            return None
        _ = self.metric_pose  # tells which poses a place elsewhere contradicts
        return self.metric.near(place, reverse)

    @cached_property
    def metric_pose(self) -> MetricPose | None:
        """The pose by landmarks beside the candidates; None where there are no landmarks."""
        if self.metric is None:
            return None
        elsewhere = self.rival.states[0] if self.rival is not None else None
        return self.metric.search(self.candidates, elsewhere)

    def pose(self, place: int, reverse: bool) -> Pose:
        """
        Return the pose of the frame, interpolated between the places around one.

        Local agreement weighs the places near it that were compared, where there are two or more;
        elsewhere similarity does. The heading follows from the flow of the local matches.
        """
        state = place, reverse
        if state not in self._poses:
            self._poses[state] = self._pose(place, reverse)
        return self._poses[state]

    def _pose(self, place: int, reverse: bool) -> Pose:
        poses = self.place_map.places.poses
        near, agreement = self._compared_near(place, reverse)
        if len(near) > 1:
            between = agreed_pose(poses[near], agreement, reverse, self.arm)
            return self._faced(between, int(near[agreement.argmax()]), reverse)
        between = interpolated_pose(
            poses,
            self.route,
            place,
            reverse,
            lambda places: self.similarities(places, reverse),
            self.arm,
        )
        return self._faced(between, place, reverse)

    def _compared_near(self, place: int, reverse: bool) -> tuple[Indices, Floats]:
        """Return the compared places [K] near one and faced alike, and their agreements [K]."""
        if self.local is None:
            return np.zeros(0, np.int64), np.zeros(0)
        places, ways, found = self.local.compared()
        positions = self.route.positions
        apart = np.linalg.norm(positions[places] - positions[place], axis=1)
        faces = np.cos(self.route.yaws[places] - self.route.yaws[place])
        agreement = found[:, :2].sum(axis=1)
        near = (apart <= COMPARED_M) & (faces > FACES_ALIKE) & (ways == reverse)
        near &= np.isfinite(agreement)
        return places[near], agreement[near]

    def _faced(self, pose: Pose, place: int, reverse: bool) -> Pose:
        """Return a pose with the heading that the flow to a compared place tells."""
        local, cells = self.local, self.place_map.local
        # A step to the side cancels in the mean of opposite cameras only.
        two_sided = self.place_map.opposites is not None and self.query.any(axis=1).all()
        if local is None or cells is None or not cells.spec.pinhole_focal or not two_sided:
            return pose
        across = float(local.of(np.array([place]), np.array([reverse]))[0, ACROSS])
        if not np.isfinite(across):
            return pose
        scale = pinhole_scale(cells.spec.pinhole_focal, cells.spec.columns)
        mapped = Pose.from_array(self.place_map.places.poses[place])
        faced = turned(self.arm.pose(mapped, reverse), turn_from_flow(across, scale))
        return replace(faced, x=pose.x, y=pose.y, z=pose.z)

    def candidate(self, place: int, reverse: bool) -> Candidate:
        """Return a place in the form of a candidate."""
        return Candidate(
            place,
            float(self.similarities(np.array([place]), reverse)[0]),
            reverse if self.place_map.opposites is not None else None,
            self.arm.pose(Pose.from_array(self.place_map.places.poses[place]), reverse),
        )
