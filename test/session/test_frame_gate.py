"""Which frames the node lets through: by rate, by age, by distance driven."""

from husky_placerec.config import make_config
from husky_placerec.session.frame_gate import FrameGate, TOO_NEAR, TOO_OLD, TOO_SOON
from husky_placerec.types import SECOND_NS
import pytest
from support.builders import MS, START_NS


def through(parameters, stamps_ms, now_ns=START_NS, metres=None):
    gate, config = FrameGate(), make_config(parameters)
    metres = metres or [None] * len(stamps_ms)
    stamps = [START_NS + ms * MS for ms in stamps_ms]
    return [gate.refuse(s, max(now_ns, s), m, config) for s, m in zip(stamps, metres)]


def test_by_default_every_frame_is_let_through():
    assert through({}, [0, 1, 2, -5000]) == [None] * 4


def test_two_in_a_second_of_their_stamps():
    parameters = {'max_rate': 2.0}
    assert through(parameters, [0, 100, 480, 600, 980]) == [None, TOO_SOON, None, TOO_SOON, None]


def test_a_bag_that_loops_is_not_too_soon():
    parameters = {'max_rate': 2.0}
    assert through(parameters, [5000, 0, 100]) == [None, None, TOO_SOON]


@pytest.mark.parametrize(
    ('age_s', 'reason'), [(0.5, None), (3, TOO_OLD), (3600, None), (-5, None)]
)
def test_old_frames_are_held_back_but_a_replay_is_not(age_s, reason):
    now_ns = START_NS + round(age_s * SECOND_NS)
    assert FrameGate().refuse(START_NS, now_ns, None, make_config({'max_age': 1.0})) == reason


def test_a_robot_that_stands_is_recognised_once():
    parameters = {'min_travel': 2.0}
    metres = [0.0, 0.5, 1.9, 2.1, 2.2, None, 2.3]  # for a moment the odometry is gone
    expected = [None, TOO_NEAR, TOO_NEAR, None, TOO_NEAR, None, None]
    assert through(parameters, range(0, 700, 100), metres=metres) == expected


@pytest.mark.parametrize(('after_ms', 'due'), [(449, False), (450, True)])
def test_a_frame_is_due_after_nine_tenths_of_a_period(after_ms, due):
    assert through({'max_rate': 2.0}, [0, after_ms]) == [None, None if due else TOO_SOON]


def test_the_rate_counts_from_the_last_frame_that_was_let_through():
    assert through({'max_rate': 2.0}, [0, 300, 600, 900]) == [None, TOO_SOON, None, TOO_SOON]


@pytest.mark.parametrize(
    ('age_ns', 'reason'),
    [
        (SECOND_NS, None),
        (SECOND_NS + 1, TOO_OLD),
        (60 * SECOND_NS - 1, TOO_OLD),
        (60 * SECOND_NS, None),
    ],
)
def test_a_frame_is_too_old_between_the_limit_and_a_minute(age_ns, reason):
    config = make_config({'max_age': 1.0})
    assert FrameGate().refuse(START_NS, START_NS + age_ns, None, config) == reason


def test_a_frame_that_is_too_old_does_not_count_as_let_through():
    gate, config = FrameGate(), make_config({'max_age': 1.0, 'max_rate': 1.0})
    assert gate.refuse(START_NS, START_NS + 2 * SECOND_NS, 0.0, config) == TOO_OLD
    assert gate.refuse(START_NS + MS, START_NS + MS, 0.0, config) is None


@pytest.mark.parametrize(
    ('metres', 'reason'), [(1.999, TOO_NEAR), (2.0, None), (0.0, TOO_NEAR), (-0.1, None)]
)
def test_a_frame_is_too_near_below_the_least_travel(metres, reason):
    """A distance that steps back is of an odometry that began anew."""
    assert through({'min_travel': 2.0}, [0, 1], metres=[5.0, 5.0 + metres]) == [None, reason]


def test_a_reset_lets_the_next_frame_through():
    gate, config = FrameGate(), make_config({'max_rate': 1.0, 'min_travel': 2.0})
    assert gate.refuse(START_NS, START_NS, 5.0, config) is None
    assert gate.refuse(START_NS + MS, START_NS, 5.0, config) == TOO_SOON
    gate.reset()
    assert gate.refuse(START_NS + 2 * MS, START_NS, 5.0, config) is None


@pytest.mark.parametrize(
    ('reason', 'nothing_new'), [(TOO_SOON, True), (TOO_NEAR, True), (TOO_OLD, False)]
)
def test_frames_that_are_too_soon_or_too_near_say_nothing_new(reason, nothing_new):
    assert FrameGate.says_nothing_new(reason) == nothing_new
