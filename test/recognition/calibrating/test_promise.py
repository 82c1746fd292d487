"""What a calibration can promise: the frames that were held out, and the grade that they give."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from husky_placerec.config import make_config
from husky_placerec.recognition.calibrating.leave_out import RecordedRun
from husky_placerec.recognition.calibrating.null import Null, UNSEEN_M
from husky_placerec.recognition.calibrating.promise import (
    grade_of,
    Promise,
    promise_of,
    Reach,
    reach_of,
)
from husky_placerec.recognition.calibrating.samples import DescribedDrive
from husky_placerec.types import SECOND_NS
import numpy as np
import pytest
from support.builders import planar
from support.calibrations import calibration

CONFIG = make_config({'evidence_every': 3.0, 'usual_speed': 1.0})
FIRST, SECOND = calibration(found=0.1), calibration(found=0.2)
GOOD = Promise(known=400, accepted=300, right=300, unknown=300)
TRUTH, ELSEWHERE = planar(0.0), planar(50.0)
REFUSED = SimpleNamespace(accepted=False, pose=None)
RIGHT = SimpleNamespace(accepted=True, pose=TRUTH)
WRONG = SimpleNamespace(accepted=True, pose=ELSEWHERE)


class ToldRun(RecordedRun):
    """A run of which the test says what each calibration recognises."""

    def recognitions(self, calibration, config, *, by_odometry=True):
        assert config is CONFIG and by_odometry
        return (told[calibration.found] for told in self.results)


def run(first, second, truths=None, step_m=3.0, poses=True):
    """Make a drive, of which two calibrations say something of each frame."""
    count = len(first)
    at = np.array([planar(step_m * number).as_array() for number in range(count)])
    stamps = (step_m * SECOND_NS * np.arange(count)).astype(np.int64)
    drive = DescribedDrive('d', np.zeros((count, 1, 1)), stamps, at if poses else None)
    results = tuple({0.1: a, 0.2: b} for a, b in zip(first, second))
    return ToldRun(None, drive, tuple(truths or [TRUTH] * count), results)


def graded(promise, asked, kind='own', reach=0.5, unknown_m=300.0, seen=0.5, known_m=300.0):
    return grade_of(kind, promise, asked, Reach(reach, seen, known_m), unknown_m)


def promised(*runs):
    return promise_of(runs, [lambda: FIRST, lambda: SECOND], CONFIG)


def test_each_half_is_judged_by_its_own_calibration():
    told = run([RIGHT, RIGHT, WRONG, WRONG], [WRONG, WRONG, REFUSED, RIGHT])
    assert promised(told) == Promise(known=4, accepted=3, right=3)


def test_the_middle_frame_of_an_odd_drive_is_in_the_second_half():
    told = run([RIGHT, WRONG, WRONG], [WRONG, RIGHT, RIGHT])
    assert promised(told) == Promise(known=3, accepted=3, right=3)


def test_frames_on_and_off_the_map_are_counted_apart():
    said = [RIGHT, WRONG, REFUSED, RIGHT, WRONG, REFUSED]
    truths = [TRUTH] * 3 + [None] * 3
    assert promised(run(said, said, truths)) == Promise(
        known=3, accepted=2, right=1, unknown=3, accepted_unknown=2
    )


def test_an_accepted_frame_without_a_pose_is_not_right():
    said = [SimpleNamespace(accepted=True, pose=None)] * 2
    assert promised(run(said, said)) == Promise(known=2, accepted=2, right=0)


@pytest.mark.parametrize(('step_m', 'counted'), [(3.0, 8), (2.9, 4), (1.5, 4), (1.1, 4), (0.5, 2)])
def test_frames_that_are_near_each_other_count_as_one(step_m, counted):
    said = [RIGHT] * 8
    assert promised(run(said, said, step_m=step_m)).known == counted


def test_the_counts_of_all_runs_add_up_with_those_of_drives_off_the_map():
    known, unknown = run([RIGHT] * 4, [RIGHT] * 4), run([WRONG] * 4, [WRONG] * 4, [None] * 4)
    off = run([WRONG] * 4, [WRONG] * 4, [None] * 4, poses=False)
    short = run([RIGHT], [RIGHT])
    total = promised(known, unknown, off, short)
    assert total == Promise(known=5, accepted=5, right=5, unknown=8, accepted_unknown=8)
    assert Promise(1, 2, 3, 4, 5) + Promise(10, 20, 30, 40, 50) == Promise(11, 22, 33, 44, 55)


@pytest.mark.parametrize(('step_m', 'counted'), [(3.0, 8), (1.5, 4), (0.5, 2)])
def test_frames_off_the_map_are_apart_by_the_time_where_no_pose_is_known(step_m, counted):
    said = [REFUSED] * 8
    off = run(said, said, [None] * 8, step_m, poses=False)
    assert promised(off) == Promise(unknown=counted)


def test_what_can_be_promised_is_a_bound_and_not_a_share():
    """Of n frames without an error, 0.05 = share ** n (the rule of three)."""
    assert GOOD.least_right == pytest.approx(0.05 ** (1 / 300))
    assert GOOD.most_unknown == pytest.approx(1 - 0.05 ** (1 / 300))
    assert Promise().least_right == 0.0 and Promise().most_unknown == 1.0
    assert replace(GOOD, right=299).least_right < GOOD.least_right - 0.004
    assert replace(GOOD, accepted_unknown=1).most_unknown > GOOD.most_unknown + 0.004


def test_enough_frames_without_an_error_prove_a_calibration():
    assert graded(GOOD, 0.99) == ('proven', '')
    least = replace(GOOD, accepted=299, right=299, unknown=299)
    assert graded(least, 0.99)[0] == 'proven'


@pytest.mark.parametrize(
    'few', [{'accepted': 298, 'right': 298}, {'unknown': 298}, {'unknown': 0}]
)
def test_too_few_frames_are_weak_and_it_is_said_how_many_are_needed(few):
    grade, weakness = graded(replace(GOOD, **few), 0.99)
    some = {'accepted': 300, 'unknown': 300, **few}
    assert grade == 'weak'
    assert weakness == (
        f'no error in {some["accepted"]} accepted poses and {some["unknown"]} frames off the map '
        'is too few to promise 99 %: 299 of each are needed'
    )


def test_what_is_asked_is_a_parameter():
    some = Promise(known=100, accepted=60, right=60, unknown=60)
    assert graded(some, 0.95) == ('proven', '')
    grade, weakness = graded(some, 0.999)
    assert grade == 'weak'
    assert 'to promise 99.9 %: 2995 of each are needed' in weakness


@pytest.mark.parametrize(
    ('errors', 'wrong', 'unknown'), [({'right': 297}, 3, 0), ({'accepted_unknown': 2}, 0, 2)]
)
def test_errors_are_weak_and_counted(errors, wrong, unknown):
    assert graded(replace(GOOD, **errors), 0.99) == (
        'weak',
        f'{wrong} of 300 accepted poses are wrong, and {unknown} of 300 frames off the map are '
        'accepted',
    )


def test_a_few_errors_of_many_frames_are_no_weakness():
    many = Promise(known=5000, accepted=4000, right=3980, unknown=4000, accepted_unknown=10)
    assert graded(many, 0.99) == ('proven', '')


@pytest.mark.parametrize(('reach', 'grade'), [(0.049, 'unfit'), (0.051, 'proven')])
def test_a_map_whose_own_road_has_no_more_proof_than_unknown_road_is_unfit(reach, grade):
    found, weakness = graded(GOOD, 0.99, reach=reach)
    assert found == grade
    assert ('looks as much like it as its own' in weakness) == (grade == 'unfit')


def test_a_map_alone_is_weak_and_a_simulated_calibration_proven():
    grade, weakness = graded(GOOD, 0.99, kind='map_alone')
    assert grade == 'weak' and weakness.startswith('no second drive')
    assert graded(Promise(), 0.99, kind='simulated', reach=0.0) == ('proven', '')


def test_a_map_without_unknown_road_is_weak_and_says_so():
    grade, weakness = graded(GOOD, 0.99, unknown_m=0.0)
    assert grade == 'weak' and weakness.startswith('the map is too short')
    few = replace(GOOD, accepted=10, right=10)
    assert '; the map is too short' in graded(few, 0.99, unknown_m=0.0)[1]


def test_the_reach_is_of_right_estimates_on_known_road():
    def said(x, proof):
        return SimpleNamespace(estimate=None if x is None else planar(x), proof=proof)

    frames = [said(0.0, 5.0), said(1.0, 3.0), said(50.0, 9.0), said(None, 9.0), said(0.0, 9.0)]
    told = run(frames, frames, truths=[TRUTH] * 4 + [None])
    whole = replace(told, whole=True)
    null = Null(most=4.0, scale=1.0, driven_m=UNSEEN_M)  # required: 4.7
    assert reach_of([whole], FIRST, CONFIG, null) == Reach(0.5, 0.5, known_m=9.0)
    assert reach_of([told], FIRST, CONFIG, replace(null, most=2.2)) == Reach(1.0, 1.0, known_m=0.0)
    assert reach_of([told], FIRST, CONFIG, replace(null, most=2.5)) == Reach(0.5, 1.0, known_m=0.0)
    assert reach_of([], FIRST, CONFIG, null) == Reach(0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ('known_m', 'seen', 'grade'), [(119, 0.5, 'weak'), (121, 0.5, 'unfit'), (119, 0.04, 'unfit')]
)
def test_a_short_drive_that_gathers_no_proof_does_not_show_that_a_map_is_unfit(
    known_m, seen, grade
):
    found, weakness = graded(GOOD, 0.99, reach=0.0, seen=seen, known_m=known_m)
    assert found == grade
    short = (
        '119 m of known road are too few to gather the proof that is needed: drive 120 m or more'
    )
    assert (short in weakness) == (grade == 'weak')
