"""What a calibration drives: the map, and the map without what it is to be unknown."""

from __future__ import annotations

from husky_placerec.config import make_config
from husky_placerec.recognition.calibrating.calibrate import itself
from husky_placerec.recognition.calibrating.leave_out import record_runs, Setting
from husky_placerec.recognition.calibrating.samples import DescribedDrive
from husky_placerec.types import SECOND_NS
import numpy as np
import pytest
from support.builders import SPACING_M, straight_map

COUNT = 80


def runs(place_map, drive):
    config = make_config({'extractor': 'pixels'})
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
