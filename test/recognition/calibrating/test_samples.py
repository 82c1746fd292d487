"""The calibration set: which places are right, wrong or unknown, and how much each counts."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.config import make_config
from husky_placerec.recognition.calibrating.samples import (
    DescribedDrive,
    is_right,
    MASKED,
    MOST_FRAMES,
    sample_frame,
    Samples,
    true_state,
    UNKNOWN,
    WHOLE,
)
from husky_placerec.recognition.descriptor_recognizer import DescriptorRecognizer
from husky_placerec.recognition.evidence import EVIDENCE
from husky_placerec.types import Pose
import numpy as np
import pytest
from support.builders import planar, SPACING_M, straight_map

COUNT = 80
CANDIDATES = 4
PIXELS = {'extractor': 'pixels', 'candidates': CANDIDATES}


def drive(count=20, **changes):
    place_map = straight_map(COUNT)
    values = {
        'name': 'second',
        'descriptors': place_map.descriptors[:count],
        'stamps_ns': np.arange(count),
        'poses': place_map.places.poses[:count] + np.array([1.0, 0, 0, 0, 0, 0, 0]),
    }
    return DescribedDrive(**{**values, **changes})


def recognizer(place_map=None, **parameters):
    place_map = straight_map(COUNT) if place_map is None else place_map
    return DescriptorRecognizer(place_map, make_config({**PIXELS, **parameters}), None)


def test_a_long_drive_is_thinned_evenly():
    whole = drive()
    assert whole.thinned() is whole.thinned(20) is whole
    assert whole.thinned(3).stamps_ns.tolist() == [0, 9, 19]
    long = DescribedDrive('long', np.zeros((4000, 1, 1)), np.arange(4000), None)
    assert len(long.thinned()) == MOST_FRAMES == 1500


def test_a_part_of_a_drive_has_all_columns_of_its_frames():
    whole = drive(odometry=np.arange(140.0).reshape(20, 7), itself=True)
    part = whole.part(slice(3, 5))
    assert len(part) == 2 and part.itself
    for name in ('descriptors', 'stamps_ns', 'poses', 'odometry'):
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[3:5])
    bare = drive(poses=None).part(slice(3, 5))
    assert bare.poses is None and bare.odometry is None


def test_the_odometry_tells_the_motion_before_the_poses_do():
    odometry = np.ones((20, 7))
    with_poses, unknown = drive(), drive(poses=None)
    assert with_poses.motion is with_poses.poses
    assert unknown.motion is None
    assert drive(odometry=odometry).motion is odometry
    assert drive(poses=None, odometry=odometry).motion is odometry


def samples(*origins, weight=1.0, partial=False):
    return Samples.join([(np.zeros(2), False, weight, o, 0, partial) for o in origins])


def test_samples_are_columns():
    rows = [(np.ones(2), True, 0.5, MASKED, 7, True), (np.zeros(2), False, 1.0, WHOLE, 8, False)]
    joined = Samples.join(rows)
    assert [column.tolist() for column in vars(joined).values()] == [
        [[1.0, 1.0], [0.0, 0.0]],
        [True, False],
        [0.5, 1.0],
        [MASKED, WHOLE],
        [7, 8],
        [True, False],
    ]
    assert joined.chosen(joined.true).group.tolist() == [7]
    assert joined.whole.group.tolist() == [8]
    assert joined.chosen(joined.true).whole.group.tolist() == [7]  # for want of others


@pytest.mark.parametrize(
    ('origins', 'expected'),
    [
        ([WHOLE] * 6 + [MASKED] * 2, [1.0] * 6 + [1.5] * 2),
        ([WHOLE] * 6 + [UNKNOWN] * 3, [1.0] * 6 + [1.0] * 3),
        ([WHOLE] * 8 + [MASKED, UNKNOWN, UNKNOWN], [1.0] * 8 + [2.0, 1.0, 1.0]),
        ([WHOLE] * 3, [1.0] * 3),
    ],
)
def test_a_third_of_balanced_samples_is_unknown(origins, expected):
    balanced = samples(*origins).balanced(1 / 3)
    assert balanced.weight == pytest.approx(expected)
    assert balanced.origin.tolist() == origins


def test_balanced_samples_keep_their_weights_beside_each_other():
    some = replace(samples(WHOLE, MASKED, MASKED), weight=np.array([6.0, 1.0, 3.0]))
    assert some.balanced(0.25).weight == pytest.approx([6.0, 0.5, 1.5])
    assert some.weight.tolist() == [6.0, 1.0, 3.0]


@pytest.mark.parametrize(
    ('pose', 'right'),
    [
        (planar(10.0), True),
        (planar(10.01), False),
        (planar(6.0, 8.01), False),
        (planar(0.0, 0.0, 29.9), True),
        (planar(0.0, 0.0, 30.1), False),
        (planar(0.0, 0.0, -30.1), False),
    ],
)
def test_a_pose_is_right_within_ten_metres_and_thirty_degrees(pose, right):
    assert is_right(pose, planar(0.0)) == right


@pytest.mark.parametrize(
    ('truth', 'state'),
    [
        (planar(31.0), (10, False)),
        (planar(31.0, 0.0, 59.0), (10, False)),
        (planar(31.0, 0.0, -59.0), (10, False)),
        (planar(31.0, 0.0, 61.0), None),
        (planar(31.0, 0.0, 119.0), None),
        (planar(31.0, 0.0, 121.0), (10, True)),
        (planar(31.0, 0.0, 180.0), (10, True)),
        (planar(32.0), (11, False)),
        (planar(-9.9), (0, False)),
        (planar(-10.1), None),
        (planar(30.0, 10.1), None),
    ],
)
def test_the_true_state_is_the_nearest_place_of_a_road_in_either_direction(truth, state):
    assert true_state(recognizer(), truth, None) == state


def test_without_reverse_a_place_faces_as_the_drive_did():
    back = planar(31.0, 0.0, 180.0)
    assert true_state(recognizer(search_reversed=False), back, None) is None
    one_way = replace(straight_map(COUNT), opposites=None)
    assert true_state(recognizer(one_way), back, None) is None
    assert true_state(recognizer(one_way), planar(31.0), None) == (10, False)


def test_places_that_do_not_count_are_not_true():
    assert true_state(recognizer(), planar(31.0), np.array([10])) == (11, False)
    near = np.arange(7, 14)
    assert true_state(recognizer(), planar(31.0), near) is None


def test_a_place_across_is_not_the_true_one_though_it_is_nearest():
    place_map = straight_map(COUNT)
    poses = place_map.places.poses.copy()
    poses[10] = Pose.planar(31.0, 0.0, np.pi / 2).as_array()
    crossing = replace(place_map, places=replace(place_map.places, poses=poses))
    assert true_state(recognizer(crossing), planar(30.5), None) == (11, False)


def sampled(frame=10, **changes):
    """Return the samples of a frame, by origin and whether it has all cameras."""
    found = sample_frame(recognizer(), drive(**changes), frame, group=3)
    return Samples.join(found.gate), Samples.join(found.place)


def test_a_frame_is_sampled_whole_and_by_each_camera_with_and_without_its_place():
    gate, place = sampled()
    assert gate.origin.tolist() == [WHOLE, MASKED] * 3
    assert gate.partial.tolist() == [False] * 2 + [True] * 4
    assert gate.true.tolist() == [True, False] * 3
    assert set(gate.weight.tolist()) == {1.0}
    assert set(gate.group.tolist()) == set(place.group.tolist()) == {3}
    assert place.true.sum() == 3
    assert (place.origin[place.true] == WHOLE).all()
    assert (place.weight[place.true] == 1.0).all()
    assert place.partial[place.true].tolist() == [False, True, True]
    cosine = EVIDENCE.index('cosine')
    assert place.evidence[place.true][:, cosine] == pytest.approx([1.0] * 3, abs=1e-3)


def test_a_frame_with_one_camera_is_sampled_once():
    descriptors = drive().descriptors.copy()
    descriptors[10, 1] = 0
    gate, _ = sampled(descriptors=descriptors)
    assert gate.partial.tolist() == [True, True]


def test_strangers_count_by_their_share_of_all_places():
    _, place = sampled(poses=None)
    wrong = place.weight[: 10 + CANDIDATES]
    assert wrong == pytest.approx([1 / 10] * 10 + [1 / (COUNT * 2)] * CANDIDATES)
    assert not place.true.any()
    assert (place.origin == UNKNOWN).all()
    assert len(place.true) == 3 * (10 + CANDIDATES)


def test_candidates_of_one_direction_are_a_larger_share_of_all_places():
    found = sample_frame(recognizer(search_reversed=False), drive(poses=None), 10, group=0)
    place = Samples.join(found.place)
    assert place.weight[10 : 10 + CANDIDATES] == pytest.approx([1 / COUNT] * CANDIDATES)


class Told(DescriptorRecognizer):
    """Notes the states whose evidence is asked for, and the places that are left out."""

    def __init__(self, *args):
        super().__init__(*args)
        self.without, self.asked = [], []

    def search(self, query, local=None, without=None, metric=None, texts=()):
        self.without.append(without)
        result = super().search(query, local, without, metric, texts)
        evidence = result.evidence

        def noted(places, reverse):
            if len(places) > 1:
                self.asked.append((places, reverse))
            return evidence(places, reverse)

        object.__setattr__(result, 'evidence', noted)
        return result


def test_strangers_are_far_from_the_truth_in_both_directions():
    told = Told(straight_map(COUNT), make_config(PIXELS), None)
    ways = []
    for frame in range(20):
        sample_frame(told, drive(), frame, group=0)
    for (places, reverse), frame in zip(told.asked[::6], range(20)):
        truth_m = SPACING_M * frame + 1.0
        assert (np.abs(SPACING_M * places - truth_m) > 25.0).all()
        ways += reverse.tolist()
    assert 0.2 < np.mean(ways) < 0.8


def test_to_make_a_place_unknown_all_within_25_m_is_left_out():
    told = Told(straight_map(COUNT), make_config(PIXELS), None)
    sample_frame(told, drive(), 10, group=0)
    assert told.without[0] is None
    truth_m = SPACING_M * 10 + 1.0
    near = [place for place in range(COUNT) if abs(SPACING_M * place - truth_m) <= 25.0]
    assert sorted(told.without[1].tolist()) == near


def test_a_frame_of_the_map_itself_is_not_compared_with_its_own_place():
    told = Told(straight_map(COUNT), make_config(PIXELS), None)
    place_map = straight_map(COUNT)
    own = drive(
        COUNT, descriptors=place_map.descriptors, poses=place_map.places.poses, itself=True
    )
    found = sample_frame(told, own, 10, group=0)
    assert told.without[0].tolist() == [10]
    place = Samples.join(found.place)
    assert place.evidence[0, EVIDENCE.index('cosine')] < 0.9


@pytest.mark.parametrize(
    ('x', 'expected'), [(-10.1, []), (-24.9, []), (-25.1, [UNKNOWN] * 3), (-9.9, [0, 1] * 3)]
)
def test_a_frame_between_known_and_unknown_road_is_no_sample(x, expected):
    poses = np.tile(planar(x).as_array(), (20, 1))
    found = sample_frame(recognizer(), drive(poses=poses), 10, group=0)
    assert [row[3] for row in found.gate] == expected


def test_a_frame_that_no_place_resembles_is_no_sample():
    nothing = np.zeros_like(drive().descriptors)
    found = sample_frame(recognizer(), drive(descriptors=nothing), 10, group=0)
    assert (found.gate, found.place) == ([], [])


def test_a_wrong_best_candidate_is_a_wrong_sample_of_the_gate():
    descriptors = drive().descriptors.copy()
    descriptors[10] = straight_map(COUNT).descriptors[60]
    gate, place = sampled(descriptors=descriptors)
    assert gate.true.tolist() == [False] * 6
    assert place.true.sum() == 3  # the true place is known all the same


def test_the_same_frame_gives_the_same_strangers():
    first, second = sampled()[1], sampled()[1]
    np.testing.assert_array_equal(first.evidence, second.evidence)
    other = sampled(frame=11)[1]
    assert first.evidence.shape != other.evidence.shape or (first.evidence != other.evidence).any()
