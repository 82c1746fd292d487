"""The answer of a map to one frame: similarities, margins, candidates and poses."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.config import make_config
from husky_placerec.placemap.ranking import Rival
from husky_placerec.recognition.descriptor_recognizer import DescriptorRecognizer
from husky_placerec.recognition.interpolation import interpolated_pose
from husky_placerec.recognition.route import Route
from husky_placerec.recognition.search_result import SearchResult
from husky_placerec.types import Candidate
import numpy as np
import pytest
from support.builders import planar, SPACING_M, straight_map

NOBODY = np.zeros(2, np.float32)


@pytest.fixture(scope='module')
def place_map():
    return straight_map(40)


@pytest.fixture(scope='module')
def route(place_map):
    return Route(place_map)


def searched(place_map, route, query, without=None, **parameters):
    config = make_config({'extractor': 'pixels', **parameters})
    recognizer = DescriptorRecognizer(place_map, config, None)
    return recognizer.search(np.asarray(query, np.float32), without=without)


def test_a_search_returns_as_many_candidates_as_are_asked_for(place_map, route):
    found = searched(place_map, route, place_map.descriptors[7], candidates=3)
    assert len(found.candidates) == 3
    assert found.best is found.candidates[0]
    assert (found.best.place, found.best.reversed) == (7, False)
    places, reverse = found.states
    assert places.tolist() == [each.place for each in found.candidates]
    assert reverse.tolist() == [each.reversed for each in found.candidates]


def test_places_passed_in_reverse_are_searched_where_that_is_on(place_map, route):
    swapped = place_map.descriptors[7][::-1]
    found = searched(place_map, route, swapped)
    assert (found.best.place, found.best.reversed) == (7, True)
    assert found.states[1][0]
    ahead = searched(place_map, route, swapped, search_reversed=False)
    assert not ahead.states[1].any()


def test_places_that_are_left_out_are_neither_candidates_nor_rivals(place_map, route):
    query = place_map.descriptors[7].astype(np.float32)
    config = {'candidates': 80, 'elsewhere': 5.0}
    without = np.array([7, 30])
    found = searched(place_map, route, query, without, **config)
    assert not set(without.tolist()) & {each.place for each in found.candidates}
    rest = [place for place in range(40) if place not in (7, 30)]
    best = found.best
    assert found.rival.similarity == pytest.approx(
        max(
            place_map.cosines(query, np.array([place]), np.array([reverse])).mean()
            for place in rest
            for reverse in (False, True)
            if reverse != best.reversed or abs(place - best.place) * SPACING_M > 5.0
        ),
        abs=1e-3,
    )


def test_a_place_contradicts_from_the_parameter_elsewhere_on(place_map, route):
    descriptors = place_map.descriptors.copy()
    descriptors[11] = descriptors[7]  # 12 m from it
    twins = replace(place_map, descriptors=descriptors)
    near, far = (
        searched(twins, route, descriptors[7], elsewhere=apart_m) for apart_m in (12.0, 11.9)
    )
    assert near.apart_m == 12.0
    assert near.margin > 0.2
    assert far.margin == pytest.approx(0.0, abs=1e-3)


def test_without_a_camera_there_is_no_candidate(place_map, route):
    found = searched(place_map, route, np.zeros((2, 16)))
    assert (found.best, found.rival, found.margin) == (None, None, None)
    assert len(found.states[0]) == len(found.states[1]) == 0


@pytest.mark.parametrize('rival', [None, Rival(0.6, NOBODY)])
def test_the_margin_is_the_lead_over_the_rival(place_map, route, rival):
    best = Candidate(7, 0.9, False, planar(0.0))
    query = place_map.descriptors[7].astype(np.float32)
    found = SearchResult(place_map, route, query, (best,), rival, 20.0)
    assert found.margin == (None if rival is None else pytest.approx(0.3))


def test_a_similarity_is_the_mean_over_the_cameras_that_both_have(place_map, route):
    present = np.ones((40, 2), bool)
    present[3] = True, False
    present[4] = False
    descriptors = place_map.descriptors * present[..., None]
    places = replace(place_map.places, present=present)
    partly = replace(place_map, descriptors=descriptors, places=places)
    query = np.random.default_rng(1).normal(size=(2, 16)).astype(np.float32)
    found = searched(partly, route, query).similarities(np.array([2, 3, 4]), False)
    own = descriptors.astype(np.float64)
    assert found[0] == pytest.approx((own[2] * query).sum(axis=1).mean(), abs=1e-2)
    assert found[1] == pytest.approx(own[3, 0] @ query[0], abs=1e-2)
    assert found[2] == -np.inf
    (reverse,) = searched(partly, route, query).similarities(np.array([2]), True)
    assert reverse == pytest.approx((own[2] * query[::-1]).sum(axis=1).mean(), abs=1e-2)


@pytest.mark.parametrize('reverse', [False, True])
def test_the_pose_is_interpolated_by_the_similarities_of_its_direction(place_map, route, reverse):
    noise = np.random.default_rng(4).normal(0, 0.1, (2, 16))
    query = (place_map.descriptors[7] + noise)[:: -1 if reverse else 1]
    found = searched(place_map, route, query)
    expected = interpolated_pose(
        place_map.places.poses, route, 7, reverse, lambda p: found.similarities(p, reverse)
    )
    pose = found.pose(7, reverse)
    assert pose == expected
    assert found.pose(7, reverse) is pose
    assert found.pose(9, reverse) is not pose


@pytest.mark.parametrize('reverse', [False, True])
def test_any_place_has_the_form_of_a_candidate(place_map, route, reverse):
    query = place_map.descriptors[7].astype(np.float32)
    made = searched(place_map, route, query).candidate(9, reverse)
    mapped = planar(9 * SPACING_M)
    assert (made.place, made.reversed) == (9, reverse)
    assert made.pose == (mapped.turned_round() if reverse else mapped)
    expected = place_map.cosines(query, np.array([9]), np.array([reverse])).mean()
    assert made.similarity == pytest.approx(expected)
    one_way = replace(place_map, opposites=None)
    assert searched(one_way, route, query).candidate(9, False).reversed is None


def test_the_evidence_of_a_place_is_its_row(place_map, route):
    query = place_map.descriptors[7].astype(np.float32)
    found = searched(place_map, route, query)
    rows = found.evidence(np.array([7, 9, 7]), np.array([False, False, True]))
    for row, (place, reverse) in zip(rows, [(7, False), (9, False), (7, True)]):
        np.testing.assert_allclose(found.evidence_of(place, reverse), row)
    assert found.evidence_of(7, True) is found.evidence_of(7, True)
