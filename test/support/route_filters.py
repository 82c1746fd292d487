"""Route filters with a belief that a test chooses, and frames that say one thing of all places."""

from __future__ import annotations

from husky_placerec.recognition.belief import Belief
from husky_placerec.recognition.route_filter import RouteFilter, RouteFilterSettings
import numpy as np

NEVER = 1e12  # m
# The robot neither leaves the map nor is carried, each frame counts in full, and no proof fades or
# is required.
PLAIN = RouteFilterSettings(
    leave_m=NEVER, jump_m=NEVER, trust=1.0, proof_m=NEVER, required_proof=0.0
)
NONE = (np.zeros(0, np.int64), np.zeros(0, np.bool_))
COUNT = 200


def always(ratio):
    return lambda places, reverse: np.full(len(places), ratio)


def states(places, reverse=None):
    return np.array(places), np.array([False] * len(places) if reverse is None else reverse)


def born(route, settings=PLAIN, place=50, birth=0.0):
    """Return a filter after its first frame: by default 0.4 of a place, 0.1 elsewhere, 0.5 off."""
    route_filter = RouteFilter(route, settings)
    route_filter.step(None, states([place]), always(0.0), birth)
    return route_filter


def believing(route, settings, places, weights, reverse=None, proofs=None):
    """Return a filter whose belief has these states; the rest is off the map."""
    route_filter = RouteFilter(route, settings)
    weights = np.array(weights)
    proofs = np.zeros(len(places)) if proofs is None else np.array(proofs)
    belief = Belief(*states(places, reverse), weights, proofs, 0.0, 1 - float(weights.sum()))
    route_filter.belief = belief
    route_filter.step(None, NONE, always(0.0), 0.0)
    return route_filter


def held(route_filter):
    return float(route_filter.belief.weights.sum())
