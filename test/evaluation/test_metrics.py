"""Recalls, precision and errors: counted by hand in small cases, by brute force in large ones."""

from __future__ import annotations

from husky_placerec.evaluation.metrics import chance_figures, is_right, judge, TOLERANCES_M
from husky_placerec.evaluation.metrics.figures import one_percent, RANKS
from husky_placerec.evaluation.metrics.judged import angles_deg
from husky_placerec.types import Pose
import numpy as np
import pytest
from support.builders import planar, random_poses
from support.judging import judged, MAP, summary

NEEDS = ('sklearn',)


def whole_ranks(recalls):
    """Return the recalls without those at 1 % of the map."""
    return {m: {k: v for k, v in table.items() if k != '1%'} for m, table in recalls.items()}


def test_a_small_drive_counted_by_hand():
    items = [
        judged(planar(0), planar(0), planar(50)),  # right
        judged(planar(20), planar(90), planar(24)),  # right at the second
        judged(planar(40), planar(48)),  # 8 m off
        judged(planar(60), planar(60, yaw_deg=180)),  # there, but faced the other way
        judged(planar(80), planar(0), accepted=False),  # wrong and refused
        judged(planar(500), planar(100)),  # not in the map, and believed
        judged(planar(0, 300), planar(0), accepted=False),  # not in the map, and refused
        judged(planar(100), accepted=False),  # no candidate
    ]
    found = summary(items, MAP)
    assert whole_ranks(found['recall']) == {
        '5': {'1': 2 / 6, '5': 3 / 6, '10': 3 / 6},
        '10': {'1': 3 / 6, '5': 4 / 6, '10': 4 / 6},
        '25': {'1': 3 / 6, '5': 4 / 6, '10': 4 / 6},
    }
    assert whole_ranks(found['recall_with_heading']) == {
        '5': {'1': 1 / 6, '5': 2 / 6, '10': 2 / 6},
        '10': {'1': 2 / 6, '5': 3 / 6, '10': 3 / 6},
        '25': {'1': 2 / 6, '5': 3 / 6, '10': 3 / 6},
    }
    assert found['precision'] == 2 / 5
    assert found['off_map'] == {'frames': 2, 'accepted': 1}
    distances = [0, 70, 8, 0, 80, 400, 300]
    assert found['mean_top1_distance_m'] == pytest.approx(np.mean(distances))
    assert found['median_top1_distance_m'] == 8  # of the frames on the map
    assert found['frames_on_map'] == {'5': 6, '10': 6, '25': 6}
    assert found['right_within'] == {'distance_m': 10.0, 'heading_deg': 30.0}


@pytest.mark.parametrize('heading', [None, 30.0])
def test_recall_equals_a_brute_force_count(heading):
    rng = np.random.default_rng(7)
    places = random_poses(rng, 30)
    truths = random_poses(rng, 60)
    chosen = rng.integers(30, size=(60, 12))
    truths[:30] = places[chosen[:30, 3]]  # near, with a right candidate among the others
    truths[:30, :2] += rng.uniform(-8, 8, (30, 2))
    places[:, 2] += 1000  # height does not count
    items = [
        judged(Pose.from_array(t), *(Pose.from_array(places[i]) for i in row))
        for t, row in zip(truths, chosen, strict=True)
    ]
    found = summary(items, places)['recall' if heading is None else 'recall_with_heading']

    distance = np.linalg.norm(truths[:, None, :2] - places[None, :, :2], axis=2)
    cosine = abs(truths[:, 3:] @ places[:, 3:].T).clip(0, 1)
    angle = np.degrees(2 * np.arccos(cosine))
    for tolerance in TOLERANCES_M:
        near = distance <= tolerance
        good = near if heading is None else near & (angle <= heading)
        hits = np.take_along_axis(good, chosen, 1)[near.any(axis=1)]
        assert 0 < len(hits) < 60
        for k in RANKS:
            expected = hits[:, :k].any(axis=1).mean()
            assert found[f'{tolerance:g}'][str(k)] == pytest.approx(expected)
    assert found['10']['1'] < found['10']['10']


@pytest.mark.parametrize(
    ('pose', 'right', 'right_by_place'),
    [
        (planar(10), True, True),
        (planar(6, 8), True, True),
        (planar(10.001), False, False),
        (planar(0, 0, 29.99), True, True),
        (planar(0, 0, -29.99), True, True),
        (planar(0, 0, 30.01), False, True),
        (planar(0, 0, 359), True, True),
        (Pose(0, 0, 99, 0, 0, 0, -1), True, True),  # the other sign is the same orientation
    ],
)
def test_a_pose_is_right_within_10_m_and_30_degrees_inclusive(pose, right, right_by_place):
    assert is_right(pose, planar(0), 10.0, 30.0) == right
    assert is_right(pose, planar(0), 10.0, None) == right_by_place
    assert judge(*zip(judged(planar(0), pose)), MAP).right == [right]


def test_the_rank_of_the_first_right_candidate():
    item = judged(planar(0), planar(50), planar(3, yaw_deg=90), planar(3), planar(0))
    assert judge(*zip(item), MAP, (5.0, 1.0)).first_right.tolist() == [[[2, 3], [4, 4]]]
    for hopeless in (judged(planar(0), planar(50)), judged(planar(0))):
        assert judge(*zip(hopeless), MAP, (5.0,)).first_right.tolist() == [[[0, 0]]]


def test_candidates_beyond_a_rank_do_not_count_for_it():
    item = judged(planar(0), *[planar(50)] * 5, planar(0), *[planar(50)] * 5)
    assert whole_ranks(summary([item], MAP, [5.0])['recall']) == {'5': {'1': 0, '5': 0, '10': 1}}


def test_nothing_accepted_has_no_precision():
    found = summary([judged(planar(0), planar(0), accepted=False)], MAP)
    assert found['precision'] is None
    assert found['recall']['5']['1'] == 1


@pytest.mark.parametrize(('y', 'frames'), [(10.0, 0), (10.001, 1)])
def test_a_frame_is_off_the_map_beyond_10_m(y, frames):
    found = summary([judged(planar(0, y), planar(0))], MAP)
    assert found['off_map'] == {'frames': frames, 'accepted': frames}
    assert found['recall']['5']['1'] is None
    assert found['recall']['25']['1'] == 1


def test_no_candidates_at_all_have_no_distance():
    found = summary([judged(planar(0), accepted=False)], MAP)
    assert found['mean_top1_distance_m'] is found['median_top1_distance_m'] is None
    assert whole_ranks(found['recall'])['25'] == {'1': 0, '5': 0, '10': 0}


def test_tolerances_are_named_as_they_are_written():
    assert list(summary([judged(planar(0))], MAP, [2.5, 10])['recall']) == ['2.5', '10']


def test_recall_at_one_percent_counts_a_hundredth_of_the_map():
    assert [one_percent(places) for places in (3, 100, 149, 151, 900)] == [1, 1, 1, 2, 9]
    poses = [planar(1000.0)] * 7
    map_poses = np.zeros((700, 7))
    hit, missed = judged(planar(0), *poses[:6], planar(0)), judged(planar(0), *poses)
    assert summary([hit, missed], map_poses)['recall']['5'] == {
        '1': 0,
        '5': 0,
        '10': 0.5,
        '1%': 0.5,
    }


def test_recall_at_one_percent_is_unknown_with_too_few_candidates():
    found = summary([judged(planar(0), planar(0))], np.zeros((300, 7)))
    assert found['recall']['5']['1'] == 1
    assert found['recall']['5']['1%'] is None


def test_chance_equals_the_mean_of_random_rankings():
    rng = np.random.default_rng(2)
    map_poses, truths = random_poses(rng, 40), random_poses(rng, 25)
    map_poses[:, 3:] = [0, 0, 0, 1]
    truths[:, 3:] = [0, 0, 0, 1]
    truths[:, :2] = map_poses[:25, :2] + rng.uniform(-15, 15, (25, 2))
    found = chance_figures(truths, map_poses, (25.0,))
    items = []
    for _ in range(400):
        for truth in truths:
            rows = rng.permutation(40)[:10]
            poses = [Pose.from_array(map_poses[row]) for row in rows]
            items.append(judged(Pose.from_array(truth), *poses))
    drawn = summary(items, map_poses, (25.0,))
    for rank in ('1', '5', '10', '1%'):
        for recall in ('recall', 'recall_with_heading'):
            assert found[recall, '25', rank] == pytest.approx(drawn[recall]['25'][rank], abs=0.02)
    expected = drawn['mean_top1_distance_m']
    assert found['mean_top1_distance_m',] == pytest.approx(expected, rel=0.03)


def test_angles_are_those_of_the_rotations():
    first, second = (random_poses(np.random.default_rng(i), 50) for i in (1, 2))
    found = angles_deg(first[:, 3:], second[:, 3:])
    expected = [Pose.from_array(a).angle_deg(Pose.from_array(b)) for a, b in zip(first, second)]
    between = [
        (Pose.from_array(a).rotation.inv() * Pose.from_array(b).rotation).magnitude()
        for a, b in zip(first, second)
    ]
    assert found == pytest.approx(expected)
    assert found == pytest.approx(np.degrees(between))
