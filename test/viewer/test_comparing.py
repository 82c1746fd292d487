"""Two results side by side."""

from __future__ import annotations

from husky_placerec.viewer.comparing import compare, REFUSED, RIGHT, WRONG
from husky_placerec.viewer.deciding import BY_SIMILARITY, Decided, Rule
from support.shown_runs import decision, shown_run

NEEDS = 'sklearn', 'matplotlib', 'jinja2'


def runs():
    one = shown_run(
        [decision(0, 0), decision(1, 1), decision(2, 9), decision(3, 3, accepted=False)],
        [0.0, 5.0, 10.0, 15.0],
    )
    other = shown_run(
        [decision(1, 9), decision(2, 2), decision(3, 3), decision(7, 7)], [5.0, 10.0, 15.0, 35.0]
    )
    return Decided(one, Rule()), Decided(other, Rule())


def test_frames_are_compared_by_their_stamps():
    both = compare(*runs())
    assert both.first.tolist() == [1, 2, 3]
    assert both.second.tolist() == [0, 1, 2]
    assert both.verdicts.tolist() == [[RIGHT, WRONG], [WRONG, RIGHT], [REFUSED, RIGHT]]
    assert both.table.tolist() == [[0, 1, 0], [1, 0, 0], [1, 0, 0]]


def test_what_one_alone_gets_right():
    both = compare(*runs())
    assert both.first[both.only_right(0)].tolist() == [1]
    assert both.second[both.only_right(1)].tolist() == [1, 2]


def test_another_threshold_changes_the_verdicts():
    one, other = runs()
    both = compare(one, Decided(other.run, Rule(BY_SIMILARITY, 0.95)))
    assert both.verdicts[:, 1].tolist() == [REFUSED] * 3


def test_drives_that_share_no_frame_have_nothing_to_compare():
    one, _ = runs()
    far = Decided(shown_run([decision(99, 1)], [5.0]), Rule())
    both = compare(one, far)
    assert (len(both), both.table.sum()) == (0, 0)
