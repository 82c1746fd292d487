"""What an input says of itself: what is wrong with it, and what to do."""

from husky_placerec.ros.listening import Listening
from husky_placerec.types import SECOND_NS
import pytest
from support.builders import START_NS


def heard(*ages_s, stamps=None):
    listening = Listening('/front', 'sensor_msgs/msg/Image')
    for i, age_s in enumerate(ages_s):
        stamp_ns = START_NS + i if stamps is None else stamps[i]
        listening.heard(stamp_ns, stamp_ns + round(age_s * SECOND_NS))
    return listening


@pytest.mark.parametrize(
    ('listening', 'words'),
    [
        (lambda: heard(0.1), []),
        (lambda: heard(3.2), ['stamps are 3.2 s old', 'clocks']),
        (lambda: heard(-2.0), ['2.0 s ahead', 'synchronise']),
        (lambda: heard(1e6), ['replay without /clock', 'use_sim_time']),
        (lambda: heard(1e6, stamps=[0]), ['stamps are zero', 'header.stamp']),
        (lambda: heard(*[0.1] * 9, stamps=[START_NS] * 9), ['do not advance']),
    ],
)
def test_odd_stamps_are_named_with_what_to_do(listening, words):
    problem = listening().problem(1, [])
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
    listening = Listening('/front', 'sensor_msgs/msg/Image', incompatible=incompatible)
    listening._since -= 10
    problem = listening.problem(publishers, kinds)
    assert listening.silent
    assert 'no messages on /front for 10.' in problem
    assert all(word in problem for word in words), problem
