"""What an input says of itself: what is wrong with it, and what to do."""

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
