"""The decision by all frames until now: route filter, pose filter and motion together."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.config import Config
from husky_placerec.recognition.calibration import Calibration
from husky_placerec.recognition.metric_comparison import planar
from husky_placerec.recognition.motion import Motion, MotionIntegrator
from husky_placerec.recognition.odometry import Odometry
from husky_placerec.recognition.pose_filter import PoseFilter
from husky_placerec.recognition.route import Route
from husky_placerec.recognition.route_filter import (
    RouteEstimate,
    RouteFilter,
    RouteFilterSettings,
)
from husky_placerec.recognition.search_result import SearchResult
from husky_placerec.types import (
    Candidate,
    Floats,
    Indices,
    Mask,
    Reason,
    Recognition,
    State,
)
import numpy as np

# Exponent of the share of cameras that are there, by which evidence for a place is scaled. With 1
# the cameras would have no information in common, with 0 each would have all of it.
INDEPENDENCE = 0.75


class SequenceEstimator:
    """Follow the robot on one map; to begin anew, make a new estimator."""

    def __init__(
        self, route: Route, calibration: Calibration, config: Config, odometry: Odometry
    ) -> None:
        self._route = route
        self._calibration = calibration
        self._motion = MotionIntegrator(odometry, route, config.usual_speed)
        self._config = config
        self._filter = RouteFilter(route, RouteFilterSettings.of(config, calibration))
        self._poses = PoseFilter(route.spacing_m)
        self._contradiction = config.contradiction
        self._agrees = True  # the last used frame, with the pose filter
        self._cameras = 0.0  # share by which the proof was gathered

    def configure(self, config: Config) -> None:
        """Use other parameters from the next frame on; the belief stays."""
        self._config = config
        self._filter.settings = RouteFilterSettings.of(config, self._calibration)
        self._motion.speed = config.usual_speed
        self._contradiction = config.contradiction

    @property
    def required_proof(self) -> float:
        """The proof that LOCALIZED needs, by the cameras and the motion of the last frame."""
        return self._filter.settings.required_proof

    def steps_back(self, stamp_ns: int) -> bool:
        """Return whether a stamp lies over 1 s before the last one, as when a bag loops."""
        return self._motion.steps_back(stamp_ns)

    def update(self, single: Recognition, result: SearchResult) -> Recognition:
        """
        Take a frame and return the decision.

        :param single: the decision by the frame alone.
        """
        motion = self._motion.until(single.stamp_ns, result.query)
        if not result.query.any():  # without an image only the motion is known
            return self._no_estimate(single, single.reason)
        cameras = self._cameras_of(motion, result)
        self._filter.settings = RouteFilterSettings.of(
            self._config,
            self._calibration,
            guessed=motion is not None and motion.guessed,
            cameras=cameras,
        )
        used = self._filter.step(
            motion,
            result.states,
            lambda places, reverse: self._log_ratios(result, places, reverse),
            self._birth_ratio(result),
        )
        if used:
            self._motion.restart(result.query)
            self._cameras = cameras
        estimate = self._filter.estimate
        if estimate is None or self._filter.state is State.LOST:
            self._poses, self._agrees = PoseFilter(self._route.spacing_m), True
        if estimate is None:
            return self._no_estimate(single, self._reason(single))
        return self._decided(single, result, estimate, motion, used)

    def _cameras_of(self, motion: Motion | None, result: SearchResult) -> float:
        """
        Return the share of the cameras by which the proof was gathered.

        Earlier frames gathered it. So where a frame lacks a camera, the share fades to that of the
        frame as the proof does.
        """
        now, before = float(result.query.any(axis=1).mean()), self._cameras
        if motion is None or before <= now:
            return now
        return now + (before - now) * float(np.exp(-motion.metres / self._filter.settings.proof_m))

    def _log_ratios(self, result: SearchResult, places: Indices, reverse: Mask) -> Floats:
        """Return [K] log likelihood ratios of a frame for states."""
        ratios = self._calibration.place.log_ratio(result.evidence(places, reverse))
        # A missing camera could have spoken against a place: only support is scaled down.
        share = float(result.query.any(axis=1).mean() ** INDEPENDENCE)
        return np.where(ratios > 0, share * ratios, ratios)

    def _birth_ratio(self, result: SearchResult) -> float:
        """Return the log likelihood ratio of the best candidate, among best candidates."""
        if result.best is None:
            return 0.0
        seen = result.evidence_of(result.best.place, bool(result.best.reversed))
        return float(self._calibration.gate_of(result.query).log_ratio(seen))

    def _decided(
        self,
        single: Recognition,
        result: SearchResult,
        estimate: RouteEstimate,
        motion: Motion | None,
        used: bool,
    ) -> Recognition:
        """Return the decision about the estimate of the route filter."""
        place, reverse = estimate.place, estimate.reverse
        metric = result.metric_near(place, reverse)
        solved = None if metric is None else planar(metric)
        measured, known = solved or (result.pose(place, reverse), None)
        # A lost robot is not followed: its estimate may be anywhere.
        if used and self._filter.state is not State.LOST:
            self._agrees = self._poses.update(motion, measured, known)
        pose = self._poses.pose(None if used else motion, measured)
        guessed = motion is None or motion.guessed
        # Without odometry nothing but the view itself tells that the road has been left, so that
        # the view has to support the place.
        least = 0.0 if guessed else -self._contradiction
        result.compare([(place, reverse)])
        ratio = self._calibration.place.log_ratio(result.evidence_of(place, reverse))
        accepted = self._filter.state is State.LOCALIZED and ratio > least and self._agrees
        calibration = self._calibration
        if reverse:
            by_odometry = calibration.reversed_sequence_errors
            errors = calibration.reversed_errors if guessed else by_odometry
        else:
            errors = calibration.guessed_errors if guessed else calibration.sequence_errors
        covariance, covariance_xy = errors.covariance(
            estimate.probability, pose, self._route.spacing_at(place)
        )
        if metric is not None and metric.variances is not None and used:
            covariance, covariance_xy = self._by_landmarks(metric.variances)
        chances = self._filter.probabilities(*result.states).tolist()
        return replace(
            single,
            candidates=tuple(
                Candidate(
                    candidate.place,
                    candidate.similarity,
                    candidate.reversed,
                    candidate.pose,
                    candidate.cosines,
                    chance,
                )
                for candidate, chance in zip(single.candidates, chances)
            ),
            accepted=bool(accepted),
            reason=None if accepted else self._reason(single),
            probability=estimate.probability,
            proof=estimate.proof,
            covariance=covariance,
            covariance_xy=covariance_xy,
            state=self._filter.state.value,
            estimate=pose,
            chosen=result.candidate(place, reverse),
        )

    def _by_landmarks(
        self, variances: tuple[float, ...]
    ) -> tuple[tuple[float, ...], tuple[float, float, float]]:
        """Return the covariance of the filtered pose: in the plane the filter's own."""
        found = self._poses.covariance
        if found is None:  # a lost robot is not followed
            found = np.diag([variances[0], variances[1], variances[5]])
        (xx, xy, _), (_, yy, _), (*_, yaw) = found.tolist()
        return (xx, yy, *variances[2:5], yaw), (xx, xy, yy)

    def _no_estimate(self, single: Recognition, reason: str | None) -> Recognition:
        return replace(
            single,
            accepted=False,
            reason=reason,
            probability=None,
            covariance=None,
            covariance_xy=None,
            state=self._filter.state.value,
        )

    def _reason(self, single: Recognition) -> str:
        """Return why the estimate is refused."""
        state = self._filter.state
        if state is State.LOST and self._filter.belief.off_map > 0.5:
            return Reason.UNKNOWN_PLACE.value
        if state is State.LOST and single.reason is not None:
            return single.reason
        if state is State.LOCALIZED and not self._agrees:
            return Reason.MOTION_DISAGREES.value
        return Reason.WAITING_FOR_SEQUENCE.value
