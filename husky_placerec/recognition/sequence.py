"""
Where the robot is by all that it has seen: a recursive Bayes filter over the route.

A state is a place and a direction. Only the likely ones are held, with a weight each; besides
there is the weight of being elsewhere on the map, where states are born of the candidates, and
that of being off the map. All weights add up to 1. A step costs as many states as are held and
candidates as are found, whatever the size of the map.

The likelihood of a frame is relative, and that of being off the map is 1. For a state that was
followed until here it is how much likelier the evidence is at that state than at any other: it was
not chosen for its looks in this frame. The best candidate was, from the whole map; so what speaks
for its birth is the gate, which knows best candidates only.

The weights forget within a few frames, since the robot may leave the map at any of them: a road
that looks a little like a mapped one soon has as much weight as the mapped one itself. What tells
them apart is how much spoke for it in all. So each state also carries its proof: the evidence of
the frames that led to it, added up, as in a sequential test (Wald, Sequential Analysis, 1947).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from husky_placerec.recognition.belief import Belief, Floats, joined, Turned
from husky_placerec.recognition.motion import Moved
from husky_placerec.recognition.route import Places, Route
from husky_placerec.recognition.states import State
import numpy as np
from numpy.typing import NDArray

LogRatios = Callable[[Places, Turned], Floats]  # [K] of states, of one frame


@dataclass(frozen=True)
class SequenceRules:
    """
    How the robot drives, and how sure it has to be.

    :param leave_m: metres after which it usually has left the map, or come back to it.
    :param jump_m: the same for being carried elsewhere.
    :param evidence_m: metres whose frames count as one: what is nearer is not independent.
    :param trust: share of what a frame says of a state that the frames before have not said: they
        err together.
    :param least_m: less than this is not driven at all.
    :param within_m: distance of states that count as one pose.
    :param heading_cos: cosine of the angle up to which a state faces as the robot does.
    :param localized_from: probability at which it is LOCALIZED.
    :param lost_below: probability below which it no longer is.
    :param proof: log of the likelihood ratio that the frames which led to a state have to come to
        together for it to be LOCALIZED.
    :param proof_m: metres after which what they said counts by 1/e only.
    :param strongest: log of the most that one frame may say for or against a state.
    :param most_for: log of the most that one frame may say for a state that was followed.
    :param found: how often the best candidate is right where the map knows the place.
    :param states: that are held at most.
    :param reach: places that a state may move to.
    :param off_map: probability of being off the map where nothing is known.
    """

    leave_m: float = 300.0
    jump_m: float = 3000.0
    evidence_m: float = 3.0
    trust: float = 1.0
    least_m: float = 1.0
    within_m: float = 10.0
    heading_cos: float = 0.5
    localized_from: float = 0.9
    lost_below: float = 0.7
    proof: float = 15.0
    proof_m: float = 40.0
    strongest: float = 6.0
    most_for: float = 4.0
    found: float = 0.8
    states: int = 64
    reach: int = 16
    off_map: float = 0.5


@dataclass(frozen=True)
class Guess:
    """The likeliest state, and the weight and the proof of all that lie within reach of it."""

    place: int
    turned: bool
    probability: float
    proof: float


class Sequence:
    """The filter; its answers are in `belief`, `guess`, None where nothing is, and `state`."""

    def __init__(self, route: Route, rules: SequenceRules = SequenceRules()) -> None:
        self._route = route
        self._rules = rules
        self.forget()

    def forget(self) -> None:
        """Begin anew: anywhere, or off the map."""
        self.belief = Belief.nothing(self._rules.off_map)
        self.guess: Guess | None = None
        self.state = State.LOST

    def configure(self, rules: SequenceRules) -> None:
        """Go on with other rules; what is believed stays."""
        self._rules = rules

    def step(
        self,
        moved: Moved | None,
        candidates: tuple[Places, Turned],
        log_ratios: LogRatios,
        birth_ratio: float,
    ) -> bool:
        """
        Take a frame; return whether it counted.

        One that is taken before the robot has moved does not, so that standing gains nothing.

        :param moved: since the last that counted; None for the first.
        :param candidates: the states that the frame alone suggests, the best first.
        :param log_ratios: of the evidence, for any states.
        :param birth_ratio: the same for the best candidate, among best candidates.
        """
        rules = self._rules
        if moved is not None and moved.metres < rules.least_m:
            return False
        share = 1.0
        prior = self.belief
        if moved is not None:
            share = min(moved.metres / rules.evidence_m, 1.0)
            prior = self._moved(prior, moved)
        places = np.concatenate([prior.places, candidates[0]])
        turned = np.concatenate([prior.turned, candidates[1]])
        spoken = np.clip(log_ratios(places, turned), -rules.strongest, rules.strongest)
        held = len(prior.places)
        before = np.concatenate([prior.proofs, np.zeros(len(spoken) - held)])
        proofs = np.maximum(before + share * spoken, 0.0)
        ratios = np.minimum(spoken, rules.most_for)
        # What the frame says of a state that was followed until here it has said in part before.
        followed = prior.weights * np.exp(share * rules.trust * ratios[:held])
        births = self._births(*candidates)
        born = prior.elsewhere * births * np.exp(np.minimum(ratios[held:], 0.0))
        best = self._at_best(*candidates)
        most = np.clip(birth_ratio, -rules.strongest, rules.strongest)
        born[best] = prior.elsewhere * births[best] * np.exp(most)
        weights = np.concatenate([followed, born])
        elsewhere = prior.elsewhere * (1 - float(births.sum()))
        together = joined(places, turned, weights, proofs)
        self.belief = self._kept(Belief(*together, elsewhere, prior.off_map).normalised())
        self.guess = self._guess()
        self._decide()
        return True

    def _guess(self) -> Guess | None:
        """Return the likeliest of the states that most of the weight is near to."""
        belief = self.belief
        if not belief.weights.any():
            return None
        near = self._near(belief.places, belief.turned, belief.places, belief.turned)
        mass = near @ belief.weights
        central = np.where(mass >= mass.max() * (1 - 1e-3), belief.weights, -1.0)
        best = int(central.argmax())
        proof = near[best] * belief.weights @ belief.proofs / mass[best]
        return Guess(
            int(belief.places[best]), bool(belief.turned[best]), float(mass[best]), float(proof)
        )

    def _decide(self) -> None:
        rules = self._rules
        probability, proof = 0.0, 0.0
        if self.guess is not None:
            probability, proof = self.guess.probability, self.guess.proof
        was = self.state is State.LOCALIZED
        likely = probability >= (rules.lost_below if was else rules.localized_from)
        if likely and proof >= rules.proof:
            self.state = State.LOCALIZED
        else:
            self.state = State.TENTATIVE if probability >= 0.5 else State.LOST

    def _moved(self, belief: Belief, moved: Moved) -> Belief:
        """Predict: along the route, off it, back to it, or carried elsewhere."""
        rules = self._rules
        leaves = 1 - np.exp(-moved.metres / rules.leave_m)
        jumps = 1 - np.exp(-moved.metres / rules.jump_m)
        places, turned, weights, proofs = self._along(belief, moved)
        lost = float(belief.weights.sum() - weights.sum())  # drove on where the map ends
        held = float(weights.sum())
        return Belief(
            places,
            turned,
            weights * (1 - leaves - jumps),
            proofs * np.exp(-moved.metres / rules.proof_m),
            belief.elsewhere * (1 - leaves) + belief.off_map * leaves + held * jumps,
            belief.off_map * (1 - leaves) + belief.elsewhere * leaves + held * leaves + lost,
        )

    def _along(self, belief: Belief, moved: Moved) -> tuple[Places, Turned, Floats, Floats]:
        """Return the states that the robot may have come to, their weights and their proofs."""
        route = self._route
        if not len(belief.places):
            return belief.places, belief.turned, belief.weights, belief.proofs
        heading = route.yaws[belief.places] + np.pi * belief.turned
        ahead, left = moved.pose.x, moved.pose.y
        step = np.column_stack(
            [
                ahead * np.cos(heading) - left * np.sin(heading),
                ahead * np.sin(heading) + left * np.cos(heading),
            ]
        )
        spread = float(np.hypot(0.5 * route.spacing_m, moved.spread_m)) + 0.5
        here = route.positions[belief.places]
        _, _, likely = self._reached(here, heading, spread)
        before = likely.sum(axis=1, keepdims=True)
        found, faces, likely = self._reached(here + step, heading + moved.pose.yaw, spread)
        # Fewer places than around where it was: the map ends, and the rest has left it.
        likely /= np.maximum(likely.sum(axis=1, keepdims=True), before)
        there = likely > 0
        weights = belief.weights[:, None] * likely
        proofs = np.broadcast_to(belief.proofs[:, None], there.shape)
        return joined(found[there], faces[there] < 0, weights[there], proofs[there])

    def _reached(
        self, positions: Floats, headings: Floats, spread: float
    ) -> tuple[Places, Floats, Floats]:
        """
        Return [K, reach] places near positions [K, 2], how they face there, and how likely.

        How they face is the cosine to the heading, below zero where they are passed in reverse;
        the likelihood is 1 at the very position, and 0 where they face across.
        """
        route, rules = self._route, self._rules
        reach = min(rules.reach, len(route))
        apart, found = route.nearest(positions, reach, 3 * spread)
        there = np.isfinite(apart)
        found = np.where(there, found, 0)
        faces = np.cos(headings[:, None] - route.yaws[found])
        there &= np.abs(faces) >= rules.heading_cos
        likely = np.exp(-0.5 * np.square(np.where(there, apart, 0.0) / spread)) * there
        return found, faces, likely

    def _births(self, places: Places, turned: Turned) -> Floats:
        """
        Return [K] the share of each candidate in the weight of being elsewhere.

        The best one's spot has as much as it is usually right; the others share in the rest, with
        all that are no candidates.
        """
        if not len(places):
            return np.zeros(0)
        spot = self._near(places, turned, places, turned).argmax(axis=1)  # the first that is there
        spots, number, counts = np.unique(spot, return_inverse=True, return_counts=True)
        found = self._rules.found
        share = np.where(spots == 0, found, (1 - found) / len(spots))
        return np.asarray((share / counts)[number.ravel()])

    def _at_best(self, places: Places, turned: Turned) -> NDArray[np.bool_]:
        """Say of each candidate whether it is where the best one is."""
        if not len(places):
            return np.zeros(0, np.bool_)
        return self._near(places, turned, places[:1], turned[:1])[:, 0]

    def _kept(self, belief: Belief) -> Belief:
        """Hold the likeliest states only; the others are elsewhere."""
        order = np.argsort(-belief.weights, kind='stable')
        best = np.sort(order[: self._rules.states])
        dropped = float(belief.weights[order[self._rules.states :]].sum())
        return Belief(
            belief.places[best],
            belief.turned[best],
            belief.weights[best],
            belief.proofs[best],
            belief.elsewhere + dropped,
            belief.off_map,
        )

    def _near(
        self, places: Places, turned: Turned, others: Places, ways: Turned
    ) -> NDArray[np.bool_]:
        """Return [K, L] whether two states are one pose, as far as anybody minds."""
        route, rules = self._route, self._rules
        apart = np.linalg.norm(route.positions[places][:, None] - route.positions[others], axis=-1)
        headings, theirs = (
            route.yaws[p] + np.pi * t for p, t in ((places, turned), (others, ways))
        )
        faces = np.cos(headings[:, None] - theirs)
        return np.asarray((apart <= rules.within_m) & (faces >= rules.heading_cos))
