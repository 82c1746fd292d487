"""The local agreement of a frame with places, the order of candidates by it, and its evidence."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.descriptor.local.network import restored
from husky_placerec.recognition.evidence import local_evidence
from husky_placerec.recognition.local_comparison import (
    COLUMNS,
    LocalComparison,
    MUTUAL,
    SHIFT,
    UPPER,
)
from husky_placerec.recognition.route import Route
from husky_placerec.types import Candidate
import numpy as np
import pytest
from support.builders import planar, SPACING_M, straight_map
from support.local_features import local_of, seen_at

COUNT = 10
PLACES = local_of(COUNT)


def comparison(place=3, cameras=(0, 1), turned=False, opposites=(1, 0), places=PLACES):
    query = np.zeros_like(PLACES.values[place])
    query[list(cameras)] = PLACES.values[place][list(cameras)]
    return LocalComparison(query[::-1] if turned else query, places, opposites)


def candidate(place, similarity, reverse=False):
    return Candidate(place, similarity, reverse, planar(SPACING_M * place))


def of(compared, place, reverse=False):
    return compared.of(np.array([place]), np.array([reverse]))[0]


def test_a_place_that_was_not_compared_is_unknown():
    compared = comparison()
    assert np.isnan(of(compared, 3)).all()
    compared.compare([(3, False), (5, False)])
    assert np.isfinite(of(compared, 3)).all() and np.isfinite(of(compared, 5)).all()
    assert np.isnan(of(compared, 4)).all() and np.isnan(of(compared, 3, True)).all()
    assert compared.of(np.zeros(0, int), np.zeros(0, bool)).shape == (0, COLUMNS)


def test_the_place_of_the_frame_agrees_best():
    compared = comparison()
    compared.compare([(place, False) for place in range(COUNT)])
    rows = compared.of(np.arange(COUNT), np.zeros(COUNT, bool))
    for column in (0, 1):
        assert rows[:, column].argmax() == 3
        assert rows[3, column] == pytest.approx(1.0, abs=0.01)
    assert rows[3, 2:4] == pytest.approx([0.0, 0.0], abs=1e-3)
    assert rows[3, UPPER] == pytest.approx(1.0, abs=0.01)


def test_the_agreement_is_the_mean_over_the_cameras():
    both = comparison()
    both.compare([(5, False)])
    image, others = restored(both.query), restored(PLACES.values[5])
    found = [PLACES.matcher.agreement(image[c], others[c][None]) for c in range(2)]
    for column, name in enumerate(('mutual', 'shift')):
        expected = np.mean([getattr(each, name)[0] for each in found])
        assert of(both, 5)[column] == pytest.approx(expected, abs=1e-6)


def test_a_place_in_reverse_is_seen_by_the_opposite_cameras():
    turned = comparison(turned=True)
    turned.compare([(3, False), (3, True)])
    assert of(turned, 3, True)[0] == pytest.approx(1.0, abs=0.01)
    assert of(turned, 3, False)[0] < 0.6
    alone = comparison(cameras=(0,), turned=True)  # what was in front is now behind
    alone.compare([(3, True)])
    assert of(alone, 3, True)[0] == pytest.approx(1.0, abs=0.01)


def test_cameras_that_are_absent_do_not_count():
    alone = comparison(cameras=(1,))
    alone.compare([(3, False)])
    assert of(alone, 3)[0] == pytest.approx(1.0, abs=0.01)
    values = PLACES.values.copy()
    values[3, 1] = 0
    partly = replace(PLACES, values=values)
    both = comparison(places=partly)
    both.compare([(3, False)])
    assert of(both, 3)[0] == pytest.approx(1.0, abs=0.01)


def test_a_place_that_shares_no_camera_is_unknown():
    values = PLACES.values.copy()
    values[3, 1] = 0
    compared = comparison(cameras=(1,), places=replace(PLACES, values=values))
    compared.compare([(3, False), (4, False)])
    assert np.isnan(of(compared, 3)).all()
    assert np.isfinite(of(compared, 4)).all()
    compared = comparison(cameras=())
    compared.compare([(3, False)])
    assert np.isnan(of(compared, 3)).all()


def test_the_order_changes_for_a_better_agreement():
    found = [candidate(place, 0.9 - 0.01 * place) for place in (0, 1, 2, 3, 4)]
    ranked = comparison().ranked(found)
    assert [each.place for each in found] == [0, 1, 2, 3, 4]
    assert ranked[0] is found[3]
    compared = comparison()
    compared.compare([(each.place, False) for each in found])
    rows = [of(compared, each.place) for each in found]
    score = [c.similarity + MUTUAL * row[UPPER] + SHIFT * row[1] for c, row in zip(found, rows)]
    expected = [found[at].place for at in np.argsort(score)[::-1]]
    assert [each.place for each in ranked] == expected


def test_a_much_higher_similarity_still_wins():
    found = [candidate(0, 9.0), candidate(3, 0.5)]
    assert comparison().ranked(found)[0].place == 0


def test_without_agreement_the_order_is_that_of_the_similarity():
    found = [candidate(place, 0.9 - 0.01 * place) for place in (4, 3, 1)]
    assert comparison(cameras=()).ranked(found) == sorted(found, key=lambda c: -c.similarity)
    assert comparison().ranked([]) == []


@pytest.mark.parametrize(
    ('branch', 'turned', 'first'),
    [('learned', False, 5), ('learned', True, 6), ('anchor', False, 6)],
)
def test_the_upper_third_alone_decides_for_the_learned_branch_forwards(branch, turned, first):
    # At place 5 the upper two of four rows agree with the frame, at place 6 the other two, and a
    # few cells above.
    values = PLACES.values.copy()
    half = values.shape[2] // 2
    values[5, :, :half], values[6, :, half:] = values[3, :, :half], values[3, :, half:]
    values[6, :, : half // 4] = values[3, :, : half // 4]
    spec = replace(PLACES.spec, branch=branch)
    compared = comparison(turned=turned, places=replace(PLACES, spec=spec, values=values))
    found = [candidate(place, 0.9, turned) for place in (5, 6)]
    assert compared.ranked(found)[0].place == first
    row = of(compared, 5, turned)
    assert row[UPPER] > 0.9 > row[0]


def test_a_place_between_others_that_agree_precedes_a_lone_one():
    route = Route(straight_map(COUNT))
    compared = replace(comparison(cameras=(0,)), route=route)
    places, ways = np.array([1, 5, 6, 7]), np.zeros(4, bool)
    # What counts is the similarity here: the agreement of all of them is that of strangers.
    score = compared._with_neighbours(places, ways, np.array([0.90, 0.88, 0.89, 0.88]))
    assert score == pytest.approx([0.875, 0.87, 0.885, 0.87])
    turned = compared._with_neighbours(places, np.array([0, 1, 0, 1], bool), np.full(4, 0.9))
    assert turned == pytest.approx([0.875] * 4)  # the other direction is no neighbour


def test_neighbours_that_are_far_away_or_missing_say_nothing():
    sparse = straight_map(COUNT)
    poses = sparse.places.poses.copy()
    poses[:, 0] *= 3
    sparse = replace(sparse, places=replace(sparse.places, poses=poses))
    scores = np.array([0.90, 0.80, 0.70])
    for route in (None, Route(sparse)):
        compared = replace(comparison(), route=route)
        found = compared._with_neighbours(np.array([1, 2, 3]), np.zeros(3, bool), scores)
        assert found == pytest.approx(scores)
    ends = replace(comparison(), route=Route(straight_map(COUNT)))
    found = ends._with_neighbours(np.array([0, 1]), np.zeros(2, bool), np.array([0.9, 0.6]))
    assert found[0] == pytest.approx((0.9 + 0.5 * 0.6) / 1.5)  # the first place has one


def test_the_neighbours_change_the_order():
    found = [candidate(8, 0.76), *[candidate(place, 0.75) for place in (2, 3, 4)]]
    alike = np.repeat(PLACES.values[3:4], COUNT, axis=0)
    places = replace(PLACES, values=alike)
    alone = comparison(places=places).ranked(found)
    along = replace(comparison(places=places), route=Route(straight_map(COUNT))).ranked(found)
    assert (alone[0].place, along[0].place) == (8, 3)


def test_the_directions_of_a_place_are_ranked_apart():
    found = [candidate(3, 0.9, False), candidate(3, 0.8, True)]
    assert comparison(turned=True).ranked(found)[0].reversed
    assert not comparison().ranked(found)[0].reversed


def lead_of(compared, place, apart_m=4.0, reverse=False):
    route = Route(straight_map(COUNT))
    return local_evidence(compared, route, apart_m, np.array([place]), np.array([reverse]))[0]


def test_the_local_lead_is_over_the_best_compared_place_that_contradicts():
    compared = comparison()
    compared.compare([(2, False), (3, False), (6, False), (8, True)])
    # Place 2 is 3 m away and contradicts nothing.
    others = np.array([of(compared, 6)[:2], of(compared, 8, True)[:2]])
    assert lead_of(compared, 3) == pytest.approx(of(compared, 3)[:2] - others.max(axis=0))
    assert (lead_of(compared, 3) > 0.2).all()
    assert lead_of(compared, 6) == pytest.approx(of(compared, 6)[:2] - of(compared, 3)[:2])
    near = lead_of(compared, 2, apart_m=2.0)
    assert near == pytest.approx(of(compared, 2)[:2] - of(compared, 3)[:2])


def test_a_place_in_the_other_direction_contradicts():
    compared = comparison()
    compared.compare([(3, False), (3, True)])
    expected = of(compared, 3)[:2] - of(compared, 3, True)[:2]
    assert lead_of(compared, 3) == pytest.approx(expected)


def test_without_a_comparison_or_a_contradiction_the_lead_is_unknown():
    compared = comparison()
    assert np.isnan(lead_of(compared, 3)).all()  # nothing was compared
    compared.compare([(3, False)])
    assert np.isnan(lead_of(compared, 3)).all()  # nothing contradicts it
    compared.compare([(8, False)])
    assert np.isfinite(lead_of(compared, 3)).all()
    assert np.isnan(lead_of(compared, 7)).all()  # was not compared itself
    assert local_evidence(
        compared, Route(straight_map(COUNT)), 4.0, np.zeros(0, int), np.zeros(0, bool)
    ).shape == (0, 2)


def test_the_scenes_of_the_tests_differ():
    rows = seen_at(range(3)).reshape(6, -1)
    assert len(np.unique(rows, axis=0)) == 6
