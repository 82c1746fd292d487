"""Single steps of the route filter, with the weights computed by hand."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.config import make_config
from husky_placerec.recognition.belief import Belief
from husky_placerec.recognition.motion import Motion
from husky_placerec.recognition.route import Route
from husky_placerec.recognition.route_filter import RouteFilter, RouteFilterSettings
from husky_placerec.types import Pose, State
import numpy as np
import pytest
from support.builders import SPACING_M, straight_map
from support.calibrations import calibration
from support.driving import ahead

NEVER = 1e12  # m
# The robot neither leaves the map nor is carried, and no proof fades or is required.
PLAIN = RouteFilterSettings(leave_m=NEVER, jump_m=NEVER, proof_m=NEVER, required_proof=0.0)
NONE = (np.zeros(0, np.int64), np.zeros(0, np.bool_))
COUNT = 200


@pytest.fixture(scope='module')
def route():
    return Route(straight_map(COUNT))


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


@pytest.mark.parametrize(('leave_m', 'jump_m'), [(30.0, NEVER), (NEVER, 50.0), (30.0, 50.0)])
def test_the_robot_leaves_the_map_and_is_carried_by_the_metre(route, leave_m, jump_m):
    route_filter = born(route, replace(PLAIN, leave_m=leave_m, jump_m=jump_m))
    route_filter.step(ahead(), NONE, always(0.0), 0.0)
    leaves, jumps = (1 - np.exp(-SPACING_M / mean_m) for mean_m in (leave_m, jump_m))
    assert held(route_filter) == pytest.approx(0.4 * (1 - leaves - jumps))
    belief = route_filter.belief
    assert belief.elsewhere == pytest.approx(0.1 * (1 - leaves) + 0.5 * leaves + 0.4 * jumps)
    assert belief.off_map == pytest.approx(0.5 * (1 - leaves) + 0.1 * leaves + 0.4 * leaves)


def test_a_shorter_motion_is_none(route):
    route_filter = born(route, replace(PLAIN, least_m=2.0))
    before = route_filter.belief
    assert not route_filter.step(ahead(1.99), states([50]), always(3.0), 3.0)
    assert route_filter.belief is before
    assert route_filter.step(ahead(2.0), NONE, always(0.0), 0.0)


def reached(at_m, left_m=0.0, spread_m=0.0, reach=16):
    """Return the likelihood of each place after a motion, by the definition."""
    spread = np.hypot(0.5 * SPACING_M, spread_m) + 0.5
    apart = np.hypot(SPACING_M * np.arange(COUNT) - at_m, left_m)
    likelihood = np.exp(-0.5 * (apart / spread) ** 2) * (apart < 3 * spread)
    return np.where(apart <= np.sort(apart)[reach - 1], likelihood, 0.0)


def weights_of(route_filter, reverse=False):
    belief, weights = route_filter.belief, np.zeros(COUNT)
    of_way = belief.reverse == reverse
    weights[belief.places[of_way]] = belief.weights[of_way]
    return weights


@pytest.mark.parametrize('spread_m', [0.2, 3.0])
@pytest.mark.parametrize('metres', [3.0, 4.2])
def test_a_state_moves_to_the_places_around_where_it_comes_to(route, metres, spread_m):
    route_filter = born(route)
    motion = Motion(Pose.planar(metres, 0.0, 0.0), metres, spread_m, 0.05)
    route_filter.step(motion, NONE, always(0.0), 0.0)
    there = reached(50 * SPACING_M + metres, spread_m=spread_m)
    before = reached(50 * SPACING_M, spread_m=spread_m).sum()
    expected = 0.4 * there / max(there.sum(), before)
    np.testing.assert_allclose(weights_of(route_filter), expected, atol=1e-12)
    assert route_filter.belief.off_map == pytest.approx(0.5 + 0.4 - expected.sum())


def test_a_state_moves_to_a_bounded_number_of_places(route):
    route_filter = born(route, replace(PLAIN, reach=2))
    route_filter.step(ahead(4.0), NONE, always(0.0), 0.0)
    assert route_filter.belief.places.tolist() == [51, 52]
    there = reached(50 * SPACING_M + 4.0, spread_m=0.2)[[51, 52]]
    before = np.sort(reached(50 * SPACING_M, spread_m=0.2))[-2:].sum()
    expected = 0.4 * there / max(there.sum(), before)
    assert route_filter.belief.weights == pytest.approx(expected)


def test_the_map_may_have_fewer_places_than_a_state_may_reach():
    route_filter = born(Route(straight_map(3)), place=1)
    route_filter.step(ahead(1.0), NONE, always(0.0), 0.0)
    assert route_filter.belief.total == pytest.approx(1)


def test_a_step_to_the_side_leaves_the_map(route):
    route_filter = born(route)
    motion = Motion(Pose.planar(3.0, 2.0, 0.0), 3.6, 0.0, 0.05)
    route_filter.step(motion, NONE, always(0.0), 0.0)
    expected = 0.4 * reached(51 * SPACING_M, 2.0) / reached(50 * SPACING_M).sum()
    np.testing.assert_allclose(weights_of(route_filter), expected, atol=1e-12)
    assert route_filter.belief.off_map == pytest.approx(0.9 - expected.sum())


def test_at_the_end_of_the_map_the_rest_of_the_weight_leaves_it(route):
    route_filter = born(route, place=COUNT - 1)
    route_filter.step(ahead(), NONE, always(0.0), 0.0)
    end_m = (COUNT - 1) * SPACING_M
    share = reached(end_m + 3.0, spread_m=0.15).sum() / reached(end_m, spread_m=0.15).sum()
    assert held(route_filter) == pytest.approx(0.4 * share)


def test_a_state_in_reverse_moves_backwards(route):
    route_filter = believing(route, PLAIN, [50], [0.4], [True])
    motion = Motion(Pose.planar(4.0, 1.0, 0.0), 4.1, 0.0, 0.05)
    route_filter.step(motion, NONE, always(0.0), 0.0)
    there, before = reached(50 * SPACING_M - 4.0, -1.0), reached(50 * SPACING_M)
    expected = 0.4 * there / max(there.sum(), before.sum())
    np.testing.assert_allclose(weights_of(route_filter, True), expected, atol=1e-12)
    assert not weights_of(route_filter).any()


@pytest.mark.parametrize(
    ('turn_deg', 'ahead_share', 'reverse_share'),
    [(59.0, 1, 0), (61.0, 0, 0), (90.0, 0, 0), (119.0, 0, 0), (121.0, 0, 1), (180.0, 0, 1)],
)
def test_a_robot_that_turns_across_the_road_leaves_it(route, turn_deg, ahead_share, reverse_share):
    route_filter = born(route)
    motion = Motion(Pose.planar(3.0, 0.0, np.radians(turn_deg)), 3.0, 0.0, 0.05)
    route_filter.step(motion, NONE, always(0.0), 0.0)
    assert weights_of(route_filter).sum() == pytest.approx(0.4 * ahead_share)
    assert weights_of(route_filter, True).sum() == pytest.approx(0.4 * reverse_share)


def test_a_robot_may_turn_round_where_the_map_has_a_road_back():
    place_map = straight_map(60, tracks=2)
    poses = place_map.places.poses.copy()
    poses[60:, 3:] = 0, 0, 1, 0  # the second drive faces the other way
    route = Route(replace(place_map, places=replace(place_map.places, poses=poses)))
    route_filter = born(route, place=30)
    route_filter.step(ahead(), NONE, always(0.0), 0.0)
    belief = route_filter.belief
    assert belief.reverse.tolist() == (belief.places >= 60).tolist()
    assert belief.weights[belief.places >= 60].sum() > 0.1


def test_at_most_so_many_states_are_held(route):
    route_filter = RouteFilter(route, replace(PLAIN, states=2))
    route_filter.step(None, states([50, 100, 150]), always(0.0), 0.0)
    assert route_filter.belief.places.tolist() == [50, 100]


def test_the_estimate_is_the_likeliest_state_where_most_of_the_weight_lies(route):
    """Within 10 m of places 52 and 53 lie all of the first four; 80 is likeliest alone."""
    places, proofs = [50, 52, 53, 55, 80], [1.0, 2.0, 3.0, 4.0, 50.0]
    route_filter = believing(route, PLAIN, places, [0.1, 0.11, 0.12, 0.1, 0.3], proofs=proofs)
    estimate = route_filter.estimate
    assert (estimate.place, estimate.reverse) == (53, False)
    assert estimate.probability == pytest.approx(0.43)
    mean = 0.1 * 1 + 0.11 * 2 + 0.12 * 3 + 0.1 * 4
    assert estimate.proof == pytest.approx(mean / 0.43)


def test_of_places_with_nearly_all_the_weight_the_likeliest_is_the_estimate(route):
    """Place 53 has another state of little weight near it, and is not the estimate for that."""
    near = believing(route, PLAIN, [50, 53, 56], [0.5, 0.3, 0.0005])
    assert near.estimate.place == 50
    assert near.estimate.probability == pytest.approx(0.8)
    far = believing(route, PLAIN, [50, 53, 56], [0.5, 0.3, 0.002])
    assert far.estimate.place == 53


def test_another_distance_counts_as_one_pose(route):
    for within_m, probability in ((3.0, 0.7), (2.9, 0.4)):
        settings = replace(PLAIN, within_m=within_m)
        found = believing(route, settings, [50, 51], [0.4, 0.3]).estimate
        assert found.probability == pytest.approx(probability)


def test_a_state_in_reverse_is_another_pose(route):
    found = believing(route, PLAIN, [50, 51], [0.3, 0.4], [False, True]).estimate
    assert (found.place, found.reverse) == (51, True)
    assert found.probability == pytest.approx(0.4)


def test_without_weight_there_is_no_estimate(route):
    found = believing(route, PLAIN, [50], [0.0])
    assert (found.estimate, found.state) == (None, State.LOST)


@pytest.mark.parametrize(
    ('weight', 'state'),
    [(0.9, State.LOCALIZED), (0.8999, State.TENTATIVE), (0.5, State.TENTATIVE), (0.499, 'LOST')],
)
def test_a_state_begins_at_its_probability(route, weight, state):
    assert believing(route, PLAIN, [50], [weight]).state == state


def followed(route, settings, *weights, proofs=(0.0, 0.0)):
    """Return the state of a filter after beliefs of these weights, one after the other."""
    route_filter = believing(route, settings, [50], weights[:1], proofs=proofs[:1])
    for weight, proof in zip(weights[1:], proofs[1:]):
        route_filter.belief = Belief(
            *states([50]), np.array([weight]), np.array([proof]), 0.0, 1 - weight
        )
        route_filter.step(None, NONE, always(0.0), 0.0)
    return route_filter.state


def test_localized_ends_at_a_lower_probability_than_it_begins(route):
    settings = replace(PLAIN, localized_from=0.8, lost_below=0.6)
    assert followed(route, settings, 0.801) is State.LOCALIZED
    assert followed(route, settings, 0.799) is State.TENTATIVE
    assert followed(route, settings, 0.9, 0.601) is State.LOCALIZED
    assert followed(route, settings, 0.9, 0.599) is State.TENTATIVE
    assert followed(route, settings, 0.7, 0.7) is State.TENTATIVE


def test_localized_needs_its_proof_all_the_time(route):
    settings = replace(PLAIN, required_proof=10.0)
    assert followed(route, settings, 0.95, proofs=(10.0,)) is State.LOCALIZED
    assert followed(route, settings, 0.95, proofs=(9.999,)) is State.TENTATIVE
    assert followed(route, settings, 0.95, 0.95, proofs=(10.0, 9.999)) is State.TENTATIVE


def test_the_settings_are_those_of_the_configuration_and_the_calibration():
    parameters = {
        'leave_after': 200.0,
        'jump_after': 2000.0,
        'evidence_every': 2.4,
        'localized_from': 0.93,
        'lost_below': 0.6,
        'proof': 1.5,
    }
    made = calibration(trust=0.35, proof=8.0, found=0.7)
    assert RouteFilterSettings.of(make_config(parameters), made) == RouteFilterSettings(
        leave_m=200.0,
        jump_m=2000.0,
        evidence_m=2.4,
        trust=0.35,
        least_m=pytest.approx(0.8),
        localized_from=0.93,
        lost_below=0.6,
        required_proof=12.0,
        found=0.7,
    )
    far = RouteFilterSettings.of(make_config({'evidence_every': 9.0}), made)
    assert (far.evidence_m, far.least_m) == (9.0, 1.0)
