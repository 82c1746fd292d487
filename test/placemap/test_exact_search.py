"""Exact search of many queries ranks as the search of the map, and as scikit-learn."""

from __future__ import annotations

from husky_placerec.evaluation.protocol import turned_poses
from husky_placerec.placemap import exact_search
from husky_placerec.placemap.exact_search import search_exactly
from husky_placerec.types import Pose
import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors
from support.builders import random_descriptors, random_map, random_poses

NEEDS = ('sklearn',)

FRONT_ONLY, BACK_ONLY, BOTH, NONE = [1, 0], [0, 1], [1, 1], [0, 0]


def joined(*arguments):
    parts = list(search_exactly(*arguments))
    return {name: np.concatenate([getattr(p, name) for p in parts]) for name in vars(parts[0])}


@pytest.mark.parametrize('opposites', [(1, 0), None])
@pytest.mark.parametrize('places', [[BOTH] * 20, [BOTH] * 12 + [FRONT_ONLY] * 5 + [BACK_ONLY] * 3])
def test_the_ranking_is_that_of_the_map(places, opposites, monkeypatch):
    monkeypatch.setattr(exact_search, 'QUERIES', 4)  # several blocks of both
    monkeypatch.setattr(exact_search, 'PLACES', 7)
    place_map = random_map(present=np.array(places, bool), opposites=opposites)
    kinds = np.array([BOTH, FRONT_ONLY, BACK_ONLY, NONE] * 3, bool)
    queries = random_descriptors(np.random.default_rng(1), kinds)
    found = joined(queries, place_map.descriptors, 6, opposites)
    for row, query in enumerate(queries.astype(np.float32)):
        expected = place_map.search(query, 6, both_ways=True)
        count = len(expected)
        assert found['places'][row].tolist() == [c.place for c in expected] + [-1] * (6 - count)
        similarities = [c.similarity for c in expected]
        assert found['similarities'][row, :count] == pytest.approx(similarities, abs=1e-6)
        turned = [bool(c.reversed) for c in expected]
        assert found['turned'][row, :count].tolist() == turned


@pytest.mark.parametrize('opposites', [(1, 0), None])
@pytest.mark.parametrize('apart_m', [0.0, 60.0, 1000.0])
def test_rivals_are_those_of_the_map(opposites, apart_m, monkeypatch):
    monkeypatch.setattr(exact_search, 'PLACES', 7)
    present = np.array([BOTH] * 12 + [FRONT_ONLY] * 5 + [BACK_ONLY] * 3, bool)
    place_map = random_map(present=present, opposites=opposites)
    kinds = np.array([BOTH, FRONT_ONLY, BACK_ONLY, NONE] * 3, bool)
    queries = random_descriptors(np.random.default_rng(1), kinds).astype(np.float32)
    positions = place_map.places.poses[:, :2]
    (best,) = search_exactly(queries, place_map.descriptors, 3, opposites)
    found = exact_search.rival_similarities(
        queries, place_map.descriptors, positions, best, apart_m, opposites
    )
    for query, rival in zip(queries, found):
        candidates = place_map.search(query, 1, both_ways=True)
        expected = candidates and place_map.rival(query, candidates[0], apart_m, both_ways=True)
        if expected is None or not candidates:
            assert rival == -np.inf
        else:
            assert rival == pytest.approx(expected.similarity, abs=1e-5)


def test_the_nearest_are_those_of_scikit_learn():
    rng = np.random.default_rng(4)
    places, queries = (random_descriptors(rng, np.ones((n, 2), bool)) for n in (300, 50))
    found = joined(queries, places, 10)
    flat = [x.reshape(len(x), -1).astype(np.float64) for x in (places, queries)]
    neighbours = NearestNeighbors(n_neighbors=10, metric='cosine').fit(flat[0])
    assert (found['places'] == neighbours.kneighbors(flat[1], return_distance=False)).all()


def test_a_map_smaller_than_the_count_gives_what_it_has():
    rng = np.random.default_rng(4)
    places, queries = (random_descriptors(rng, np.ones((n, 2), bool)) for n in (3, 2))
    assert joined(queries, places, 10)['places'].shape == (2, 3)


def test_poses_are_turned_round_as_one_by_one():
    poses = random_poses(np.random.default_rng(6), 20)
    expected = [Pose.from_array(pose).turned_round().as_array() for pose in poses]
    assert turned_poses(poses) == pytest.approx(np.array(expected))
