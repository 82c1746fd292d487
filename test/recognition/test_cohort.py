"""The scale of a query's similarities: those to places all over the map."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.recognition.cohort import Cohort, CohortPlaces, LEAST, LEAST_PLACES, PLACES
import numpy as np
import pytest
from support.builders import random_descriptors, straight_map


def query_of(seed=1, cameras=(True, True)):
    rng = np.random.default_rng(seed)
    return random_descriptors(rng, np.array([cameras]))[0].astype(np.float32)


def similarities(place_map, query, places, ways=(False, True)):
    """Return the similarities of a query to places, way by way."""
    places = np.asarray(places)
    rows = [place_map.cosines(query, places, np.full(len(places), way)) for way in ways]
    cosines = np.concatenate(rows)
    seen = np.isfinite(cosines)
    mean = np.where(seen, cosines, 0.0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    return mean[seen.any(axis=1)]


@pytest.mark.parametrize('cameras', [(True, True), (True, False)], ids=str)
def test_a_small_map_is_its_own_cohort_in_both_directions(cameras):
    place_map, query = straight_map(20), query_of(cameras=cameras)
    found = CohortPlaces(place_map).of(query)
    expected = similarities(place_map, query, range(20))
    assert found.mean == pytest.approx(expected.mean(), abs=1e-5)
    assert found.deviation == pytest.approx(expected.std(), abs=1e-5)


def test_without_opposites_one_direction_counts():
    place_map, query = replace(straight_map(20), opposites=None), query_of()
    found = CohortPlaces(place_map).of(query)
    expected = similarities(place_map, query, range(20), ways=(False,))
    assert found.mean == pytest.approx(expected.mean(), abs=1e-5)
    assert found.deviation == pytest.approx(expected.std(), abs=1e-5)


def test_a_large_map_is_sampled_from_end_to_end():
    place_map, query = straight_map(2 * PLACES + 1), query_of()
    found = CohortPlaces(place_map).of(query)
    sampled = np.linspace(0, 2 * PLACES, PLACES).astype(int)
    expected = similarities(place_map, query, sampled)
    assert found.mean == pytest.approx(expected.mean(), abs=1e-5)
    assert found.deviation == pytest.approx(expected.std(), abs=1e-5)


def test_places_that_are_left_out_do_not_count():
    place_map = straight_map(20)
    query = place_map.descriptors[7].astype(np.float32)
    cohort = CohortPlaces(place_map)
    found = cohort.of(query, without=np.array([6, 7, 8]))
    left = [place for place in range(20) if place not in (6, 7, 8)]
    expected = similarities(place_map, query, left)
    assert found.mean == pytest.approx(expected.mean(), abs=1e-5)
    assert found.deviation == pytest.approx(expected.std(), abs=1e-5)
    assert found.deviation < cohort.of(query).deviation


def test_places_that_share_no_camera_do_not_count():
    present = np.ones((40, 2), bool)
    present[20:, 0] = False
    descriptors = random_descriptors(np.random.default_rng(3), present)
    places = replace(straight_map(40).places, present=present)
    place_map = replace(straight_map(40), descriptors=descriptors, places=places)
    query = query_of(cameras=(True, False))
    found = CohortPlaces(place_map).of(query)
    expected = similarities(place_map, query, range(40))
    assert len(expected) == 60  # 20 ahead by the front camera, 40 in reverse by the back one
    assert found.mean == pytest.approx(expected.mean(), abs=1e-5)
    assert found.deviation == pytest.approx(expected.std(), abs=1e-5)


@pytest.mark.parametrize(('places', 'scaled'), [(LEAST_PLACES - 1, False), (LEAST_PLACES, True)])
def test_on_a_tiny_map_similarities_stay_as_they_are(places, scaled):
    place_map = replace(straight_map(places), opposites=None)
    found = CohortPlaces(place_map).of(query_of())
    assert (found == Cohort(0.0, 1.0)) == (not scaled)


def test_an_absent_query_and_places_that_look_alike_have_a_scale_all_the_same():
    place_map = straight_map(20)
    assert CohortPlaces(place_map).of(np.zeros((2, 16), np.float32)) == Cohort(0.0, 1.0)
    alike = np.repeat(np.repeat(place_map.descriptors[:1, :1], 20, axis=0), 2, axis=1)
    found = CohortPlaces(replace(place_map, descriptors=alike)).of(query_of())
    assert found.deviation == LEAST


def test_deviations_are_bounded():
    cohort = Cohort(0.4, 0.1)
    differences = np.array([0.0, 0.2, -0.3, 5.0, -5.0])
    assert cohort.deviations(differences) == pytest.approx([0.0, 2.0, -3.0, 20.0, -20.0])


def test_a_share_is_of_what_is_usual_above_the_mean():
    cohort = Cohort(0.4, 0.1)
    seen = cohort.share(np.array([0.6, 0.8, 0.4, 0.2, 5.0, -5.0]), np.full(6, 0.8))
    assert seen == pytest.approx([0.5, 1.0, 0.0, -0.5, 2.0, -1.0])
    assert cohort.share(np.array([0.41]), np.array([0.3])) == pytest.approx([2.0])
    assert cohort.share(np.array([0.4 + LEAST]), np.array([0.4])) == pytest.approx([1.0])
