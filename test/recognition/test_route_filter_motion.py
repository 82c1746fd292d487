"""How a motion changes the weights of the route filter, computed by hand."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.recognition.motion import Motion
from husky_placerec.recognition.route import Route
from husky_placerec.types import Pose
import numpy as np
import pytest
from support.builders import SPACING_M, straight_map
from support.driving import ahead
from support.route_filters import always, believing, born, COUNT, held, NEVER, NONE, PLAIN, states


@pytest.fixture(scope='module')
def route():
    return Route(straight_map(COUNT))


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


def test_by_default_a_state_may_move_to_16_places():
    dense = Route(straight_map(60))
    route_filter = born(dense, place=30)
    motion = Motion(Pose.planar(3.0, 0.0, 0.0), 3.0, 12.0, 0.05)
    route_filter.step(motion, NONE, always(0.0), 0.0)
    assert len(route_filter.belief.places) == 16
