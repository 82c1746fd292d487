"""The search of a map by each kind of index: what it finds, leaves out, and says of itself."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.errors import InputError
from husky_placerec.placemap.index_plan import choose_index, INDEX_KINDS
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.storage import save_map
import numpy as np
import pytest
from support.builders import BACK, FRONT, MS, random_descriptors, random_map, START_NS

NEEDS = ('sklearn',)

COUNT = 600
PARTLY = np.random.default_rng(5).random((COUNT, 2)) < 0.7
PARTLY[~PARTLY.any(axis=1), 0] = True
QUERIES = 30


def clustered(seed, count):
    """Make [count, 2, 16] descriptors that lie in clusters, as those of streets do."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(20, 2, 16))
    vectors = centres[rng.integers(0, 20, count)] + 0.4 * rng.normal(size=(count, 2, 16))
    return vectors / np.linalg.norm(vectors, axis=2, keepdims=True)


@pytest.fixture(scope='module', params=['whole', 'partly', 'whitened'])
def plain(request):
    """Make a map without an index, so that every place is compared."""
    present = PARTLY if request.param == 'partly' else np.ones((COUNT, 2), bool)
    descriptors = (clustered(1, COUNT) * present[..., None]).astype(np.float16)
    made = random_map(count=COUNT, present=present, descriptors=descriptors)
    return made.whitened(made.fit_whitening()) if request.param == 'whitened' else made


@pytest.fixture(scope='module', params=INDEX_KINDS)
def indexed(request, plain):
    return plain.indexed(request.param)


@pytest.fixture(scope='module')
def queries():
    return clustered(2, QUERIES).astype(np.float32)


KINDS = ['forwards', 'reversed', f'{FRONT} alone', f'{BACK} alone']


def test_each_index_finds_what_comparing_with_every_place_finds(indexed, plain, queries):
    for kind in KINDS:
        best = [
            [found.search_each(query, 1)[kind][0].similarity for query in queries]
            for found in (indexed, plain)
        ]
        same = np.isclose(*best, atol=1e-5)
        assert same.mean() >= 0.9, kind
        assert (np.array(best[0]) <= np.array(best[1]) + 1e-5).all()


def test_the_similarities_of_a_candidate_are_exact_whatever_the_index(indexed, plain, queries):
    everything = {(c.place, c.reversed): c for c in plain.search(queries[0], 9999, both_ways=True)}
    for candidate in indexed.search(queries[0], 10, both_ways=True):
        expected = everything[candidate.place, candidate.reversed]
        assert candidate.similarity == pytest.approx(expected.similarity, abs=1e-5)
        assert candidate.cosines == pytest.approx(expected.cosines, abs=1e-5)
        assert candidate.similarity == pytest.approx(np.mean([*candidate.cosines.values()]))


def test_a_candidate_tells_how_like_each_of_the_robots_cameras_it_is():
    place_map = random_map()
    query = place_map.descriptors[7].astype(np.float32)
    query[1] = 0.8 * query[1] + 0.6 * query[0]  # the back camera sees something else too
    query[1] /= np.linalg.norm(query[1])
    (straight,) = place_map.search(query, 1, both_ways=True)
    assert (straight.place, straight.reversed) == (7, False)
    assert straight.cosines[FRONT] == pytest.approx(1, abs=1e-3)
    assert 0.5 < straight.cosines[BACK] < 0.95
    (turned,) = place_map.search(query[::-1], 1, both_ways=True)
    assert (turned.place, turned.reversed) == (7, True)
    assert turned.cosines[BACK] == pytest.approx(straight.cosines[FRONT])
    assert turned.cosines[FRONT] == pytest.approx(straight.cosines[BACK])


@pytest.mark.parametrize('radius_m', [0.0, 60.0, 1000.0])
def test_places_near_a_position_can_be_left_out(indexed, queries, radius_m):
    positions = indexed.places.poses[:, :2]
    near = indexed.near(positions[3], radius_m)
    distances = np.hypot(*(positions - positions[3]).T)
    assert set(near) == set(np.flatnonzero(distances <= radius_m))
    for query in queries[:5]:
        found = indexed.search(query, 10, both_ways=True, without=near)
        assert not {c.place for c in found} & set(near)
        assert bool(found) == (len(near) < COUNT)


def test_places_just_seen_can_be_left_out_for_loop_closure(indexed, queries):
    stamp = START_NS + 300 * 100 * MS
    recent = indexed.seen_between(stamp - 1000 * MS, stamp)
    assert recent.tolist() == list(range(290, 301))
    query = np.asarray(indexed.descriptors[300], np.float32)
    assert indexed.search(query, 1, both_ways=False)[0].place == 300
    assert indexed.search(query, 1, both_ways=False, without=recent)[0].place not in recent


def test_asking_each_kind_at_once_is_asking_them_one_by_one(indexed, queries):
    for query in queries[:5]:
        found = indexed.search_each(query, 3)
        assert list(found) == KINDS
        assert found['forwards'] == indexed.search(query, 3, both_ways=False)
        for i, name in enumerate((FRONT, BACK)):
            alone = np.zeros_like(query)
            alone[i] = query[i]
            expected = indexed.search(alone, 1, both_ways=True)[0].similarity
            assert found[f'{name} alone'][0].similarity == pytest.approx(expected, abs=1e-2)
        assert {c.reversed for c in found['reversed']} == {True}


def test_a_query_without_one_camera_is_not_asked_for_it(indexed, queries):
    query = queries[0].copy()
    query[1] = 0
    assert f'{BACK} alone' not in indexed.search_each(query, 1)
    assert indexed.search_each(np.zeros_like(query), 1) == {}
    assert indexed.search(np.zeros_like(query), 1, both_ways=True) == []


def test_an_index_says_how_often_it_finds_the_best_place(indexed):
    report = indexed.index.report
    assert list(report.recall) == KINDS
    assert report.queries == 200
    assert report.cpu_ms > 0
    assert min(report.recall.values()) >= (1 if indexed.index.plan.kind == 'flat' else 0.95)


def test_a_poor_index_reports_that_it_is_poor(plain, monkeypatch):
    monkeypatch.setattr('husky_placerec.placemap.index_plan.SHORTLIST', 1)
    monkeypatch.setattr('husky_placerec.placemap.indexing.BUDGET_MS', 0.0)  # may not search more
    report = plain.indexed('sq8').index.report
    assert report.recall['reversed'] < 0.9


def test_a_map_comes_back_with_its_index_and_finds_the_same(indexed, queries, tmp_path):
    save_map(indexed, tmp_path / 'map')
    found = load_map(tmp_path / 'map')
    assert found.index.plan == indexed.index.plan
    assert found.index.report == indexed.index.report
    for query in queries:
        expected = indexed.search(query, 5, both_ways=True)
        assert found.search(query, 5, both_ways=True) == expected


def test_a_query_that_is_like_no_place_finds_its_best_one_by_all_cameras_together(monkeypatch):
    monkeypatch.setattr('husky_placerec.placemap.indexing.BUDGET_MS', 0.0)  # no tuning
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(1500, 2, 16))
    rows /= np.linalg.norm(rows, axis=2, keepdims=True)
    strange = rng.normal(size=(40, 2, 16)).astype(np.float32)
    strange /= np.linalg.norm(strange, axis=2, keepdims=True)
    place_map = random_map(count=1500, descriptors=rows.astype(np.float16))
    found = {}
    for kind in (None, 'ivf_sq8', 'ivf_places'):
        made = place_map if kind is None else place_map.indexed(kind)
        if kind:  # with the same, short lists of each
            plan = replace(made.index.plan, breadth=made.index.plan.lists, shortlist=15)
            made = replace(made, index=replace(made.index, plan=plan))
        found[kind] = [made.search(query, 1, both_ways=True)[0].similarity for query in strange]
    right = {kind: np.isclose(found[kind], found[None], atol=1e-5).mean() for kind in found}
    assert right['ivf_places'] >= 0.95
    assert right['ivf_sq8'] < 0.9


@pytest.mark.parametrize('kind', ['flat', 'ivf_places'])
def test_the_strongest_evidence_of_each_camera_alone_is_found(kind):
    place_map = random_map(count=300)
    query = np.asarray(place_map.descriptors[7], np.float32)
    query[1] = place_map.descriptors[200, 1]  # which is no place by both cameras
    made = place_map.indexed(kind)
    best = made.search(query, 1, both_ways=True)[0]
    cosines = made.rival(query, best, 0.1, both_ways=True).cosines
    assert cosines.max() == pytest.approx(1, abs=1e-2)


def test_a_map_whose_places_do_not_tell_enough_is_searched_by_views(monkeypatch):
    monkeypatch.setattr('husky_placerec.placemap.index_plan._kind', lambda *_: 'ivf_places')
    monkeypatch.setattr('husky_placerec.placemap.place_index.DIRECTIONS', 1)
    monkeypatch.setattr('husky_placerec.placemap.indexing.BUDGET_MS', 0.0)
    monkeypatch.setattr('husky_placerec.placemap.index_plan.LEAST_BREADTH', 1000)
    made = random_map(count=COUNT, descriptors=clustered(1, COUNT).astype(np.float16))
    assert made.indexed().index.plan.kind == 'ivf_sq8'
    assert made.indexed('ivf_places').index.plan.kind == 'ivf_places'


@pytest.mark.parametrize(
    ('places', 'size', 'kind'),
    [
        (600, 768, 'flat'),
        (3500, 768, 'flat'),
        (4000, 768, 'sq8'),
        (5000, 768, 'hnsw'),
        (60_000, 256, 'hnsw'),
        (1_000_000, 256, 'ivf_places'),
    ],
)
def test_the_size_of_a_map_chooses_its_index(places, size, kind):
    assert choose_index(places, 2, size).kind == kind


def test_another_index_may_be_asked_for_but_only_one_that_there_is():
    assert choose_index(10, 2, 16, 'hnsw').kind == 'hnsw'
    with pytest.raises(InputError, match=r"no index 'kdtree'; there are: flat, sq8, hnsw"):
        choose_index(10, 2, 16, 'kdtree')


@pytest.mark.parametrize('count', [1, 2, 3])
@pytest.mark.parametrize('kind', INDEX_KINDS)
def test_the_smallest_maps_can_be_searched(kind, count):
    place_map = random_map(count=count).indexed(kind)
    query = place_map.descriptors[0].astype(np.float32)
    assert place_map.search(query, 5, both_ways=False)[0].place == 0
    assert place_map.index.report.recall == ({} if count == 1 else dict.fromkeys(KINDS, 1.0))


def test_a_map_of_one_camera_has_one_kind_of_query():
    present = np.ones((9, 1), bool)
    place_map = random_map(
        count=9,
        present=present,
        opposites=None,
        descriptors=random_descriptors(np.random.default_rng(0), present),
    )
    place_map = replace(place_map, spec=replace(place_map.spec, cameras=(FRONT,)))
    assert list(place_map.indexed().index.report.recall) == ['forwards']
