"""How a frame changes the weights of the route filter, computed by hand."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.recognition.route import Route
from husky_placerec.recognition.route_filter import RouteFilter
from husky_placerec.types import State
import numpy as np
import pytest
from support.builders import SPACING_M, straight_map
from support.driving import ahead
from support.route_filters import always, born, COUNT, held, NONE, PLAIN, states


@pytest.fixture(scope='module')
def route():
    return Route(straight_map(COUNT))


@pytest.mark.parametrize(('birth', 'gain'), [(0, 0), (3, 3), (100, 6), (-2, -2), (-100, -6)])
def test_the_best_candidate_is_born_by_its_ratio(route, birth, gain):
    weight = 0.5 * 0.8 * np.exp(gain)
    total = weight + 0.5 * 0.2 + 0.5
    belief = born(route, birth=birth).belief
    assert belief.weights.tolist() == pytest.approx([weight / total])
    assert (belief.elsewhere, belief.off_map) == pytest.approx((0.1 / total, 0.5 / total))


def test_the_prior_and_the_share_of_right_candidates_are_settings(route):
    belief = born(route, replace(PLAIN, off_map=0.2, found=0.6)).belief
    assert belief.weights.tolist() == pytest.approx([0.8 * 0.6])
    assert (belief.elsewhere, belief.off_map) == pytest.approx((0.8 * 0.4, 0.2))


def test_a_frame_without_candidates_bears_nothing(route):
    route_filter = RouteFilter(route, PLAIN)
    assert route_filter.step(None, NONE, always(0.0), 5.0)
    assert (route_filter.estimate, route_filter.state) == (None, State.LOST)
    assert (route_filter.belief.elsewhere, route_filter.belief.off_map) == (0.5, 0.5)


def test_candidates_of_one_pose_share_what_it_receives(route):
    """The clusters are 50, 52 and 53; 100 and 101; 50 in reverse."""
    places, reverse = [50, 100, 53, 52, 101, 50], [False] * 5 + [True]
    route_filter = RouteFilter(route, PLAIN)
    ratio = {50: 0.5, 52: 0.5, 53: -5.0, 100: -1.0, 101: 2.0}
    route_filter.step(
        None,
        states(places, reverse),
        lambda found, ways: np.array([ratio[place] for place in found.tolist()]),
        1.5,
    )
    others = 0.2 / 3
    expected = {
        (50, False): 0.8 / 3 * np.exp(1.5),
        (52, False): 0.8 / 3 * np.exp(1.5),
        (53, False): 0.8 / 3 * np.exp(1.5),  # by the ratio of the best, whatever its own is
        (100, False): others / 2 * np.exp(-1.0),
        (101, False): others / 2,  # no support of its own
        (50, True): others,
    }
    elsewhere = 1 - 0.8 - 2 * others
    total = 0.5 * (sum(expected.values()) + elsewhere) + 0.5
    belief = route_filter.belief
    found = dict(zip(zip(belief.places.tolist(), belief.reverse.tolist()), belief.weights))
    assert found == pytest.approx({state: 0.5 * w / total for state, w in expected.items()})
    assert belief.elsewhere == pytest.approx(0.5 * elsewhere / total)


@pytest.mark.parametrize(
    ('ratio', 'in_weight', 'in_proof'),
    [(1, 1, 1), (4, 4, 4), (5, 4, 5), (100, 4, 6), (-1, -1, 0), (-6, -6, 0), (-100, -6, 0)],
)
def test_a_followed_state_gains_a_bounded_ratio(route, ratio, in_weight, in_proof):
    route_filter = born(route)
    route_filter.step(ahead(), NONE, always(float(ratio)), 0.0)
    weight = 0.4 * np.exp(in_weight)
    assert held(route_filter) == pytest.approx(weight / (weight + 0.6))
    assert route_filter.estimate.proof == pytest.approx(in_proof)


@pytest.mark.parametrize(('metres', 'share'), [(1.5, 0.25), (3.0, 0.5), (6.0, 1.0), (9.0, 1.0)])
def test_frames_of_a_short_way_count_as_one(route, metres, share):
    route_filter = born(route, replace(PLAIN, evidence_m=6.0))
    route_filter.step(ahead(metres), NONE, always(2.0), 0.0)
    weight = 0.4 * np.exp(share * 2.0)
    # Half way between two places a little of the weight is lost.
    assert held(route_filter) == pytest.approx(weight / (weight + 0.6), rel=2e-3)
    assert route_filter.estimate.proof == pytest.approx(share * 2.0)


def test_the_trust_tempers_the_weights_and_not_the_proof(route):
    route_filter = born(route, replace(PLAIN, trust=0.35))
    route_filter.step(ahead(), NONE, always(2.0), 0.0)
    weight = 0.4 * np.exp(0.35 * 2.0)
    assert held(route_filter) == pytest.approx(weight / (weight + 0.6))
    assert route_filter.estimate.proof == pytest.approx(2.0)


def test_the_bounds_of_a_ratio_are_settings(route):
    route_filter = born(route, replace(PLAIN, strongest=3.0, most_for=2.0), birth=100.0)
    weight = 0.4 * np.exp(3.0)
    assert held(route_filter) == pytest.approx(weight / (weight + 0.6))
    before = held(route_filter)
    route_filter.step(ahead(), NONE, always(100.0), 0.0)
    weight = before * np.exp(2.0)
    assert held(route_filter) == pytest.approx(weight / (weight + 1 - before))
    assert route_filter.estimate.proof == pytest.approx(3.0)


def test_a_proof_fades_and_is_never_below_zero(route):
    route_filter = born(route, replace(PLAIN, proof_m=10.0))
    proof = 0.0
    for ratio in (5.0, 2.0, -1.0, -6.0, 3.0):
        route_filter.step(ahead(), NONE, always(ratio), 0.0)
        proof = max(proof * np.exp(-SPACING_M / 10.0) + ratio, 0.0)
        assert route_filter.estimate.proof == pytest.approx(proof)


def test_a_candidate_begins_with_the_proof_of_its_frame(route):
    route_filter = RouteFilter(route, PLAIN)
    route_filter.step(None, states([50]), always(2.0), 0.0)
    assert route_filter.estimate.proof == 2.0


def test_at_most_so_many_states_are_held(route):
    route_filter = RouteFilter(route, replace(PLAIN, states=2))
    route_filter.step(None, states([50, 100, 150]), always(0.0), 0.0)
    assert route_filter.belief.places.tolist() == [50, 100]


def test_by_default_64_states_are_held(route):
    route_filter = RouteFilter(route)
    route_filter.step(None, states(list(range(0, 195, 3))), always(0.0), 0.0)
    assert len(route_filter.belief.places) == 64
