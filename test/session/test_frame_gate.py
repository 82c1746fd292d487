"""Which frames the node lets through: by rate, by age, by distance driven."""

from husky_placerec.config import make_config
from husky_placerec.ros.frame_gate import FrameGate, TOO_NEAR, TOO_OLD, TOO_SOON
from husky_placerec.ros.travel import Travel
from husky_placerec.types import SECOND_NS
import pytest
from support.builders import MS, planar, START_NS


def through(gate, stamps_ms, now_ns=START_NS, metres=None):
    metres = metres or [None] * len(stamps_ms)
    stamps = [START_NS + ms * MS for ms in stamps_ms]
    return [gate.refuse(s, max(now_ns, s), m) for s, m in zip(stamps, metres)]


def test_by_default_every_frame_is_let_through():
    assert through(FrameGate(make_config({})), [0, 1, 2, -5000]) == [None] * 4


def test_two_in_a_second_of_their_stamps():
    gate = FrameGate(make_config({'max_rate': 2.0}))
    assert through(gate, [0, 100, 480, 600, 980]) == [None, TOO_SOON, None, TOO_SOON, None]


def test_a_bag_that_loops_is_not_too_soon():
    gate = FrameGate(make_config({'max_rate': 2.0}))
    assert through(gate, [5000, 0, 100]) == [None, None, TOO_SOON]


@pytest.mark.parametrize(
    ('age_s', 'reason'), [(0.5, None), (3, TOO_OLD), (3600, None), (-5, None)]
)
def test_old_frames_are_held_back_but_a_replay_is_not(age_s, reason):
    gate = FrameGate(make_config({'max_age': 1.0}))
    assert gate.refuse(START_NS, START_NS + round(age_s * SECOND_NS), None) == reason


def test_a_robot_that_stands_is_recognised_once():
    gate = FrameGate(make_config({'min_travel': 2.0}))
    metres = [0.0, 0.5, 1.9, 2.1, 2.2, None, 2.3]  # for a moment the odometry is gone
    expected = [None, TOO_NEAR, TOO_NEAR, None, TOO_NEAR, None, None]
    assert through(gate, range(0, 700, 100), metres=metres) == expected


def test_metres_are_summed_a_jump_is_none_and_old_news_is_no_news():
    travel = Travel()
    for i, x in enumerate([0.0, 1.0, 2.0, 102.0, 103.0]):
        assert travel.add(START_NS + i * 100 * MS, planar(x))
    assert travel.metres(START_NS + 400 * MS) == pytest.approx(3.0)
    assert travel.metres(START_NS + 10 * SECOND_NS) is None
    assert len(travel.news()) == 5
    assert travel.news() == []
    assert travel.pose_at(START_NS + 50 * MS).x == pytest.approx(0.5)
    assert travel.pose_at(START_NS - 50 * MS) is None
    assert not travel.add(START_NS + SECOND_NS, planar(float('nan')))
