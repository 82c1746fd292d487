"""Whether unpaired images are a problem of the stamps, without DDS."""

from types import SimpleNamespace

from husky_placerec.session.input_health import InputHealth
from husky_placerec.types import SECOND_NS
import pytest
from support.builders import START_NS

NEEDS = 'rclpy', 'sensor_msgs'

IMAGES = 25


@pytest.fixture
def inputs():
    """Return inputs that have got images of both cameras, none of which made a frame."""
    from husky_placerec.ros.inputs import Inputs

    made = Inputs.__new__(Inputs)  # its subscriptions need a node; the counting does not
    made._config, made._messages_at_frame = SimpleNamespace(cameras=['front', 'back']), {}
    made.health = {name: InputHealth(f'/{name}', 'Image') for name in ('front', 'back')}
    return made


def hear(inputs, step_ns):
    for number in range(IMAGES):
        for shift, health in enumerate(inputs.health.values()):
            stamp_ns = START_NS + number * step_ns + shift * SECOND_NS // 20
            health.heard(stamp_ns, stamp_ns)


def problem(inputs):
    from husky_placerec.ros.diagnostics import pairing_problem

    return pairing_problem(inputs.unpaired())


def test_images_that_come_and_do_not_belong_together_are_a_problem(inputs):
    hear(inputs, SECOND_NS // 10)
    assert inputs.unpaired() == IMAGES
    assert 'raise slop' in problem(inputs)


def test_after_the_end_of_a_replay_the_slop_is_not_blamed(inputs):
    hear(inputs, SECOND_NS // 10)
    for health in inputs.health.values():
        health._arrivals.append(health._arrivals.pop() - 10)
    assert problem(inputs) == ''


def test_stamps_that_do_not_advance_are_not_a_matter_of_the_slop(inputs):
    hear(inputs, 0)
    assert problem(inputs) == ''
