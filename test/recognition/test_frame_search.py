"""The search of a map: the same places as by brute force, by any camera and either way."""

from __future__ import annotations

from husky_placerec.config import make_config
from husky_placerec.placemap.building import opposite_cameras
from husky_placerec.types import Pose
import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from support.builders import (
    BACK,
    FRONT,
    random_descriptors,
    random_map,
)

WHOLE = np.ones((40, 2), bool)
PARTLY = np.random.default_rng(5).random((40, 2)) < 0.6
PARTLY[~PARTLY.any(axis=1), 0] = True


def brute_force(place_map, query, count, both_ways):
    """Return the best (similarity, place, reversed) by the definition of similarity."""
    stored = place_map.descriptors.astype(float)
    found = []
    for reverse, rows in ((False, query), (True, query[::-1])):
        for place, cameras in enumerate(stored if both_ways or not reverse else ()):
            cosines = [a @ b for a, b in zip(cameras, rows, strict=True) if a.any() and b.any()]
            if cosines:
                found.append((np.mean(cosines), place, reverse))
    return sorted(found, reverse=True)[:count]


@pytest.mark.parametrize('present', [WHOLE, PARTLY], ids=['whole', 'partly'])
@pytest.mark.parametrize('cameras', [(True, True), (True, False), (False, True)], ids=str)
@pytest.mark.parametrize('both_ways', [True, False])
@pytest.mark.parametrize('count', [1, 7, 500])
def test_a_search_is_the_brute_force_one(present, cameras, both_ways, count):
    place_map = random_map(present=present, count=len(present))
    rng = np.random.default_rng(1)
    for _ in range(3):
        query = random_descriptors(rng, np.array([cameras]))[0].astype(np.float32)
        found = place_map.search(query, count, both_ways=both_ways)
        expected = brute_force(place_map, query, count, both_ways)
        assert [(c.place, c.reversed) for c in found] == [tuple(e[1:]) for e in expected]
        np.testing.assert_allclose(
            [c.similarity for c in found], [e[0] for e in expected], atol=1e-5
        )


@pytest.mark.parametrize('here', [[0, 1], [0], [1]], ids=['both', 'front', 'back'])
@pytest.mark.parametrize('reverse', [False, True])
def test_a_place_is_found_again_by_any_camera_and_either_way(here, reverse):
    place_map = random_map(3)
    seen = place_map.descriptors[11].astype(np.float32)
    query = np.zeros_like(seen)
    query[here] = (seen[::-1] if reverse else seen)[here]
    best = place_map.search(query, 1, both_ways=True)[0]
    assert (best.place, best.reversed) == (11, reverse)
    assert best.similarity == pytest.approx(1, abs=1e-3)
    pose = place_map.place(11).pose
    assert best.pose == (pose.turned_round() if reverse else pose)


def test_turning_round_is_half_a_turn_about_the_robots_own_axis():
    for angles in ([0, 0, 0], [40, 0, 0], [40, 20, -10], [170, -35, 60]):
        rotation = Rotation.from_euler('ZYX', angles, degrees=True)
        turned = Pose(1, 2, 3, *rotation.as_quat()).turned_round()
        found = Rotation.from_quat(turned.as_array()[3:]).as_matrix()
        np.testing.assert_allclose(found, rotation.as_matrix() @ np.diag([-1, -1, 1]), atol=1e-9)
        assert (turned.x, turned.y, turned.z) == (1, 2, 3)


def test_without_opposites_the_direction_is_unknown_and_not_searched():
    place_map = random_map(opposites=None)
    found = place_map.search(place_map.descriptors[4].astype(np.float32), 99, both_ways=True)
    assert len(found) == len(place_map)
    assert {c.reversed for c in found} == {None}
    assert found[0].pose == place_map.place(4).pose


@pytest.mark.parametrize(
    ('values', 'opposites'),
    [
        ({}, (1, 0)),
        ({'camera.front.opposite': '', 'camera.back.opposite': ''}, None),
        ({'cameras': [FRONT]}, None),
        ({'cameras': ['up', BACK, FRONT]}, None),
    ],
)
def test_opposites_are_there_only_when_every_camera_has_one(values, opposites):
    assert opposite_cameras(make_config(values)) == opposites


@pytest.mark.parametrize('present', [WHOLE, PARTLY], ids=['whole', 'partly'])
@pytest.mark.parametrize('both_ways', [True, False])
def test_the_rival_is_the_best_place_elsewhere_or_the_other_way(present, both_ways):
    place_map = random_map(present=present, count=len(present))
    query = random_descriptors(np.random.default_rng(4), np.ones((1, 2), bool))[0]
    query = query.astype(np.float32)
    best = place_map.search(query, 1, both_ways=both_ways)[0]
    positions = place_map.places.poses[:, :2]
    for apart_m in (0.0, 60.0, 1000.0):
        near = np.hypot(*(positions - positions[best.place]).T) <= apart_m
        rivals = [
            similarity
            for similarity, place, reverse in brute_force(place_map, query, 500, both_ways)
            if reverse != best.reversed or not near[place]
        ]
        found = place_map.rival(query, best, apart_m, both_ways=both_ways)
        for camera in range(2) if rivals else ():
            seen = np.zeros_like(query)
            seen[camera] = query[camera]
            alone = [
                similarity
                for similarity, place, reverse in brute_force(place_map, seen, 500, both_ways)
                if reverse != best.reversed or not near[place]
            ]
            assert found.cosines[camera] == pytest.approx(max(alone, default=-np.inf), abs=1e-5)
        if rivals:
            assert found.similarity == pytest.approx(max(rivals), abs=1e-5)
        else:
            assert found is None
