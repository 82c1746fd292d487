"""What the frames until now say together: where the robot is, and whether to believe it."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.recognition.calibration import Calibration
from husky_placerec.recognition.motion import Motion, Moved
from husky_placerec.recognition.odometry import Odometry
from husky_placerec.recognition.reading import Reading
from husky_placerec.recognition.reasons import Reason
from husky_placerec.recognition.route import Places, Route
from husky_placerec.recognition.rules import Rules
from husky_placerec.recognition.sequence import Guess, Sequence, SequenceRules
from husky_placerec.recognition.states import State
from husky_placerec.recognition.track import Track
from husky_placerec.types import Recognition
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# How far cameras tell different things: where half of them is missing, 0.5 to this power is left
# of what speaks for a place. With 1 they would tell nothing in common, with 0 each would tell all.
INDEPENDENT = 0.75


class Estimator:
    """Follows the robot on one map: by its motion, by the sequence of places, by their poses."""

    def __init__(
        self, route: Route, calibration: Calibration, rules: Rules, odometry: Odometry
    ) -> None:
        self._calibration = calibration
        self._rules = rules
        self._motion = Motion(odometry, route, rules.speed)
        self._sequence = Sequence(route, self._filter(rules))
        self._track = Track(route.spacing_m)
        self._agrees = True  # the last frame that counted, with the track

    def configure(self, rules: Rules) -> None:
        """Go on with other rules; what is believed stays."""
        self._rules = rules
        self._sequence.configure(self._filter(rules))
        self._motion.speed = rules.speed

    def _filter(self, rules: Rules) -> SequenceRules:
        measured, given = self._calibration, rules.filter
        proof = given.proof * measured.proof
        return replace(given, trust=measured.trust, found=measured.found, proof=proof)

    def forget(self) -> None:
        """Begin anew, as if no frame had been seen."""
        self._sequence.forget()
        self._motion.forget()
        self._track.forget()

    def decide(self, single: Recognition, reading: Reading) -> Recognition:
        """
        Return what is to be believed now.

        :param single: what the frame says by itself.
        """
        if self._motion.steps_back(single.stamp_ns):
            self.forget()
        query = reading.sighting.query
        moved = self._motion.since(single.stamp_ns, query)
        if not query.any():  # blind: it may have moved, and that is all
            return self._nothing(single, single.reason)
        counts = self._step(moved, reading)
        if counts:
            self._motion.count(query)
        guess = self._sequence.guess
        if guess is None or self._sequence.state is State.LOST:
            self._track.forget()
        if guess is None:
            return self._nothing(single, self._why_not(single))
        return self._estimated(single, reading, guess, moved, counts)

    def _step(self, moved: Moved | None, reading: Reading) -> bool:
        """Take the frame into the sequence; say whether it counted."""
        calibration, sighting = self._calibration, reading.sighting
        # What the other cameras would have said against a place is not known.
        share = float(sighting.query.any(axis=1).mean() ** INDEPENDENT)

        def log_ratios(places: Places, turned: NDArray[np.bool_]) -> Floats:
            ratios = calibration.place.log_ratio(reading.evidence(places, turned))
            return np.where(ratios > 0, share * ratios, ratios)

        birth_ratio = 0.0  # of the best candidate, among best candidates
        if sighting.best is not None:
            seen = reading.evidence_of(sighting.best.place, bool(sighting.best.reversed))
            birth_ratio = float(calibration.gate_of(sighting.query).log_ratio(seen))
        return self._sequence.step(moved, sighting.states, log_ratios, birth_ratio)

    def _estimated(
        self,
        single: Recognition,
        reading: Reading,
        guess: Guess,
        moved: Moved | None,
        counts: bool,
    ) -> Recognition:
        calibration = self._calibration
        pose = reading.pose(guess.place, guess.turned)
        if counts:
            self._agrees = self._track.take(moved, pose)
        pose = self._track.pose(None if counts else moved, pose)
        seen = reading.evidence_of(guess.place, guess.turned)
        guessed = moved is None or moved.guessed
        # Without odometry nothing but the view itself tells that the road has been left.
        least = 0.0 if guessed else -self._rules.contradiction
        speaks_for = calibration.place.log_ratio(seen) > least
        believed = self._sequence.state is State.LOCALIZED and speaks_for and self._agrees
        table = calibration.guessed if guessed else calibration.estimated
        if guess.turned:
            table = calibration.turned
        spacing_m = reading.route.spacing_at(guess.place)
        covariance, covariance_xy = table.at(guess.probability, pose, spacing_m)
        return replace(
            single,
            accepted=bool(believed),
            reason=None if believed else self._why_not(single),
            probability=guess.probability,
            proof=guess.proof,
            covariance=covariance,
            covariance_xy=covariance_xy,
            state=self._sequence.state.value,
            estimate=pose,
            chosen=reading.candidate(guess.place, guess.turned),
        )

    def _nothing(self, single: Recognition, reason: str | None) -> Recognition:
        return replace(
            single,
            accepted=False,
            reason=reason,
            probability=None,
            covariance=None,
            covariance_xy=None,
            state=self._sequence.state.value,
        )

    def _why_not(self, single: Recognition) -> str:
        belief, state = self._sequence.belief, self._sequence.state
        if state is State.LOST and belief.off_map > 0.5:
            return Reason.UNKNOWN_PLACE.value
        if state is State.LOST and single.reason is not None:
            return single.reason
        if state is State.LOCALIZED and not self._agrees:
            return Reason.MOTION_DISAGREES.value
        return Reason.WAITING_FOR_SEQUENCE.value
