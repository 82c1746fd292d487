"""The state of a session: kept by a robot that stands, and lost without images."""

from __future__ import annotations

from husky_placerec.types import SECOND_NS, State
import pytest
from support.builders import planar, START_NS
from support.sessions import frame, Noting, running, store

TENTH = SECOND_NS // 10


class Clock:
    """The clock of the robot; it goes on where the test lets it."""

    ns = START_NS

    def __call__(self):
        return self.ns


@pytest.fixture
def clock():
    return Clock()


def stand(made, clock, seconds):
    """Let images and odometry of a robot that stands arrive for some seconds of their stamps."""
    for tick in range(round(seconds * 10)):
        clock.ns += TENTH
        made.session.add_odometry(clock.ns, planar(3.0))
        store(made.session, frame(clock.ns))
        if tick % 10 == 0:
            made.session.check_state()
            assert made.session.state is State.LOCALIZED


@pytest.mark.parametrize(
    ('parameters', 'reason'),
    [({'min_travel': 1.0}, 'too near'), ({'max_rate': 0.1}, 'too soon')],
)
def test_a_robot_that_stands_stays_localized(clock, parameters, reason):
    with running(parameters, now_ns=clock) as made:
        stand(made, clock, 30)
        assert made.observer.states == ['LOCALIZED']
        held_back = made.session.counters.held_back
        assert held_back.keys() == {reason}
        assert held_back[reason] >= 295
        assert len(made.observer.told) <= 5


def test_frames_that_say_nothing_new_confirm_the_state_between_the_rare_ones(clock):
    """With a frame let through every 9 s nothing else keeps the state from going stale."""
    with running({'max_rate': 0.1}, now_ns=clock) as made:
        stand(made, clock, 20)
        stamps = [recognition.stamp_ns for recognition in made.observer.told]
        assert stamps[1] - stamps[0] == 9 * SECOND_NS


@pytest.mark.parametrize(('seconds', 'states'), [(5.0, 1), (5.1, 2)])
def test_without_images_the_state_is_lost_after_five_seconds_of_the_clock(clock, seconds, states):
    with running(now_ns=clock) as made:
        store(made.session, frame(clock.ns))
        clock.ns += round(seconds * SECOND_NS)
        made.session.check_state()
        assert made.observer.states == ['LOCALIZED', 'LOST'][:states]


def test_a_paused_clock_gives_nothing_up(clock):
    with running(now_ns=clock) as made:
        store(made.session, frame(clock.ns))
        for _ in range(50):
            made.session.check_state()
        assert made.observer.states == ['LOCALIZED']


@pytest.mark.parametrize(('gap_s', 'states'), [(5.0, 1), (5.1, 2)])
def test_a_gap_before_a_frame_that_is_held_back_loses_the_state(clock, gap_s, states):
    with running({'min_travel': 1.0}, now_ns=clock) as made:
        stand(made, clock, 2)
        clock.ns += round(gap_s * SECOND_NS)
        made.session.add_odometry(clock.ns, planar(3.0))
        store(made.session, frame(clock.ns))
        assert len(made.observer.told) == 1
        assert made.observer.states == ['LOCALIZED', 'LOST'][:states]


def test_a_frame_that_is_held_back_for_its_age_confirms_nothing(clock):
    with running({'max_age': 1.0}, now_ns=clock) as made:
        store(made.session, frame(clock.ns))
        for _ in range(6):
            clock.ns += SECOND_NS
            store(made.session, frame(clock.ns - 2 * SECOND_NS))
        assert made.session.counters.held_back == {'too old': 6}
        made.session.check_state()
        assert made.observer.states == ['LOCALIZED', 'LOST']


def test_a_disabled_session_confirms_nothing(clock):
    with running({'max_rate': 1.0}, now_ns=clock) as made:
        store(made.session, frame(clock.ns))
        made.session.enable(False)
        for _ in range(60):
            clock.ns += TENTH
            store(made.session, frame(clock.ns))
        made.session.check_state()
        assert made.observer.states == ['LOCALIZED', 'LOST']


def test_the_state_is_told_before_the_pose_that_it_comes_with():
    told = []
    observer = Noting()
    observer.state_changed = lambda state: told.append(state.value)
    observer.recognized = lambda recognition, _: told.append(recognition.stamp_ns)
    with running(observer=observer) as made:
        store(made.session, frame(START_NS))
    assert told == ['LOCALIZED', START_NS, 'LOST']  # stopped, it begins anew
