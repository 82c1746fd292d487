"""The state that others may believe: kept while frames confirm it, given up where none does."""

from __future__ import annotations

from dataclasses import replace
import threading

from husky_placerec.session.published_state import PublishedState
from husky_placerec.types import SECOND_NS, State
import pytest
from support.builders import START_NS
from support.sessions import recognition


class Clock:
    def __init__(self):
        self.ns = START_NS

    def __call__(self):
        return self.ns

    def turn(self, seconds):
        self.ns += round(seconds * SECOND_NS)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def told():
    return []


@pytest.fixture
def state(clock, told):
    return PublishedState(clock, told.append)


def said(stamp_s=0.0, state='LOCALIZED', accepted=True):
    stamp_ns = START_NS + round(stamp_s * SECOND_NS)
    return replace(recognition(stamp_ns, accepted), state=state)


def test_the_state_of_a_recognition_is_told_where_it_changes(state, told):
    assert state.value is State.LOST
    for value in ('LOST', 'TENTATIVE', 'LOCALIZED', 'LOCALIZED', 'TENTATIVE'):
        state.update(said(state=value))
    assert told == [State.TENTATIVE, State.LOCALIZED, State.TENTATIVE]
    assert state.value is State.TENTATIVE


def test_the_state_of_the_sequence_counts_though_the_frame_is_refused(state):
    state.update(said(accepted=False))
    assert state.value is State.LOCALIZED


@pytest.mark.parametrize(('accepted', 'expected'), [(True, State.LOCALIZED), (False, State.LOST)])
def test_without_a_sequence_each_frame_decides(state, accepted, expected):
    state.update(said(state=None))
    state.update(said(state=None, accepted=accepted))
    assert state.value is expected


@pytest.mark.parametrize(('seconds', 'kept'), [(5.0, True), (5.001, False)])
def test_without_a_frame_for_five_seconds_the_state_is_lost(state, clock, told, seconds, kept):
    state.update(said())
    clock.turn(seconds)
    state.check()
    assert (state.value is State.LOCALIZED) == kept
    assert told == [State.LOCALIZED] + [State.LOST] * (not kept)


def test_a_frame_that_says_nothing_new_confirms_the_state(state, clock, told):
    state.update(said())
    for second in range(1, 31):
        clock.turn(1)
        state.confirm(START_NS + second * SECOND_NS)
        state.check()
    assert told == [State.LOCALIZED]


@pytest.mark.parametrize(('gap_s', 'kept'), [(5.0, True), (5.001, False)])
def test_a_gap_in_the_stamps_is_not_confirmed_afterwards(state, gap_s, kept):
    state.update(said())
    state.confirm(START_NS + round(gap_s * SECOND_NS))
    assert (state.value is State.LOCALIZED) == kept


def test_the_gap_is_measured_from_the_last_frame_of_any_kind(state):
    state.update(said(0.0))
    state.update(said(4.0))
    state.confirm(START_NS + 8 * SECOND_NS)
    state.confirm(START_NS + 12 * SECOND_NS)
    assert state.value is State.LOCALIZED


def test_a_recognised_frame_after_a_gap_has_its_own_state(state, told):
    state.update(said())
    state.update(said(60.0))
    assert told == [State.LOCALIZED]


def test_a_clock_that_stands_still_makes_nothing_stale(state, told):
    state.update(said())
    for _ in range(100):
        state.check()
    assert told == [State.LOCALIZED]


def test_stamps_of_another_clock_make_nothing_stale(state, clock, told):
    """A bag is played without /clock: its stamps are years old."""
    for second in range(20):
        clock.turn(1)
        state.update(said(second - 1e8))
        state.check()
    assert told == [State.LOCALIZED]


def test_a_reset_is_lost_and_forgets_the_last_frame(state, clock, told):
    state.update(said())
    state.reset()
    state.reset()
    assert told == [State.LOCALIZED, State.LOST]
    clock.turn(60)
    state.check()
    state.update(said(60.0))
    state.reset()
    state.confirm(START_NS)
    assert told[2:] == [State.LOCALIZED, State.LOST]


def test_before_the_first_frame_nothing_is_told(state, clock, told):
    clock.turn(60)
    state.check()
    state.confirm(START_NS)
    state.reset()
    assert told == []


def test_a_frame_that_comes_during_a_check_confirms_its_state():
    """The check must not give up a state that came after it looked at the clock."""
    looking, updated = threading.Event(), threading.Event()
    stale_ns, times = 6 * SECOND_NS, []

    def slow_clock():
        times.append(threading.current_thread())
        if len(times) > 1 and times[-1] is checking:
            looking.set()
            updated.wait(0.3)  # the frame comes now, unless it has to wait for the check
        return stale_ns if len(times) > 1 else 0

    state = PublishedState(slow_clock, lambda _: None)
    checking = threading.Thread(target=state.check)
    state.update(recognition(0))
    checking.start()
    looking.wait()
    state.update(recognition(stale_ns))
    updated.set()
    checking.join()
    assert state.value is State.LOCALIZED
