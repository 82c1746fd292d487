"""
A recursive Bayes filter over the route: the place and the direction, by all frames until now.

The belief holds the likely states with a weight each, the weight of being elsewhere on the map,
where new states are born at the candidates of a frame, and the weight of being off the map. All
weights add up to 1. The cost of a step depends on the number of states and candidates, not on the
size of the map.

The likelihood of a frame is relative to that of being off the map, which is 1. A state that was
followed until here was not chosen for its similarity in this frame, so its likelihood ratio is
that of its evidence against strangers. The best candidate was chosen from the whole map for its
similarity, so the likelihood ratio of its birth is that of the gate, which was fitted to best
candidates.

The weights forget within a few frames, because the robot may leave the map at any of them: a road
that resembles a mapped one soon has as much weight as the mapped one itself. The cumulative
evidence tells the two apart. So each state also carries its proof, the sum of the log likelihood
ratios of the frames that led to it, as in a sequential test (Wald, Sequential Analysis, 1947).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import math

from husky_placerec.config import Config
from husky_placerec.recognition.belief import Belief, merge_states
from husky_placerec.recognition.calibration import Calibration, MOST_PROOF, UNFIT
from husky_placerec.recognition.motion import Motion
from husky_placerec.recognition.route import Route
from husky_placerec.types import Floats, Indices, Mask, State
import numpy as np

# Exponent of the share of the cameras that are there, by which the required proof is scaled. On
# unknown road of the calibration campuses, one camera of two gathers 0.7 times the proof of both.
CAMERA_PROOF = 0.5

LogRatios = Callable[[Indices, Mask], Floats]  # [K] of K states, for one frame


@dataclass(frozen=True)
class RouteFilterSettings:
    """
    The motion model of the robot, and how sure the filter has to be.

    :param leave_m: mean distance until the robot leaves the map, or comes back to it.
    :param jump_m: mean distance until it is carried elsewhere.
    :param evidence_m: metres whose frames count as one frame, because they are not independent.
    :param trust: tempering exponent of a frame's likelihood ratio: frames in a row err together.
    :param least_m: a shorter motion is not a motion.
    :param within_m: distance of states that count as one pose.
    :param heading_cos: cosine of the largest angle between the headings of one pose.
    :param localized_from: probability at which LOCALIZED begins.
    :param lost_below: probability below which LOCALIZED ends.
    :param required_proof: proof that LOCALIZED needs, a log likelihood ratio.
    :param proof_m: metres after which the evidence of a frame counts by 1/e.
    :param strongest: bound of the log likelihood ratio of one frame, for or against a state.
    :param most_for: bound of the log likelihood ratio of one frame for a followed state.
    :param found: share of the frames on the map whose best candidate is right.
    :param states: number of states that are held at most.
    :param reach: number of places that a state may move to.
    :param off_map: prior probability of being off the map.
    """

    leave_m: float = 300.0
    jump_m: float = 3000.0
    evidence_m: float = 3.0
    trust: float = 0.5
    least_m: float = 1.0
    within_m: float = 10.0
    heading_cos: float = 0.5
    localized_from: float = 0.9
    lost_below: float = 0.7
    required_proof: float = 15.0
    proof_m: float = 40.0
    strongest: float = 6.0
    most_for: float = 4.0
    found: float = 0.8
    states: int = 64
    reach: int = 16
    off_map: float = 0.5

    @classmethod
    def of(
        cls,
        config: Config,
        calibration: Calibration,
        *,
        guessed: bool = False,
        cameras: float = 1.0,
    ) -> RouteFilterSettings:
        """
        Return the settings of a configuration on a calibrated map.

        The parameter `proof` is a factor of the calibrated one: `required_proof = config.proof *
        calibration.proof * cameras ** CAMERA_PROOF`.

        :param guessed: only the elapsed time tells the motion.
        :param cameras: share of the cameras of the map that the frame has.
        """
        asked = config.proof * (calibration.guessed_proof if guessed else calibration.proof)
        asked *= cameras**CAMERA_PROOF
        if calibration.grade == UNFIT:
            asked = MOST_PROOF
        return cls(
            leave_m=config.leave_after,
            jump_m=config.jump_after,
            evidence_m=config.evidence_every,
            least_m=min(config.evidence_every / 3, 1.0),
            localized_from=config.localized_from,
            lost_below=config.lost_below,
            required_proof=asked,
            found=calibration.found,
        )


@dataclass(frozen=True)
class RouteEstimate:
    """The likeliest state, with the weight and the mean proof of all states near it."""

    place: int
    reverse: bool
    probability: float
    proof: float


class RouteFilter:
    """
    Follow the robot along the route; to begin anew, make a new filter.

    :ivar belief: the posterior.
    :ivar estimate: None where no state has any weight.
    :ivar state: LOST, TENTATIVE or LOCALIZED.
    """

    def __init__(
        self, route: Route, settings: RouteFilterSettings = RouteFilterSettings()
    ) -> None:
        self.settings = settings
        self._route = route
        self.belief = Belief.prior(settings.off_map)
        self.estimate: RouteEstimate | None = None
        self.state = State.LOST

    def step(
        self,
        motion: Motion | None,
        candidates: tuple[Indices, Mask],
        log_ratios: LogRatios,
        birth_ratio: float,
    ) -> bool:
        """
        Predict by the motion, then update by the frame.

        :param motion: since the last used frame; None for the first.
        :param candidates: places and directions that the frame suggests, best first.
        :param log_ratios: returns the log likelihood ratios of the frame for any states.
        :param birth_ratio: log likelihood ratio of the best candidate, among best candidates.
        :return: False for a frame that was not used, because the robot has not moved: a robot
            that stands gains no evidence.
        """
        settings, prior, share = self.settings, self.belief, 1.0
        if motion is not None:
            if motion.metres < settings.least_m:
                return False
            share = min(motion.metres / settings.evidence_m, 1.0)
            prior = self._predicted(prior, motion)
        followed = len(prior.places)
        places = np.concatenate([prior.places, candidates[0]])
        reverse = np.concatenate([prior.reverse, candidates[1]])
        ratios = np.clip(log_ratios(places, reverse), -settings.strongest, settings.strongest)
        proofs = np.concatenate([prior.proofs, np.zeros(len(candidates[0]))])
        proofs = np.maximum(proofs + share * ratios, 0.0)
        ratios = np.minimum(ratios, settings.most_for)
        births, at_best = self._births(*candidates)
        gain = np.minimum(ratios[followed:], 0.0)
        gain[at_best] = np.clip(birth_ratio, -settings.strongest, settings.strongest)
        weights = np.concatenate(
            [
                prior.weights * np.exp(share * settings.trust * ratios[:followed]),
                prior.elsewhere * births * np.exp(gain),
            ]
        )
        elsewhere = prior.elsewhere * (1 - float(births.sum()))
        merged = merge_states(places, reverse, weights, proofs)
        self.belief = Belief(*merged, elsewhere, prior.off_map).reduced(settings.states)
        self.estimate = self._estimate()
        self.state = self._decide()
        return True

    def _predicted(self, belief: Belief, motion: Motion) -> Belief:
        """Return the belief after a motion: along the route, off it, back to it, or carried."""
        settings = self.settings
        leaves = 1 - math.exp(-motion.metres / settings.leave_m)
        jumps = 1 - math.exp(-motion.metres / settings.jump_m)
        places, reverse, weights, proofs = self._along(belief, motion)
        past_the_end = float(belief.weights.sum() - weights.sum())
        held = float(weights.sum())
        return Belief(
            places,
            reverse,
            weights * (1 - leaves - jumps),
            proofs * math.exp(-motion.metres / settings.proof_m),
            belief.elsewhere * (1 - leaves) + belief.off_map * leaves + held * jumps,
            belief.off_map * (1 - leaves)
            + belief.elsewhere * leaves
            + held * leaves
            + past_the_end,
        )

    def _along(self, belief: Belief, motion: Motion) -> tuple[Indices, Mask, Floats, Floats]:
        """Return places, directions, weights and proofs of the states after a motion."""
        route = self._route
        if not len(belief.places):
            return belief.places, belief.reverse, belief.weights, belief.proofs
        heading = route.yaws[belief.places] + np.pi * belief.reverse
        ahead, left = motion.pose.x, motion.pose.y
        cosine, sine = np.cos(heading), np.sin(heading)
        step = np.stack([ahead * cosine - left * sine, ahead * sine + left * cosine], axis=1)
        spread = math.hypot(0.5 * route.spacing_m, motion.spread_m) + 0.5
        here, count = route.positions[belief.places], len(heading)
        found, faces, likelihood = self._reached(
            np.concatenate([here, here + step]),
            np.concatenate([heading, heading + motion.pose.yaw]),
            spread,
        )
        before = likelihood[:count].sum(axis=1, keepdims=True)
        found, faces, likelihood = found[count:], faces[count:], likelihood[count:]
        # Where fewer places are near than before the motion, the map ends: the rest of the weight
        # has left it.
        likelihood /= np.maximum(likelihood.sum(axis=1, keepdims=True), before)
        there = likelihood > 0
        weights = belief.weights[:, None] * likelihood
        proofs = np.broadcast_to(belief.proofs[:, None], there.shape)
        return merge_states(found[there], faces[there] < 0, weights[there], proofs[there])

    def _reached(
        self, positions: Floats, headings: Floats, spread: float
    ) -> tuple[Indices, Floats, Floats]:
        """
        Return [K, reach] places near positions [K, 2], how they face, and their likelihood.

        How they face is the cosine to the heading, negative where they are passed in reverse. The
        likelihood is `exp(-0.5 * (distance / spread)^2)`, and 0 where they face across.
        """
        route, settings = self._route, self.settings
        reach = min(settings.reach, len(route.positions))
        apart, found = route.nearest(positions, reach, 3 * spread)
        there = np.isfinite(apart)
        found = np.where(there, found, 0)
        faces = np.cos(headings[:, None] - route.yaws[found])
        there &= np.abs(faces) >= settings.heading_cos
        likelihood = np.exp(-0.5 * np.square(np.where(there, apart, 0.0) / spread)) * there
        return found, faces, likelihood

    def _births(self, places: Indices, reverse: Mask) -> tuple[Floats, Mask]:
        """
        Return [L] the share of `elsewhere` in which each candidate is born, and the best ones.

        Candidates within one pose of each other form a cluster. The cluster of the best candidate
        receives the share `found`; each other cluster receives `(1 - found) / clusters`. The
        candidates of a cluster share equally. The rest stays with the places that are no
        candidates.

        :return: also [L] whether a candidate lies in one pose with the best.
        """
        if not len(places):
            return np.zeros(0), np.zeros(0, np.bool_)
        near = self._near(places, reverse, places, reverse)
        cluster = near.argmax(axis=1)  # the first candidate that is near
        clusters, number, counts = np.unique(cluster, return_inverse=True, return_counts=True)
        found = self.settings.found
        share = np.where(clusters == 0, found, (1 - found) / len(clusters))
        return np.asarray((share / counts)[number.ravel()]), near[:, 0]

    def _estimate(self) -> RouteEstimate | None:
        """Return the likeliest of the states around which most of the weight lies."""
        belief = self.belief
        if not belief.weights.any():
            return None
        near = self._near(belief.places, belief.reverse, belief.places, belief.reverse)
        mass = near @ belief.weights
        central = np.where(mass >= mass.max() * (1 - 1e-3), belief.weights, -1.0)
        best = int(central.argmax())
        proof = near[best] * belief.weights @ belief.proofs / mass[best]
        place, reverse = int(belief.places[best]), bool(belief.reverse[best])
        return RouteEstimate(place, reverse, float(mass[best]), float(proof))

    def probabilities(self, places: Indices, reverse: Mask) -> Floats:
        """Return [K] the weight of the belief at each of some states and near it, 0 to 1."""
        belief = self.belief
        near = self._near(places, reverse, belief.places, belief.reverse)
        return np.asarray(near @ belief.weights)

    def _decide(self) -> State:
        """Return the state, with hysteresis."""
        settings, estimate = self.settings, self.estimate
        if estimate is None:
            return State.LOST
        was = self.state is State.LOCALIZED
        least = settings.lost_below if was else settings.localized_from
        if estimate.probability >= least and estimate.proof >= settings.required_proof:
            return State.LOCALIZED
        return State.TENTATIVE if estimate.probability >= 0.5 else State.LOST

    def _near(self, places: Indices, reverse: Mask, others: Indices, ways: Mask) -> Mask:
        """Return [K, L] whether each of K states counts as one pose with each of L others."""
        route, settings = self._route, self.settings
        faces = route.facing(places, reverse) @ route.facing(others, ways).T
        near = route.within(settings.within_m, places, others)
        return np.asarray(near & (faces >= settings.heading_cos))
