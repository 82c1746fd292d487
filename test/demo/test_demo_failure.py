"""What the demo says when a drive does not pass: what was expected, and why it failed."""

from __future__ import annotations

from husky_placerec.demo.live import Heard
from husky_placerec.demo.score import score
import numpy as np
import pytest
from support.builders import planar

NEEDS = 'rclpy', 'sensor_msgs', 'numba', 'matplotlib'

FRAMES = 140
TRUTHS = {number: planar(2.0 * number) for number in range(FRAMES)}
PLACES = np.array([pose.as_array() for pose in TRUTHS.values()])


def outcome(recognised, dropped=0, paired=FRAMES, wrong=0):
    from husky_placerec.demo.run import Outcome

    published = dict(list(TRUTHS.items())[:recognised])
    published.update({number: planar(1000.0) for number in range(wrong)})
    diagnostics = {'frames': str(paired), 'frames dropped': str(dropped)}
    heard = Heard(tuple(TRUTHS), published, (), diagnostics)
    return Outcome(score(TRUTHS, published, PLACES), heard, 1.0, 0.5, 0.1)


def test_a_drive_that_passed_has_no_failure():
    assert outcome(FRAMES).failure == ''
    assert outcome(FRAMES - 10, dropped=10).failure == ''


def test_frames_that_were_dropped_are_named_as_the_cause():
    told = outcome(59, dropped=81).failure
    assert '42% of the known places recognised (expected 80%)' in told
    assert 'the node dropped 81 of 140 frames, because it was too slow' in told
    assert told.endswith('end other programs and run it again')


def test_frames_that_never_reached_the_node_are_named_too():
    told = outcome(59, paired=100).failure
    assert '40 of 140 frames did not reach the node or were not paired' in told


@pytest.mark.parametrize('recognised', [0, 59])
def test_where_no_frame_was_lost_the_machine_is_not_blamed(recognised):
    told = outcome(recognised).failure
    assert told.startswith(f'{recognised / FRAMES:.0%} of the known places')
    assert 'run it again' not in told


def test_wrong_poses_are_a_failure_too():
    assert '93% of the poses right (expected 98%)' in outcome(FRAMES, wrong=10).failure
