"""Parts of the report that a rendered drive does not reach: mistakes, charts, sentences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
from husky_placerec.evaluation.metrics import Judged
from husky_placerec.evaluation.report.case import (
    Case,
    RIGHT_ACCEPTED,
    RIGHT_REFUSED,
    UNKNOWN_REFUSED,
    worst_mistakes,
    WRONG_ACCEPTED,
    WRONG_REFUSED,
)
from husky_placerec.evaluation.report.charts import (
    draw_distances,
    draw_precision_recall,
    draw_reliability,
    draw_similarities,
)
from husky_placerec.evaluation.report.route import chosen_cases, draw_routes
from husky_placerec.evaluation.report.sentences import headline, sentences
from husky_placerec.recognition.measurement import Thresholds
import numpy as np
import pytest

NEEDS = 'matplotlib', 'jinja2', 'sklearn'


def case(distance, similarity, accepted, nearest=0.0, probability=np.nan, name='lap'):
    """Make a drive eastwards, a frame every 4 m."""
    count = len(distance)
    whole = np.ones(count)
    judged = Judged(
        (5.0, 10.0, 25.0),
        np.zeros((count, 3, 2), np.int32),
        10,
        np.array(distance, float),
        np.where(np.isfinite(distance), 0.0, np.inf),
        np.array(similarity, float),
        probability * whole,
        np.array(accepted, bool),
        nearest * whole,
        100,
        np.array(distance) <= 10,
    )
    truths = np.stack([4.0 * np.arange(count), np.zeros(count)], axis=1)
    stamps = np.arange(count)
    turned = np.zeros(count, bool)
    sources = [Path('nowhere')]
    return Case(
        'map', name, judged, stamps, stamps, truths, truths, truths, turned, sources, sources
    )


def test_the_outcome_of_a_frame():
    outcomes = case([1, 1, 90, 90], [1, 1, 1, 1], [1, 0, 1, 0]).outcomes.tolist()
    assert outcomes == [RIGHT_ACCEPTED, RIGHT_REFUSED, WRONG_ACCEPTED, WRONG_REFUSED]
    beyond = np.array([500.0] * 3)
    assert case([450, 450, np.inf], [1, 1, 0], [1, 0, 0], beyond).outcomes.tolist() == [
        WRONG_ACCEPTED,
        UNKNOWN_REFUSED,
        UNKNOWN_REFUSED,
    ]


def test_a_right_pose_of_the_sequence_is_no_mistake_whatever_the_best_match():
    drive = case([90, 90, 1, 1], [1, 1, 1, 1], [1, 0, 1, 0])
    judged = replace(drive.judged, pose_right=np.array([True, True, False, False]))
    drive = replace(drive, judged=judged)
    expected = [RIGHT_ACCEPTED, WRONG_REFUSED, WRONG_ACCEPTED, RIGHT_REFUSED]
    assert drive.outcomes.tolist() == expected
    assert [mistake.row for mistake in worst_mistakes([drive])] == [1]


def test_the_worst_mistakes_are_accepted_then_gross_then_sure():
    distance = [90, 1, 90, np.inf, 12, 90, np.inf, np.inf, 90]
    similarity = [0.5, 0.9, 0.6, 0, 0.95, 0.7, 0, 0, 0.8]
    accepted = [1, 1, 1, 0, 1, 0, 0, 0, 0]
    found = worst_mistakes([case(distance, similarity, accepted)], apart_m=1.0)
    assert [mistake.row for mistake in found] == [2, 0, 4, 8, 5]


def test_of_mistakes_next_to_each_other_the_worst_is_shown():
    distance, similarity = [90.0] * 6, [0.5, 0.9, 0.6, 0.4, 0.8, 0.7]
    drive = case(distance, similarity, [1] * 6)  # 4 m between frames
    assert [mistake.row for mistake in worst_mistakes([drive], apart_m=10.0)] == [1, 4]
    assert len(worst_mistakes([drive, case(distance, similarity, [1] * 6)], apart_m=10.0)) == 4


def test_no_more_mistakes_than_asked_for():
    drive = case([90.0] * 100, np.linspace(0, 1, 100), [1] * 100)
    assert len(worst_mistakes([drive])) == 20


def test_the_route_shows_the_worst_the_middle_and_the_best_pair():
    shares = [0.5, 0.1, 0.9, 0.7, 0.3]
    cases = [case([1] * int(10 * s) + [90] * int(10 - 10 * s), [1] * 10, [1] * 10) for s in shares]
    assert chosen_cases(cases) == [cases[1], cases[0], cases[2]]
    assert chosen_cases(cases[:2]) == cases[:2]
    drawn = cv2.imdecode(np.frombuffer(draw_routes(chosen_cases(cases)), np.uint8), 1)
    assert drawn.shape[1] > 2 * drawn.shape[0]


def test_reliability_is_drawn_where_probabilities_were_stated():
    rng = np.random.default_rng(0)
    probability = rng.random(200)
    distance = np.where(rng.random(200) < probability, 1.0, 90.0)
    stated = case(distance, probability, [1] * 200, probability=probability)
    assert draw_reliability(stated.judged).startswith(b'\x89PNG')
    assert draw_reliability(case([1.0], [1.0], [1]).judged) is None


@pytest.mark.parametrize('distance', [[np.inf, np.inf], [1.0, 1.0], [90.0, 90.0]])
def test_extreme_drives_can_be_drawn(distance):
    drive = case(distance, [-np.inf if np.isinf(d) else 0.5 for d in distance], [0, 0])
    for draw in (draw_distances, lambda j: draw_precision_recall(j, GATE)):
        assert draw(drive.judged).startswith(b'\x89PNG')
    assert draw_similarities(drive.judged, 0.8).startswith(b'\x89PNG')
    assert draw_routes([drive]).startswith(b'\x89PNG')


GATE = Thresholds(0.8, 0.1)


def numbers(**changes):
    share = {'1': 0.871, '5': 0.9, '10': 0.9, '1%': None}
    return {
        'frames': 200,
        'accepted': 100,
        'precision': 0.98,
        'recall': {'5': share, '10': share},
        'recall_with_heading': {'5': share, '10': share},
        'right_within': {'distance_m': 10.0, 'heading_deg': 30.0},
        'frames_on_map': {'5': 30, '10': 31},
        'off_map': {'frames': 0, 'accepted': 0},
        'precision_recall': {'recall_at_full_precision': 0.4},
        'intervals': {'recall': {'5': {'1': None}, '10': {'1': [0.8, 0.92]}}},
        'baselines': {'chance': {'recall': {'5': {'1': 0.02}, '10': {'1': 0.05}}}},
        **changes,
    }


def test_the_result_in_sentences():
    assert 'Of 31 frames' in headline(numbers())
    assert '27 are recognised' in headline(numbers())
    assert '(87 %)' in headline(numbers())
    pooled = headline(numbers(pairs=[{}, {}]))  # the mean of two shares is no count of frames
    assert 'Of 31 frames at places that the map knows, 87 % are' in pooled
    assert 'the mean over 2 pairs' in pooled
    words = ' '.join(sentences(numbers(), GATE))
    for part in (
        'between 80 and 92 %',
        'at random 5 %',
        '98.0 %',
        '40 %',
        'not put to test',
        'a lead of 0.1',
    ):
        assert part in words


def test_the_sentences_where_nothing_was_known_or_accepted():
    nothing = {'1': None, '5': None, '10': None, '1%': None}
    lost = numbers(
        accepted=0,
        precision=None,
        recall={'5': nothing},
        frames_on_map={'5': 0},
        recall_with_heading={'5': nothing},
        off_map={'frames': 200, 'accepted': 0},
        precision_recall={'recall_at_full_precision': None},
        intervals={'recall': {'5': {'1': None}}},
        baselines={'chance': {'recall': {'5': {'1': None}}}},
    )
    assert headline(lost).startswith('No frame')
    words = ' '.join(sentences(lost, GATE))
    assert 'None was accepted' in words
    assert '200 frames were taken where the map has no place' in words


def test_the_sentences_name_what_decided():
    assert 'by the calibration of the map' in ' '.join(sentences(numbers(), None))
    default = ' '.join(sentences(numbers(), None, kind='simulated'))
    assert 'by the default calibration that comes with the network' in default
    prior = ' '.join(sentences(numbers(), None, kind='prior'))
    assert 'because the map is not calibrated' in prior
    mixed = ' '.join(sentences(numbers(), GATE, ['winter']))
    assert 'on winter those that are probable enough' in mixed
    assert 'on the other maps a similarity of 0.8 or more' in mixed
    nothing = numbers(accepted=0, precision=None)
    assert 'none was probable enough' in ' '.join(sentences(nothing, None))
    assert 'None was accepted (on winter' in ' '.join(sentences(nothing, GATE, ['winter']))
