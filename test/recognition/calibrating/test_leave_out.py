"""What a calibration drives: the map, and the map without what it is to be unknown."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.config import make_config
from husky_placerec.recognition.calibrating.calibrate import itself
from husky_placerec.recognition.calibrating.leave_out import record_runs, Setting
from husky_placerec.recognition.calibrating.samples import DescribedDrive
from husky_placerec.texts.map_texts import MapTexts
from husky_placerec.texts.seen import SeenText
from husky_placerec.types import SECOND_NS
import numpy as np
import pytest
from support.builders import planar, SPACING_M, straight_map
from support.calibrations import calibration, model, table
from support.local_features import local_of

COUNT = 80
CONFIG = make_config({'extractor': 'pixels'})


def runs(place_map, drive, **parameters):
    config = make_config({'extractor': 'pixels', **parameters})
    return list(
        record_runs(Setting(place_map, (drive,)), config, lambda _: lambda items, _: items)
    )


def test_a_map_that_is_its_own_drive_is_left_for_each_quarter_in_turn():
    place_map = straight_map(COUNT)
    whole, *others = runs(place_map, itself(place_map))
    assert all(whole.truths)
    assert len(others) == 4
    for quarter, run in enumerate(others):
        assert len(run.place_map) == COUNT * 3 // 4
        off = [frame for frame, truth in enumerate(run.truths) if truth is None]
        assert off, quarter
        assert all(quarter * 20 <= frame < (quarter + 1) * 20 for frame in off)


def test_no_frame_of_a_map_is_compared_with_itself():
    place_map = straight_map(COUNT)
    for run in runs(place_map, itself(place_map)):
        for frame, result in enumerate(run.results):
            x = SPACING_M * frame
            assert all(abs(found.pose.x - x) > SPACING_M / 2 for found in result.candidates)


def test_another_drive_is_driven_once_more_where_all_is_unknown():
    place_map = straight_map(COUNT)
    poses = place_map.places.poses[:20] + np.array([1.0, 0, 0, 0, 0, 0, 0])
    drive = DescribedDrive('second', place_map.descriptors[:20], np.arange(20), poses)
    known, unknown = runs(place_map, drive)
    assert all(known.truths)
    assert not any(unknown.truths)
    assert len(unknown.place_map) < COUNT - 20


def test_a_drive_that_covers_the_map_leaves_it_for_each_quarter_in_turn():
    place_map = straight_map(COUNT)
    poses = place_map.places.poses + np.array([1.0, 0, 0, 0, 0, 0, 0])
    drive = DescribedDrive('second', place_map.descriptors, np.arange(COUNT) * SECOND_NS, poses)
    whole, *others = runs(place_map, drive)
    assert all(whole.truths)
    assert len(others) == 4
    for quarter, run in enumerate(others):
        assert len(run.place_map) < COUNT * 3 / 4
        (stretch,) = run.unknown_stretches()
        first = poses[quarter * 20, 0]
        assert first <= stretch.drive.poses[0, 0] <= stretch.drive.poses[-1, 0] < first + 60


def test_the_unknown_part_of_a_run_is_far_from_all_that_is_mapped():
    place_map = straight_map(COUNT)
    whole, first, *_ = runs(place_map, itself(place_map))
    assert not list(whole.unknown_stretches())
    (stretch,) = first.unknown_stretches()
    assert len(stretch.drive) == len(stretch.truths) == len(stretch.results)
    assert stretch.truths == (None,) * len(stretch.drive)
    assert stretch.drive.poses[:, 0].max() < 20 * SPACING_M - 25
    assert stretch.metres(1.0) == pytest.approx(SPACING_M * (len(stretch.drive) - 1))


def test_a_drive_that_is_known_to_be_elsewhere_is_unknown_all_along():
    place_map = straight_map(COUNT)
    seconds = np.arange(9) * SECOND_NS
    drive = DescribedDrive('elsewhere', place_map.descriptors[:9], seconds, None)
    (stretch,) = runs(place_map, drive)[0].unknown_stretches()
    assert len(stretch.drive) == 9
    assert stretch.metres(2.0) == pytest.approx(16.0)


def test_a_drive_without_poses_is_off_the_map():
    place_map = straight_map(COUNT)
    drive = DescribedDrive('elsewhere', place_map.descriptors[:9], np.arange(9), None)
    (run,) = runs(place_map, drive)
    assert run.truths == (None,) * 9


def test_a_drive_to_the_side_of_the_map_is_known_within_ten_metres_and_unknown_from_25():
    place_map = straight_map(COUNT)
    sides = np.array([0.0, 9.9, 10.1, 24.9, 25.1, 60.0])
    poses = np.array([planar(90.0, side).as_array() for side in sides])
    drive = DescribedDrive('side', place_map.descriptors[:6], np.arange(6), poses)
    run = runs(place_map, drive)[0]
    assert [truth is not None for truth in run.truths] == [True, True] + [False] * 4
    (stretch,) = run.unknown_stretches()
    assert stretch.drive.poses[:, 1].tolist() == [25.1, 60.0]
    assert len(stretch.truths) == len(stretch.results) == 2
    assert stretch.results == run.results[4:]


def test_each_stretch_of_unknown_road_is_a_run_of_its_own():
    place_map = straight_map(COUNT)
    poses = np.array([planar(90.0, side).as_array() for side in (60, 0, 60, 60, 0, 0, 60)])
    drive = DescribedDrive('side', place_map.descriptors[:7], np.arange(7), poses)
    stretches = list(runs(place_map, drive)[0].unknown_stretches())
    assert [stretch.drive.stamps_ns.tolist() for stretch in stretches] == [[0], [2, 3], [6]]


def left_of(count):
    """Return the sizes of the maps on which a drive along the first places is run."""
    place_map = straight_map(COUNT)
    poses = place_map.places.poses[:count]
    drive = DescribedDrive('second', place_map.descriptors[:count], np.arange(count), poses)
    return [len(run.place_map) for run in runs(place_map, drive)]


def test_a_quarter_of_the_map_has_to_be_left():
    # The drive to place 51 is within 25 m of place 59, which leaves 20 of 80 places.
    assert left_of(52) == [80, 20]
    whole, *parts = left_of(53)
    assert whole == 80 and len(parts) == 4


def test_a_drive_that_leaves_too_little_of_the_map_is_driven_on_the_map_alone():
    """Around the middle of 20 places 17 lie within 25 m."""
    place_map = straight_map(20)
    poses = np.tile(place_map.places.poses[10], (8, 1))
    drive = DescribedDrive('middle', place_map.descriptors[:8], np.arange(8), poses)
    (whole,) = runs(place_map, drive)
    assert len(whole.place_map) == 20


def test_a_part_of_a_map_has_the_places_and_descriptors_that_are_left():
    place_map = straight_map(COUNT)
    _, first, second, *_ = runs(place_map, itself(place_map))
    assert first.place_map.places.poses[:, 0].min() == 20 * SPACING_M
    rest = np.r_[0:20, 40:80]
    np.testing.assert_array_equal(second.place_map.descriptors, place_map.descriptors[rest])
    np.testing.assert_array_equal(second.place_map.places.poses, place_map.places.poses[rest])
    for number, kept in enumerate(rest.tolist()):
        found = second.results[kept].candidates
        assert number not in [each.place for each in found]


@pytest.mark.parametrize(('by_odometry', 'along'), [(True, 30.0), (False, 40.0)])
def test_a_run_is_recognised_by_its_odometry_or_by_time(by_odometry, along):
    place_map = straight_map(COUNT)
    stamps = np.arange(10) * SECOND_NS
    poses = place_map.places.poses[:10]
    drive = DescribedDrive('second', place_map.descriptors[:10], stamps, poses)
    run = runs(place_map, drive)[0]
    made = calibration(sequence_errors=table(30.0), guessed_errors=table(40.0))
    recognitions = list(run.recognitions(made, CONFIG, by_odometry=by_odometry))
    assert [each.stamp_ns for each in recognitions] == stamps.tolist()
    assert abs(recognitions[-1].chosen.place - 9) <= (0 if by_odometry else 2)
    assert recognitions[-1].covariance[0] == pytest.approx(along)


def test_a_run_decides_the_same_each_time():
    """The places that one decision compares locally do not count for the next one."""
    place_map = replace(straight_map(20), local=local_of(20))
    noise = np.random.default_rng(0).normal(0, 0.35, place_map.descriptors.shape)
    seen = place_map.descriptors + noise
    seen = (seen / np.linalg.norm(seen, axis=2, keepdims=True)).astype(np.float16)
    stamps = 3 * np.arange(20) * SECOND_NS
    drive = DescribedDrive('second', seen, stamps, place_map.places.poses, local=place_map.local)
    config = make_config({'extractor': 'pixels', 'candidates': 2})
    setting = Setting(place_map, (drive,))
    run = next(iter(record_runs(setting, config, lambda _: lambda items, _: items)))
    made = calibration(place=model(lead=2.0, local={'local_lead': 8.0}))
    first, second = ([said.proof for said in run.recognitions(made, config)] for _ in range(2))
    assert first == second


def test_a_part_of_a_map_keeps_its_texts_and_a_drive_those_of_its_frames():
    texts = MapTexts(tuple((SeenText(f'HOUSE {place}', 'front', 0.9),) for place in range(COUNT)))
    place_map = replace(straight_map(COUNT), texts=texts)
    poses = place_map.places.poses[:20] + np.array([1.0, 0, 0, 0, 0, 0, 0])
    drive = DescribedDrive(
        'second',
        place_map.descriptors[:20],
        np.arange(20),
        poses,
        texts=texts.chosen(np.arange(20)),
    )
    known, unknown = runs(place_map, drive, texts='labels')
    assert known.results[5].text_evidence(np.array([5]), np.array([False]))[0, 0] == pytest.approx(
        1
    )
    kept = [place for place in range(COUNT) if SPACING_M * place > 58 + 25]
    assert unknown.place_map.texts == texts.chosen(np.array(kept))
    part = drive.part(slice(3, 5)).texts.of_places
    assert [seen.text for (seen,) in part] == ['HOUSE 3', 'HOUSE 4']
    assert drive.part(np.array([7])).texts.of_places == (texts.of_places[7],)


def test_known_metres_are_those_between_known_frames():
    place_map = straight_map(COUNT)
    poses = np.array(
        [planar(90.0 + 3 * n, side).as_array() for n, side in enumerate((0, 0, 60, 0, 0, 0))]
    )
    drive = DescribedDrive('side', place_map.descriptors[:6], np.arange(6), poses)
    assert runs(place_map, drive)[0].known_metres(1.0) == pytest.approx(9.0)
