"""From a descriptor to a recognition: what to believe of what the map has to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from husky_placerec.config import Config
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.calibration import Calibration
from husky_placerec.recognition.covariance import CovarianceTable
from husky_placerec.recognition.evidence import evidence, look, Sighting
from husky_placerec.recognition.gate import CalibratedGate, Gate
from husky_placerec.recognition.motion import Motion
from husky_placerec.recognition.odometry import Odometry
from husky_placerec.recognition.reasons import Reason
from husky_placerec.recognition.refinement import refined_pose
from husky_placerec.recognition.route import Places, Route
from husky_placerec.recognition.sequence import Guess, Sequence, SequenceRules
from husky_placerec.recognition.states import State
from husky_placerec.types import Candidate, FloatArray, Measurement, Pose, Recognition
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Rules:
    """What the configuration says of decisions; see there."""

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
                localized_from=config.localized_from,
                lost_below=config.lost_below,
            ),
        )


class Decider:
    """
    Decides about one frame after the other, on one version of a map.

    :param calibration: None: the map's similarities mean nothing yet, and thresholds are all that
        there is.
    """

    def __init__(
        self,
        place_map: PlaceMap,
        config: Config,
        calibration: Calibration | None,
        odometry: Odometry | None = None,
    ) -> None:
        self.place_map = place_map
        self.calibration = calibration
        self.config = config
        self.rules = rules = Rules.of(config)
        if calibration is not None:
            self._motion = Motion(odometry or Odometry(), self.route, rules.speed)
            self._sequence = Sequence(self.route, self._filter(calibration))

    @cached_property
    def route(self) -> Route:
        return Route(self.place_map)

    def configure(self, config: Config) -> None:
        """Go on with other thresholds; what is believed stays."""
        self.config = config
        self.rules = rules = Rules.of(config)
        if self.calibration is not None:
            self._sequence.configure(self._filter(self.calibration))
            self._motion.speed = rules.speed

    def _filter(self, calibration: Calibration) -> SequenceRules:
        return replace(self.rules.filter, trust=calibration.trust, found=calibration.found)

    def forget(self) -> None:
        """Begin anew, as if no frame had been seen."""
        if self.calibration is not None:
            self._sequence.forget()
            self._motion.forget()

    def look(self, query: FloatArray, without: Places | None = None) -> Sighting:
        rules = self.rules
        return look(
            self.place_map,
            query,
            count=rules.candidates,
            apart_m=rules.apart_m,
            both_ways=rules.both_ways,
            without=without,
        )

    def decide(
        self,
        stamp_ns: int,
        image_stamps_ns: Mapping[str, int],
        query: FloatArray,
        *,
        unusable: bool = False,
        sighting: Sighting | None = None,
    ) -> Recognition:
        """
        Decide where a frame was taken, and whether to believe it.

        :param query: [C, D] its descriptor, zeros for absent cameras.
        :param unusable: nothing can be seen in any of its images.
        :param sighting: of the query, where it is there already.
        """
        sighting = sighting or self.look(query)
        if self.calibration is None:
            measurement = self._by_thresholds(sighting)
        else:
            measurement = self._measured(sighting, self.calibration)
        if unusable:
            measurement = Measurement(False, Reason.IMAGE_UNUSABLE.value, None)
        single = Recognition(
            stamp_ns,
            image_stamps_ns,
            measurement.accepted,
            measurement.reason,
            sighting.candidates,
            sighting.margin,
            measurement.probability,
            measurement.covariance,
            measurement=measurement,
            estimate=measurement.pose,
            covariance_xy=measurement.covariance_xy,
        )
        if self.calibration is None or not self.rules.sequence:
            return single
        return self._estimated(single, sighting, self.calibration)

    def _by_thresholds(self, sighting: Sighting) -> Measurement:
        best = sighting.best
        reason = self.rules.fallback.refuse(best.similarity if best else None, sighting.margin)
        return Measurement(reason is None, reason, best.pose if best else None)

    def _measured(self, sighting: Sighting, calibration: Calibration) -> Measurement:
        """Return what this frame says by itself."""
        if sighting.best is None:
            return Measurement(False, Reason.NO_CANDIDATE.value, None)
        places, turned = sighting.states
        gate = CalibratedGate(calibration.gate, self.rules.min_probability)
        seen = evidence(self.place_map, self.route, sighting, places[:1], turned[:1])[0]
        probability = gate.probability(seen)
        reason = gate.refuse(seen)
        pose = self._refined(sighting, int(places[0]), bool(turned[0]))
        variances, plane = self._spread(calibration.measured, probability, pose, int(places[0]))
        return Measurement(reason is None, reason, pose, probability, variances, plane)

    def _estimated(
        self, single: Recognition, sighting: Sighting, calibration: Calibration
    ) -> Recognition:
        """Return what the frames until this one say together."""

        def log_ratios(places: Places, turned: NDArray[np.bool_]) -> NDArray[np.float64]:
            seen = evidence(self.place_map, self.route, sighting, places, turned)
            return calibration.place.log_ratio(seen)

        if self._motion.steps_back(single.stamp_ns):
            self.forget()
        blind = not sighting.query.any()
        moved = self._motion.since(single.stamp_ns, sighting.query)
        birth_ratio = self._birth_ratio(sighting, calibration)
        if not blind and self._sequence.step(moved, sighting.states, log_ratios, birth_ratio):
            self._motion.count(sighting.query)
        guess, state = self._sequence.guess, self._sequence.state
        if blind or guess is None:
            reason = single.reason if blind else self._why_not(single, None)
            return replace(
                single,
                accepted=False,
                reason=reason,
                probability=None,
                covariance=None,
                covariance_xy=None,
                state=state.value,
            )
        pose = self._refined(sighting, guess.place, guess.turned)
        variances, plane = self._spread(
            calibration.estimated, guess.probability, pose, guess.place
        )
        here = np.array([guess.place]), np.array([guess.turned])
        seen = evidence(self.place_map, self.route, sighting, *here)[0]
        speaks_for = bool(calibration.place.log_ratio(seen) > -self.rules.contradiction)
        believed = state is State.LOCALIZED and speaks_for
        reason = None if believed else self._why_not(single, guess)
        way = guess.turned if self.place_map.opposites is not None else None
        mapped = Pose.from_array(self.place_map.places.poses[guess.place])
        return replace(
            single,
            accepted=believed,
            reason=reason,
            probability=guess.probability,
            covariance=variances,
            covariance_xy=plane,
            state=state.value,
            estimate=pose,
            chosen=Candidate(
                guess.place,
                float(seen[0]),
                way,
                mapped.turned_round() if guess.turned else mapped,
            ),
        )

    def _birth_ratio(self, sighting: Sighting, calibration: Calibration) -> float:
        """Return the log likelihood ratio of the best candidate, among best candidates."""
        if sighting.best is None:
            return 0.0
        places, turned = sighting.states
        seen = evidence(self.place_map, self.route, sighting, places[:1], turned[:1])[0]
        return float(calibration.gate.log_ratio(seen))

    def _why_not(self, single: Recognition, guess: Guess | None) -> str:
        belief, state = self._sequence.belief, self._sequence.state
        if state is State.LOST and belief.off_map > 0.5:
            return Reason.UNKNOWN_PLACE.value
        if state is State.LOST and single.reason is not None:
            return single.reason
        return Reason.WAITING_FOR_SEQUENCE.value

    def _refined(self, sighting: Sighting, place: int, turned: bool) -> Pose:
        def similarities(places: Places) -> NDArray[np.float64]:
            ways = np.full(len(places), turned)
            cosines = self.place_map.cosines(sighting.query, places, ways)
            seen = np.isfinite(cosines)
            total = np.where(seen, cosines, 0.0).sum(axis=1)
            return np.where(seen.any(axis=1), total / np.maximum(seen.sum(axis=1), 1), -np.inf)

        return refined_pose(self.place_map, self.route, place, turned, similarities)

    def _spread(
        self, table: CovarianceTable, probability: float, pose: Pose, place: int
    ) -> tuple[tuple[float, ...], tuple[float, float, float]]:
        return table.at(probability, pose, self.route.spacing_at(place))
