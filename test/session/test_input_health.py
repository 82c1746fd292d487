"""What an input says of itself: what is wrong with it, and what to do."""

import time

from husky_placerec.session.input_health import InputHealth
from husky_placerec.types import SECOND_NS
import pytest
from support.builders import START_NS


def heard(*ages_s, stamps=None):
    health = InputHealth('/front', 'sensor_msgs/msg/Image')
    for i, age_s in enumerate(ages_s):
        stamp_ns = START_NS + i if stamps is None else stamps[i]
        health.heard(stamp_ns, stamp_ns + round(age_s * SECOND_NS))
    return health


@pytest.mark.parametrize(
    ('health', 'words'),
    [
        (lambda: heard(0.1), []),
        (lambda: heard(3.2), ['stamps are 3.2 s old', 'clocks']),
        (lambda: heard(-2.0), ['2.0 s ahead', 'synchronise']),
        (lambda: heard(1e6), ['replay without /clock', 'use_sim_time']),
        (lambda: heard(1e6, stamps=[0]), ['stamps are zero', 'header.stamp']),
        (lambda: heard(*[0.1] * 9, stamps=[START_NS] * 9), ['do not advance']),
    ],
)
def test_odd_stamps_are_named_with_what_to_do(health, words):
    problem = health().problem(1, [])
    assert bool(problem) == bool(words)
    assert all(word in problem for word in words), problem


@pytest.mark.parametrize(
    ('publishers', 'kinds', 'incompatible', 'words'),
    [
        (0, [], '', ['publishers seen 0', 'start the driver']),
        (1, [], '', ['publishers seen 1', 'silent']),
        (1, [], 'reliability', ['QoS incompatible', 'qos_overrides./front.subscription']),
        (1, ['sensor_msgs/msg/CompressedImage'], '', ['CompressedImage', 'transport']),
    ],
)
def test_silence_is_explained(publishers, kinds, incompatible, words):
    health = InputHealth('/front', 'sensor_msgs/msg/Image', incompatible=incompatible)
    health._since -= 10
    problem = health.problem(publishers, kinds)
    assert health.silent
    assert 'no messages on /front for 10.' in problem
    assert all(word in problem for word in words), problem


@pytest.fixture
def now(monkeypatch):
    """Return a list whose only number is the steady clock."""
    told = [1000.0]
    monkeypatch.setattr(time, 'monotonic', lambda: told[0])
    return told


def begun(now, *ages_s):
    """Return an input that has listened since now."""
    health = heard(*ages_s)
    health._since = now[0]
    return health


def test_the_rate_is_over_the_last_five_seconds(now):
    health = begun(now)
    assert health.rate_hz == 0.0
    for tick in range(80):  # ten a second
        now[0] = 1000.0 + (tick + 1) / 10
        health.heard(START_NS + tick, START_NS)
        if tick == 19:
            assert health.rate_hz == pytest.approx(10.0)  # since the beginning, 2 s ago
    assert health.rate_hz == pytest.approx(10.0)
    now[0] = 1010.5
    assert health.rate_hz == pytest.approx(25 / 5)
    assert health.messages == 80


def test_a_message_at_the_very_beginning_is_no_infinite_rate(now):
    health = begun(now, 0.1)
    assert health.rate_hz == pytest.approx(10.0)


@pytest.mark.parametrize(('seconds', 'silent'), [(2.0, False), (2.01, True)])
def test_an_input_is_silent_after_two_seconds(now, seconds, silent):
    never, once = begun(now), begun(now, 0.1)
    now[0] += seconds
    for health in (never, once):
        assert health.silent == silent
        assert health.silent_s == pytest.approx(seconds)
    assert ('no messages' in once.problem(1, [])) == silent


@pytest.mark.parametrize(
    ('age_s', 'words'),
    [
        (2.0, ''),
        (2.01, 's old; look at the load'),
        (60.0, 's old; look at the load'),
        (60.01, 'a replay without /clock'),
        (-1.0, ''),
        (-1.01, 's ahead'),
    ],
)
def test_a_stamp_may_differ_a_little_from_the_clock(age_s, words):
    health = heard(age_s)
    assert health.age_s == pytest.approx(age_s)
    problem = health.problem(1, [])
    assert words in problem and bool(problem) == bool(words)


@pytest.mark.parametrize(('repeats', 'stuck'), [(5, False), (6, True)])
def test_stamps_that_repeat_five_times_do_not_advance(repeats, stuck):
    health = heard(*[0.1] * repeats, stamps=[START_NS] * repeats)
    assert ('do not advance' in health.problem(1, [])) == stuck


def test_a_stamp_that_advances_starts_the_count_again():
    stamps = [START_NS] * 5 + [START_NS + 1] * 5
    assert heard(*[0.1] * 10, stamps=stamps).problem(1, []) == ''


def test_the_type_is_the_first_thing_to_mend_and_then_the_publishers(now):
    health = begun(now)
    health.incompatible = 'reliability'
    now[0] += 10
    assert 'its type is A, B, expected sensor_msgs/msg/Image' in health.problem(0, ['A', 'B'])
    assert 'publishers seen 0' in health.problem(0, [])
    assert 'QoS incompatible (reliability)' in health.problem(3, [])
    health.incompatible = ''
    assert 'publishers seen 3, but silent' in health.problem(3, [])


def test_before_the_first_message_nothing_is_wrong_with_its_stamp(now):
    health = begun(now)
    now[0] += 1.9
    assert health.problem(0, []) == ''
    assert not health.stuck


@pytest.mark.parametrize(
    ('gap_s', 'pause_s', 'silent'),
    [
        (0.1, 2.0, False),
        (0.1, 2.1, True),
        (3.0, 2.9, False),  # a drive with a pair every 3 s is not silent once a period
        (3.0, 7.4, False),
        (3.0, 7.6, True),
        (100.0, 30.1, True),
    ],
)
def test_a_slow_input_is_silent_after_more_than_two_of_its_gaps(now, gap_s, pause_s, silent):
    health = begun(now)
    for tick in range(8):
        now[0] += gap_s
        health.heard(START_NS + tick, START_NS)
    now[0] += pause_s
    assert health.silent == silent


def test_one_pause_does_not_make_a_fast_input_a_slow_one(now):
    health = begun(now)
    for gap_s in (0.1, 0.1, 60.0, 0.1, 0.1):
        now[0] += gap_s
        health.heard(START_NS, START_NS)
    now[0] += 2.1
    assert health.silent


@pytest.mark.parametrize(
    ('stamps', 'stuck'),
    [([0], True), ([START_NS] * 6, True), ([START_NS] * 5, False), ([START_NS, 0], True)],
)
def test_stamps_by_which_nothing_can_be_paired(stamps, stuck):
    assert heard(*[0.1] * len(stamps), stamps=stamps).stuck == stuck
