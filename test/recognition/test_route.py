"""The places of a map as a route: neighbours, spacing, and how alike neighbours are."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.placemap.places import Places
from husky_placerec.recognition.route import Route
from husky_placerec.types import Pose
import numpy as np
import pytest
from support.builders import random_descriptors, random_map


def map_at(xs, tracks=None, stamps=None, **changes):
    """Make a map of places on the x axis."""
    poses = np.zeros((len(xs), 7))
    poses[:, 0], poses[:, 6] = xs, 1
    stamps = np.arange(len(xs)) if stamps is None else np.array(stamps)
    names = tuple(tracks or 'a' * len(xs))
    places = Places(stamps, poses, names, np.ones((len(xs), 2), bool))
    return random_map(count=len(xs), places=places, **changes)


def links(route):
    return route.before.tolist(), route.after.tolist()


def test_neighbours_follow_each_other_in_time():
    route = Route(map_at([4.0, 0.0, 2.0], stamps=[30, 10, 20]))
    assert links(route) == ([2, -1, 1], [-1, 2, 0])
    assert route.neighbours(2).tolist() == [1, 0]
    assert route.neighbours(0).tolist() == [2]
    assert len(route) == 3


def test_tracks_are_not_linked_with_each_other():
    route = Route(map_at([0.0, 2.0, 4.0, 6.0], tracks='baab', stamps=[0, 1, 2, 3]))
    assert links(route) == ([-1, -1, 1, 0], [3, 2, -1, -1])


@pytest.mark.parametrize(('gap_m', 'linked'), [(8.0, True), (8.01, False)])
def test_a_gap_of_over_four_times_the_spacing_ends_a_stretch(gap_m, linked):
    route = Route(map_at(np.cumsum([0.0, 2.0, 2.0, 2.0, gap_m])))
    assert route.spacing_m == 2.0
    assert (route.after[3] == 4) == (route.before[4] == 3) == linked


def test_the_spacing_is_the_median_distance_of_places_that_differ():
    assert Route(map_at([0.0, 0.0, 0.0, 3.0, 8.0])).spacing_m == 4.0
    assert Route(map_at([0.0, 0.0])).spacing_m == 1.0
    assert Route(map_at([0.0, 7.0], tracks='ab')).spacing_m == 1.0


def test_the_spacing_at_a_place_is_the_mean_distance_to_its_neighbours():
    route = Route(map_at([0.0, 2.0, 5.0, 7.0, 100.0]))
    assert route.spacing_m == 2.5
    assert [route.spacing_at(place) for place in (0, 1, 4)] == [2.0, 2.5, 2.5]


def test_headings_are_those_of_the_poses():
    place_map = random_map()
    yaws = [Pose.from_array(pose).yaw for pose in place_map.places.poses]
    np.testing.assert_allclose(Route(place_map).yaws, yaws)


@pytest.mark.parametrize(
    ('place', 'within_m', 'expected'),
    [
        (5, 6.0, range(2, 9)),
        (5, 6.9, range(2, 9)),
        (5, 0.1, range(4, 7)),  # at least the neighbours
        (2, 100.0, range(0, 5)),
        (8, 100.0, range(7, 10)),
        (0, 6.0, [0]),
    ],
)
def test_a_window_ends_on_both_sides_where_the_track_ends_on_one(place, within_m, expected):
    route = Route(map_at(2.0 * np.arange(10)))
    assert route.window(place, within_m).tolist() == list(expected)


def test_the_nearest_places_are_found_within_a_distance():
    route = Route(map_at(2.0 * np.arange(10)))
    apart, found = route.nearest(np.array([[4.5, 0.0], [90.0, 0.0]]), 3, 2.0)
    assert found[0, :2].tolist() == [2, 3]
    assert apart[0].tolist() == [0.5, 1.5, np.inf]
    assert np.isinf(apart[1]).all()


def cosines_of(place_map):
    """Return [N - 1, C] cosines of the places with those after them."""
    seen = np.asarray(place_map.descriptors, np.float64)
    return (seen[:-1] * seen[1:]).sum(axis=2)


def test_the_similarity_of_a_place_is_the_mean_with_its_neighbours():
    place_map = map_at(2.0 * np.arange(10))
    route, cosines = Route(place_map), cosines_of(place_map)
    expected = [cosines[0].mean(), cosines[3:5].mean(), cosines[-1].mean()]
    found = route.neighbour_similarity(np.array([0, 4, 9]))
    assert found == pytest.approx(expected, abs=1e-3)
    assert route.neighbour_similarity(np.array([9, 0])).tolist() == [found[2], found[0]]


def test_a_camera_that_a_neighbour_lacks_does_not_count_for_its_similarity():
    present = np.array([[1, 0], [1, 1], [1, 1], [0, 1]], bool)
    descriptors = random_descriptors(np.random.default_rng(2), present)
    place_map = map_at(2.0 * np.arange(4), descriptors=descriptors)
    place_map = replace(place_map, places=replace(place_map.places, present=present))
    route, cosines = Route(place_map), cosines_of(place_map)
    shared = [cosines[0, 0], cosines[1, 0], cosines[1, 1]]
    assert route.neighbour_similarity(np.array([1]))[0] == pytest.approx(np.mean(shared), abs=1e-3)
    assert route.usual_similarity == pytest.approx(np.median([*shared, cosines[2, 1]]), abs=1e-3)


def test_a_place_without_neighbours_has_the_usual_similarity():
    place_map = map_at([0.0, 2.0, 4.0, 90.0])
    route = Route(place_map)
    assert route.neighbour_similarity(np.array([3]))[0] == route.usual_similarity
    assert route.usual_similarity == pytest.approx(np.median(cosines_of(place_map)[:2]), abs=1e-3)


def test_a_view_that_differs_twice_as_much_as_neighbours_is_at_most_twice_as_far():
    route = Route(map_at(2.0 * np.arange(10)))
    view = np.eye(2, 16, dtype=np.float32)
    opposed = -view
    away = np.eye(2, 16, 5, dtype=np.float32)
    usual = route.usual_similarity
    assert route.metres_between(view, view) == 0
    assert route.metres_between(view, away) == pytest.approx(2.0 / (1 - usual))
    assert route.metres_between(view, opposed) == pytest.approx(2 * 2.0 / (1 - usual))
    half = np.stack([view[0], away[1]])
    assert route.metres_between(view, half) == pytest.approx(0.5 * 2.0 / (1 - usual))
    front, back = view * [[1], [0]], view * [[0], [1]]
    assert route.metres_between(front, opposed) == pytest.approx(2 * 2.0 / (1 - usual))
    assert route.metres_between(front, back) == np.inf
    assert route.metres_between(1.1 * view, view) == 0


def test_where_neighbours_look_the_same_a_view_tells_no_distance():
    same = np.zeros((3, 2, 16), np.float16)
    same[:, :, 0] = 1
    route = Route(map_at([0.0, 2.0, 4.0], descriptors=same))
    assert route.usual_similarity == 1
    assert route.metres_between(np.eye(2, 16, dtype=np.float32), same[0]) == np.inf
    assert route.similarity_loss_per_m == pytest.approx(1e-3 / 2)


def test_the_similarity_falls_from_1_to_the_usual_one_in_a_spacing():
    route = Route(map_at(2.0 * np.arange(10)))
    assert route.similarity_loss_per_m == pytest.approx((1 - route.usual_similarity) / 2.0)
    alone = Route(map_at([0.0, 9.0], tracks='ab'))
    assert (alone.usual_similarity, alone.similarity_loss_per_m) == (0.0, 1.0)
