"""The filter over the route: what the robot may believe after it has driven, stood or flown."""

from __future__ import annotations

from husky_placerec.recognition.motion import Motion
from husky_placerec.recognition.route import Route
from husky_placerec.recognition.route_filter import RouteFilter, RouteFilterSettings
from husky_placerec.types import Pose, State
import numpy as np
import pytest
from support.builders import SPACING_M, straight_map
from support.driving import ahead

RIGHT, STRANGE = 5.0, -3.0  # log likelihood ratios


@pytest.fixture(scope='module')
def route():
    return Route(straight_map())


def seen_at(place, turned=False, ratio=RIGHT, others=STRANGE):
    """Return the candidates and the likelihoods of a frame that looks like one place."""

    def log_ratios(places, ways):
        near = np.abs(places - place) <= 1
        return np.where(near & (ways == turned), ratio, others)

    return (np.array([place]), np.array([turned])), log_ratios


def drive(route_filter, places, turned=False, **seen):
    for number, place in enumerate(places):
        moved = None if route_filter.estimate is None and number == 0 else ahead()
        route_filter.step(moved, *seen_at(place, turned, **seen), seen.get('ratio', RIGHT))
    return route_filter


def test_a_drive_along_the_route_is_localized_within_a_few_frames(route):
    route_filter = drive(RouteFilter(route), range(50, 54))
    assert route_filter.state is State.LOCALIZED
    assert route_filter.estimate.place in (52, 53, 54)
    assert not route_filter.estimate.reverse
    assert route_filter.estimate.probability > 0.99


def test_a_single_good_frame_is_not_enough(route):
    route_filter = drive(RouteFilter(route), [50])
    assert route_filter.state is not State.LOCALIZED


def test_the_road_driven_the_other_way_is_followed_backwards(route):
    route_filter = drive(RouteFilter(route), range(60, 50, -1), turned=True)
    assert route_filter.state is State.LOCALIZED
    assert (route_filter.estimate.place, route_filter.estimate.reverse) == (51, True)


def test_a_robot_that_stands_gains_nothing(route):
    route_filter = drive(RouteFilter(route), [50, 51], ratio=1.0)
    before, state = route_filter.belief, route_filter.state
    for _ in range(600):
        assert not route_filter.step(ahead(0.0), *seen_at(51, ratio=1.0), 1.0)
    assert route_filter.belief is before
    assert route_filter.state is state


def test_a_road_that_looks_a_little_like_the_map_is_not_believed(route):
    route_filter = drive(RouteFilter(route), range(50, 55), ratio=2.0)
    assert route_filter.estimate.probability > 0.9
    assert route_filter.state is State.TENTATIVE


def test_what_was_proven_of_one_place_is_not_of_another(route):
    route_filter = drive(RouteFilter(route), range(20, 30))
    for number in range(3):
        route_filter.step(ahead(), *seen_at(150 + number), RIGHT)
    assert route_filter.estimate.place == 152
    assert route_filter.estimate.probability > 0.9
    assert route_filter.state is State.TENTATIVE


def test_a_proof_fades_with_the_way(route):
    rules = RouteFilterSettings(proof_m=10.0, trust=1.0)
    proofs = []
    route_filter = RouteFilter(route, rules)
    for number in range(60):
        route_filter.step(ahead() if number else None, *seen_at(50 + number), RIGHT)
        proofs.append(route_filter.estimate.proof)
    assert proofs[0] == pytest.approx(RIGHT)
    assert proofs[-1] == pytest.approx(RIGHT / (1 - np.exp(-SPACING_M / 10.0)), rel=0.05)


def test_strangers_that_jump_about_are_never_believed(route):
    rng = np.random.default_rng(1)
    route_filter = RouteFilter(route)
    for number in range(500):
        place = int(rng.integers(len(route)))
        route_filter.step(ahead() if number else None, *seen_at(place, ratio=2.0), 0.0)
        assert route_filter.state is not State.LOCALIZED


def test_a_robot_that_leaves_the_map_is_soon_off_it(route):
    route_filter = drive(RouteFilter(route), range(50, 60))
    for _ in range(3):
        route_filter.step(ahead(), *seen_at(120, ratio=STRANGE), STRANGE)
    assert route_filter.state is State.LOST
    assert route_filter.belief.off_map > 0.5


def test_a_robot_that_drives_on_beyond_the_end_of_the_map_is_off_it_though_all_looks_alike(route):
    end = len(route) - 1
    route_filter = drive(RouteFilter(route), range(end - 10, end + 1))
    assert route_filter.state is State.LOCALIZED
    for _ in range(5):
        route_filter.step(ahead(), *seen_at(end, ratio=1.0), 0.0)
    assert route_filter.state is State.LOST
    assert route_filter.belief.off_map > 0.5


def test_a_carried_robot_is_right_again_within_twenty_metres(route):
    route_filter = drive(RouteFilter(route), range(20, 30))
    wrong = 0
    for number in range(6):
        place = 150 + number
        route_filter.step(ahead(), *seen_at(place), RIGHT)
        localized = route_filter.state is State.LOCALIZED
        wrong += localized and abs(route_filter.estimate.place - place) > 3
    assert wrong <= 1
    assert route_filter.state is State.LOCALIZED
    assert abs(route_filter.estimate.place - 155) <= 1


def test_two_places_that_look_alike_wait_until_the_road_tells_them_apart(route):
    def twins(number):
        first, second = (40 + number, 140 + number)[:: 1 if number % 2 else -1]

        def log_ratios(places, ways):
            near = (abs(places - first) <= 1) | (abs(places - second) <= 1)
            return np.where(near & ~ways, 3.0, STRANGE)

        return (np.array([first, second]), np.zeros(2, bool)), log_ratios

    route_filter = RouteFilter(route)
    for number in range(10):
        route_filter.step(ahead() if number else None, *twins(number), 0.0)
    assert route_filter.state is not State.LOCALIZED
    assert 0.3 < route_filter.estimate.probability < 0.95
    for number in range(10, 13):
        route_filter.step(ahead(), *seen_at(40 + number), RIGHT)
    assert route_filter.state is State.LOCALIZED
    assert abs(route_filter.estimate.place - 52) <= 1


def test_several_drives_on_one_road_are_one_place():
    route_filter = drive(RouteFilter(Route(straight_map(50, tracks=3))), range(10, 15))
    assert route_filter.estimate.probability > 0.98


def test_once_localized_a_bad_frame_is_borne(route):
    route_filter = drive(RouteFilter(route), range(50, 60))
    route_filter.step(ahead(), *seen_at(60, ratio=-1.0), -1.0)
    assert route_filter.state is State.LOCALIZED


@pytest.mark.parametrize('seed', range(5))
def test_the_weights_always_add_up_to_one_and_few_states_are_held(route, seed):
    rng = np.random.default_rng(seed)
    route_filter = RouteFilter(route, RouteFilterSettings(states=32))
    for number in range(60):
        places = rng.integers(len(route), size=rng.integers(6))
        turned = rng.random(len(places)) < 0.5
        moved = Motion(
            Pose.planar(*rng.normal(0, 5, 2), rng.normal()), *rng.exponential((5, 1, 1)).tolist()
        )

        def log_ratios(places, ways):
            return rng.normal(0, 10, len(places))

        route_filter.step(
            moved if number else None, (places, turned), log_ratios, rng.normal(0, 10)
        )
        belief = route_filter.belief
        assert belief.total == pytest.approx(1)
        assert (belief.weights >= 0).all() and belief.elsewhere >= 0 and belief.off_map >= 0
        assert len(belief.places) <= 32


def test_a_new_filter_is_lost(route):
    route_filter = drive(RouteFilter(route), range(50, 60))
    route_filter = RouteFilter(route)
    assert (route_filter.state, route_filter.estimate) == (State.LOST, None)
    assert route_filter.belief.total == pytest.approx(1)
