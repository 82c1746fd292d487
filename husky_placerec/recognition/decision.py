"""From a descriptor to a recognition: what to believe of what the map has to say."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from husky_placerec.config import Config
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.calibration import Calibration
from husky_placerec.recognition.estimator import Estimator
from husky_placerec.recognition.evidence import look, Sighting
from husky_placerec.recognition.gate import CalibratedGate
from husky_placerec.recognition.odometry import Odometry
from husky_placerec.recognition.reading import Reading
from husky_placerec.recognition.reasons import Reason
from husky_placerec.recognition.route import Places, Route
from husky_placerec.recognition.rules import Rules
from husky_placerec.types import FloatArray, Measurement, Recognition


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
        self._estimator: Estimator | None = None
        if calibration is not None:
            odometry = odometry or Odometry()
            self._estimator = Estimator(self.route, calibration, rules, odometry)

    @cached_property
    def route(self) -> Route:
        return Route(self.place_map)

    def configure(self, config: Config) -> None:
        """Go on with other thresholds; what is believed stays."""
        self.config = config
        self.rules = Rules.of(config)
        if self._estimator is not None:
            self._estimator.configure(self.rules)

    def forget(self) -> None:
        """Begin anew, as if no frame had been seen."""
        if self._estimator is not None:
            self._estimator.forget()

    def look(self, query: FloatArray, without: Places | None = None) -> Reading:
        """
        Search the map for a frame.

        :param query: [C, D] its descriptor, zeros for absent cameras.
        :param without: places that do not count, as if the map did not know them.
        """
        rules = self.rules
        found = look(
            self.place_map,
            query,
            count=rules.candidates,
            apart_m=rules.apart_m,
            both_ways=rules.both_ways,
            without=without,
        )
        return self.reading(found)

    def reading(self, sighting: Sighting) -> Reading:
        return Reading(self.place_map, self.route, sighting)

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
        reading = self.reading(sighting) if sighting else self.look(query)
        if unusable:
            measurement = Measurement(False, Reason.IMAGE_UNUSABLE.value, None)
        elif self.calibration is None:
            measurement = self._by_thresholds(reading.sighting)
        else:
            measurement = self._measured(reading, self.calibration)
        single = Recognition(
            stamp_ns,
            image_stamps_ns,
            measurement.accepted,
            measurement.reason,
            reading.sighting.candidates,
            reading.sighting.margin,
            measurement.probability,
            measurement.covariance,
            measurement=measurement,
            estimate=measurement.pose,
            covariance_xy=measurement.covariance_xy,
        )
        if self._estimator is None or not self.rules.sequence:
            return single
        return self._estimator.decide(single, reading)

    def _by_thresholds(self, sighting: Sighting) -> Measurement:
        best = sighting.best
        reason = self.rules.fallback.refuse(best.similarity if best else None, sighting.margin)
        return Measurement(reason is None, reason, best.pose if best else None)

    def _measured(self, reading: Reading, calibration: Calibration) -> Measurement:
        """Return what this frame says by itself."""
        best = reading.sighting.best
        if best is None:
            return Measurement(False, Reason.NO_CANDIDATE.value, None)
        model = calibration.gate_of(reading.sighting.query)
        gate = CalibratedGate(model, self.rules.min_probability)
        place, turned = best.place, bool(best.reversed)
        seen = reading.evidence_of(place, turned)
        probability, reason = gate.probability(seen), gate.refuse(seen)
        pose = reading.pose(place, turned)
        spacing_m = self.route.spacing_at(place)
        table = calibration.turned if turned else calibration.measured
        spread = table.at(probability, pose, spacing_m)
        return Measurement(reason is None, reason, pose, probability, *spread)
