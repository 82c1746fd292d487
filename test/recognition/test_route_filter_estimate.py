"""The estimate and the state of the route filter, and the settings that they depend on."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.config import make_config
from husky_placerec.recognition.belief import Belief
from husky_placerec.recognition.route import Route
from husky_placerec.recognition.route_filter import RouteFilterSettings
from husky_placerec.types import State
import numpy as np
import pytest
from support.builders import straight_map
from support.calibrations import calibration
from support.route_filters import always, believing, COUNT, NEVER, NONE, PLAIN, states


@pytest.fixture(scope='module')
def route():
    return Route(straight_map(COUNT))


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


def test_any_state_has_the_weight_that_lies_near_it(route):
    """Within 10 m of place 51 lie 50 and 53, forwards; nobody believes in 90."""
    belief = believing(route, PLAIN, [50, 53, 80], [0.4, 0.3, 0.2], [False, False, True])
    asked = np.array([51, 80, 80, 90]), np.array([False, True, False, False])
    assert belief.probabilities(*asked) == pytest.approx([0.7, 0.2, 0.0, 0.0])


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
    made = calibration(proof=8.0, guessed_proof=10.0, found=0.7)
    assert RouteFilterSettings.of(make_config(parameters), made) == RouteFilterSettings(
        leave_m=200.0,
        jump_m=2000.0,
        evidence_m=2.4,
        least_m=pytest.approx(0.8),
        localized_from=0.93,
        lost_below=0.6,
        required_proof=12.0,
        found=0.7,
    )
    far = RouteFilterSettings.of(make_config({'evidence_every': 9.0}), made)
    assert (far.evidence_m, far.least_m) == (9.0, 1.0)


def test_the_proof_where_only_the_time_tells_the_motion_is_another():
    made = calibration(proof=8.0, guessed_proof=10.0)
    by_odometry, by_time = (
        RouteFilterSettings.of(make_config({'proof': 1.5}), made, guessed=guessed)
        for guessed in (False, True)
    )
    assert (by_odometry.required_proof, by_time.required_proof) == (12.0, 15.0)
    assert replace(by_time, required_proof=12.0) == by_odometry


@pytest.mark.parametrize(('cameras', 'proof'), [(1.0, 12.0), (0.5, 8.485), (0.25, 6.0)])
def test_a_frame_that_lacks_cameras_needs_less_proof(cameras, proof):
    made = calibration(proof=8.0)
    settings = RouteFilterSettings.of(make_config({'proof': 1.5}), made, cameras=cameras)
    assert settings.required_proof == pytest.approx(proof, abs=1e-3)


@pytest.mark.parametrize('guessed', [False, True])
def test_no_proof_is_enough_on_a_map_that_is_unfit(route, guessed):
    made = calibration(proof=8.0, guessed_proof=10.0, grade='unfit')
    settings = RouteFilterSettings.of(make_config({}), made, guessed=guessed)
    most = settings.strongest / (1 - np.exp(-settings.least_m / settings.proof_m))
    assert settings.required_proof > 10 * most  # of frames that all say the most
    assert followed(route, settings, 0.99, proofs=(most,)) is State.TENTATIVE


def test_the_settings_are_by_default_those_of_the_default_configuration():
    of_config = RouteFilterSettings.of(make_config({}), calibration(found=0.8))
    assert of_config == replace(RouteFilterSettings(), required_proof=0.0)


def test_a_new_filter_needs_a_proof_of_15(route):
    settings = replace(RouteFilterSettings(), leave_m=NEVER, jump_m=NEVER, proof_m=NEVER)
    assert followed(route, settings, 0.95, proofs=(15.0,)) is State.LOCALIZED
    assert followed(route, settings, 0.95, proofs=(14.99,)) is State.TENTATIVE
