"""What is broken is left out, counted and named, and refused only above a share."""

from __future__ import annotations

from husky_placerec.data.problems import allowed, Problems
from husky_placerec.errors import InputError
import pytest


def test_broken_things_up_to_the_share_are_counted_and_the_first_three_named():
    problems = Problems(0.05)
    for number in range(5):
        problems.broken('front image that does not decode', 100, f'at {number}')
    (line,) = problems.lines()
    assert line == '5 x front image that does not decode, left out: at 0, at 1, at 2, ...'
    with pytest.raises(InputError, match=r'drive: 6 x front .*: at 0, at 1, at 2, \.\.\.; of'):
        problems.broken('front image that does not decode', 100, 'at 5', where='drive: ')


def test_the_refusal_says_what_is_allowed_and_which_option_says_so():
    with pytest.raises(InputError, match=r'of 10 at most 5 % may be broken \(--max-broken\)'):
        Problems().broken('pose', 10, 'at 0', 'at 1')
    with pytest.raises(InputError, match=r'none may be broken \(--strict\)'):
        Problems(0).broken('pose', 1000, 'at 0')


def test_what_is_read_twice_counts_once():
    problems = Problems(0.1)
    for _ in range(5):
        problems.broken('pose', 10, 'at 0')
    assert problems.lines() == ['1 x pose, left out: at 0']


def test_sentences_come_first_and_once():
    problems = Problems()
    problems.note('missing image', 'a.png')
    problems.tell('the end is lost')
    problems.tell('the end is lost')
    assert problems.lines() == ['the end is lost', '1 x missing image: a.png']


def test_one_broken_thing_of_three_or_more_never_stops_the_work():
    for total, most in ((1, 0), (2, 0), (3, 1), (39, 1), (40, 2), (100, 5)):
        assert allowed(0.05, total) == most
    assert allowed(0.0, 1000) == 0
    assert allowed(1.0, 2) == 2
