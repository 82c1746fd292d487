"""Which frames a threshold accepts, and what becomes of them."""

from __future__ import annotations

from husky_placerec.evaluation.report.case import (
    RIGHT_ACCEPTED,
    RIGHT_REFUSED,
    UNKNOWN_REFUSED,
    WRONG_ACCEPTED,
    WRONG_REFUSED,
)
from husky_placerec.viewer.deciding import (
    ACCEPTED,
    AS_DECIDED,
    BY_PROBABILITY,
    BY_SIMILARITY,
    Counts,
    Decided,
    REFUSED,
    Rule,
    rules_of,
)
import pytest
from support.shown_runs import decision, shown_run

NEEDS = 'sklearn', 'matplotlib', 'jinja2'


@pytest.fixture
def run():
    """Make frames that are right twice, wrong, off the map, without a candidate, unknown."""
    return shown_run(
        [
            decision(0, 1, 0.9, True, 0.95),
            decision(1, 2, 0.6, False, 0.4),
            decision(2, 9, 0.8, True, 0.6),
            decision(3, 3, 0.5, False, 0.1),
            decision(4, None, accepted=False),
            decision(5, 4, 0.7, True, 0.7),
        ],
        [5.0, 10.0, 0.0, 500.0, 20.0, None],
    )


def test_the_decisions_stand_unless_a_threshold_is_chosen(run):
    decided = Decided(run, Rule())
    assert decided.accepted.tolist() == [True, False, True, False, False, True]
    assert decided.outcomes.tolist() == [
        *(RIGHT_ACCEPTED, RIGHT_REFUSED, WRONG_ACCEPTED, UNKNOWN_REFUSED, WRONG_REFUSED),
        ACCEPTED,
    ]
    assert decided.counts == Counts(frames=5, accepted=2, right=1, on_map=4, off_map_accepted=0)
    assert (decided.counts.precision, decided.counts.recall) == (0.5, 0.25)
    assert decided.counts.wrong == 1


@pytest.mark.parametrize(
    ('rule', 'accepted', 'right'),
    [
        (Rule(BY_SIMILARITY, 0.6), [0, 1, 2, 5], 2),
        (Rule(BY_SIMILARITY, 0.85), [0], 1),
        (Rule(BY_PROBABILITY, 0.65), [0, 5], 1),
        (Rule(BY_PROBABILITY, 0.05), [0, 1, 2, 3, 5], 2),
    ],
)
def test_a_threshold_accepts_from_its_value_on(run, rule, accepted, right):
    decided = Decided(run, rule)
    assert decided.accepted.nonzero()[0].tolist() == accepted
    assert decided.counts.right == right


def test_a_frame_off_the_map_that_is_accepted_is_counted(run):
    assert Decided(run, Rule(BY_PROBABILITY, 0.05)).counts.off_map_accepted == 1


def test_the_worst_mistake_comes_first(run):
    assert Decided(run, Rule()).worst() == [2]
    assert Decided(run, Rule(BY_SIMILARITY, 0.95)).worst() == [2]


def test_a_run_without_truth_has_outcomes_but_no_counts():
    run = shown_run([decision(0, 1), decision(1, 2, accepted=False)], [None, None])
    decided = Decided(run, Rule())
    assert decided.outcomes.tolist() == [ACCEPTED, REFUSED]
    assert (decided.counts, decided.judged, decided.worst()) == (None, None, [])


def test_nothing_accepted_has_no_precision(run):
    counts = Decided(run, Rule(BY_SIMILARITY, 2.0)).counts
    assert (counts.accepted, counts.precision, counts.recall) == (0, None, 0.0)


def test_probabilities_are_offered_where_some_were_stated(run):
    assert rules_of(run) == [AS_DECIDED, BY_PROBABILITY, BY_SIMILARITY]
    plain = shown_run([decision(0, 1)], [5.0])
    assert rules_of(plain) == [AS_DECIDED, BY_SIMILARITY]
