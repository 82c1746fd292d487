"""Poses by landmarks beside the candidates of a frame."""

from __future__ import annotations

from dataclasses import replace
import json

from husky_placerec.config import make_config
from husky_placerec.metric.correspondences import FrameKeyPoints
from husky_placerec.metric.sight import Sight
from husky_placerec.placemap.places import Places
from husky_placerec.recognition.gravity import Gravity
from husky_placerec.recognition.metric_comparison import MetricComparison, planar, REPEATED
from husky_placerec.recognition.motion import Motion
from husky_placerec.recognition.pose_filter import PoseFilter
from husky_placerec.recognition.serialization import recognition_json, recognition_of
from husky_placerec.types import Candidate, Pose, Recognition
import numpy as np
import pytest
from support.builders import planar as at
from support.builders import random_map
from support.landmark_worlds import built, moved, rig, SIZE, straight, World

COUNT = 12
CONFIG = make_config({'metric_hypotheses': 500})


@pytest.fixture(scope='module')
def world():
    return World.street(count=700)


@pytest.fixture(scope='module')
def mapped(world):
    """Return a map of two copies of a street, the second one 200 m to the side."""
    poses = straight(COUNT)
    made = built(world, poses, rig())
    away = poses + np.array([0.0, 200, 0, 0, 0, 0, 0])
    both = np.concatenate([poses, away])
    stamps, present = np.arange(2 * COUNT), np.ones((2 * COUNT, 2), bool)
    tracks = ('one',) * COUNT + ('other',) * COUNT
    places = Places(stamps, both, tracks, present)
    twice = made.landmarks.joined(made.landmarks)
    return random_map(count=2 * COUNT, places=places, present=present, landmarks=twice)


def candidate(place_map, place, turned=False):
    return Candidate(place, 0.9, turned, Pose.from_array(place_map.places.poses[place]))


def comparison(world, place_map, truth, config=CONFIG, up=None):
    seen = world.seen(truth, rig(), seed=5, false=50)
    return MetricComparison(place_map, FrameKeyPoints(seen, rig(), 640), config, 17, up)


TRUTH = moved(straight(COUNT)[6], 0.9, -0.5, 4.0)


def test_the_first_candidate_that_is_solved_counts(world, mapped):
    lone = mapped.landmarks.chosen(np.arange(COUNT))
    place_map = replace(mapped, places=mapped.places.chosen(np.arange(COUNT)), landmarks=lone)
    compared = comparison(world, place_map, TRUTH)
    found = compared.search([candidate(place_map, 0, True), candidate(place_map, 6)], None)
    assert found.solved and found.place == 6 and not found.reversed
    assert found.pose.distance_m(TRUTH) < 0.05
    assert set(found.inliers) == {'front', 'back'} and found.lead is None
    assert len(found.covariance) == 36 and found.variances[0] == found.covariance_xy[0]


def test_only_so_many_candidates_are_tried(world, mapped):
    config = make_config({'metric_candidates': 1, 'metric_hypotheses': 500})
    compared = comparison(world, mapped, TRUTH, config)
    found = compared.search([candidate(mapped, 6, True), candidate(mapped, 6)], None)
    assert not found.solved and found.reason and found.reversed


def test_a_place_that_looks_the_same_elsewhere_speaks_against_a_pose(world, mapped):
    compared = comparison(world, mapped, TRUTH)
    found = compared.search([candidate(mapped, 6)], (6 + COUNT, False))
    assert not found.solved and found.reason == REPEATED and found.lead < 20
    assert compared.near(6, False) is None
    without = replace(compared.config, metric_lead=False)
    assert (
        comparison(world, mapped, TRUTH, without)
        .search([candidate(mapped, 6)], (6 + COUNT, False))
        .solved
    )


def test_a_rival_that_shows_something_else_is_led_by_the_inliers(world, mapped):
    compared = comparison(world, mapped, TRUTH)
    found = compared.search([candidate(mapped, 6)], (6, True))
    assert found.solved and found.lead > 0.5 * sum(found.inliers.values())


def test_a_pose_counts_beside_the_places_around_it(world, mapped):
    compared = comparison(world, mapped, TRUTH)
    assert compared.search([candidate(mapped, 6)], None).solved
    assert compared.near(8, False).pose.distance_m(TRUTH) < 0.1
    assert compared.near(6, True) is None
    assert comparison(World.street(seed=3), mapped, TRUTH).near(6, False) is None


def test_a_frame_without_key_points_has_no_pose(mapped):
    frame = FrameKeyPoints([Sight.nothing(SIZE)] * 2, rig(), 640)
    compared = MetricComparison(mapped, frame, CONFIG, 17)
    assert compared.search([], None) is None
    found = compared.search([candidate(mapped, 6)], None)
    assert not found.solved and found.reason == 'few_matches' and found.pose is None
    assert planar(found) is None


def test_a_pose_by_landmarks_is_logged_and_read_again(world, mapped):
    metric = comparison(world, mapped, TRUTH, up=np.array([0.0, 0.0, 1.0])).search(
        [candidate(mapped, 6)], (6, True)
    )
    said = Recognition(5, {'front': 5}, False, 'ambiguous', (), metric=metric)
    line = json.loads(json.dumps(recognition_json(said)))
    assert line['metric']['lead'] == metric.lead and line['metric']['solved']
    again, _ = recognition_of(line, 'log')
    assert again.metric == metric
    assert recognition_of({**line, 'metric': None}, 'log')[0].metric is None


def test_the_filter_takes_a_pose_by_landmarks_with_its_covariance():
    step = Motion(at(1.0), 1.0, 0.02, np.radians(0.5))
    exact = np.diag([0.02, 0.02, 0.002]) ** 2
    followed = PoseFilter(3.0)
    assert followed.covariance is None
    assert followed.update(None, at(0.0))
    assert followed.covariance[0, 0] > 1.0
    assert followed.update(step, at(1.4), exact)
    assert followed.covariance[0, 0] < 0.01
    assert followed.pose(None, at(1.4)).x == pytest.approx(1.4, abs=0.01)
    # A rough pose moves it no more, and an exact one that cannot be is no agreement.
    assert followed.update(step, at(4.0))
    assert followed.pose(None, at(4.0)).x == pytest.approx(2.4, abs=0.02)
    assert not followed.update(step, at(5.0), exact)


def test_gravity_is_the_mean_around_a_stamp():
    gravity = Gravity()
    assert gravity.at(0) is None
    for tenth in range(20):
        assert gravity.add(tenth * 100_000_000, np.array([0.1 * (-1) ** tenth, 0.0, 9.81]))
    np.testing.assert_allclose(gravity.at(1_000_000_000), [0, 0, 1], atol=2e-3)
    assert gravity.at(9_000_000_000) is None
    assert not gravity.add(3_000_000_000, np.array([9.0, 0.0, 1.0]))
    assert not gravity.add(3_000_000_000, np.array([np.nan, 0.0, 1.0]))
    gravity.add(5, np.array([0.0, 0.0, 1.0]))  # a bag loops
    assert gravity.at(1_000_000_000) is None
    gravity.begin_anew()
    assert gravity.at(5) is None


def test_evidence_is_of_the_places_beside_which_a_pose_was_sought(world, mapped):
    compared = comparison(world, mapped, TRUTH)
    places = np.array([6, 8, 6, 6 + COUNT])
    reverse = np.array([False, False, True, False])
    assert np.isnan(compared.evidence(places, reverse)).all()  # nothing was asked yet
    compared.solve(6, False)
    own, near, turned, elsewhere = compared.evidence(places, reverse)
    total = compared.solve(6, False).total
    assert own == pytest.approx([total / (total + 30), total / (total + 10)])
    assert near.tolist() == own.tolist()  # 6 m away: it shares the landmarks
    assert np.isnan(turned).all() and np.isnan(elsewhere).all()


def test_a_place_elsewhere_takes_the_lead_away(world, mapped):
    compared = comparison(world, mapped, TRUTH)
    compared.search([candidate(mapped, 6)], (6 + COUNT, False))
    inliers, lead = compared.evidence(np.array([6]), np.array([False]))[0]
    assert inliers > 0.7 and abs(lead) < 0.2
    twin = compared.evidence(np.array([6 + COUNT]), np.array([False]))[0]
    assert twin == pytest.approx([inliers, -lead], abs=0.1)


def test_a_pose_that_lies_elsewhere_is_no_evidence_for_a_place(world, mapped):
    compared = comparison(world, mapped, TRUTH)
    solved = compared.solve(2, False)  # 12.9 m behind the frame, which sees its landmarks
    assert solved.pose.distance_m(TRUTH) < 0.1
    assert np.isnan(compared.evidence(np.array([2]), np.array([False]))).all()
    compared.solve(3, False)
    assert np.isfinite(compared.evidence(np.array([3]), np.array([False]))).all()


def test_a_decision_begins_without_what_another_one_asked(world, mapped):
    compared = comparison(world, mapped, TRUTH)
    first = compared.solve(6, False)
    again = compared.again()
    assert np.isnan(again.evidence(np.array([6]), np.array([False]))).all()
    assert again.solve(6, False) is first  # and is not solved twice


def test_the_calibration_widens_the_covariance(world, mapped):
    compared = comparison(world, mapped, TRUTH)
    stated = compared.pose_of(6, False).covariance
    wide = replace(compared, scale=3.0).pose_of(6, False).covariance
    assert wide == pytest.approx(9 * np.array(stated))


def test_where_nothing_is_solved_there_is_no_evidence(world, mapped):
    seen = [Sight.nothing(SIZE) for _ in rig().cameras]
    blind = MetricComparison(mapped, FrameKeyPoints(seen, rig(), 640), CONFIG, 17)
    assert blind.solve(6, False).reason is not None
    assert np.isnan(blind.evidence(np.array([6]), np.array([False]))).all()
    compared = comparison(world, mapped, TRUTH)
    compared.solve(6, True)  # fails, because the place was not passed in reverse
    both = np.array([6, 6]), np.array([True, False])
    assert np.isnan(compared.evidence(*both)).all()
    compared.solve(6, False)  # what is solved here speaks against the other direction
    (_, against), (_, lead) = compared.evidence(*both)
    assert against < 0 < lead
