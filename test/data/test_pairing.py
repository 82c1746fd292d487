"""Pairing: each test is a situation that a robot or a bag brings about."""

import itertools
import random

from husky_placerec.data.pairing import FramePairer
from husky_placerec.types import SECOND_NS
import pytest

MS = 1_000_000
FRONT, BACK = 'front', 'back'


def camera(name, rate_hz, seconds, start_ms=0.0, jitter_ms=0.0, seed=1):
    rng = random.Random(seed)
    period = SECOND_NS / rate_hz
    return [
        (int(start_ms * MS + i * period + rng.uniform(-jitter_ms, jitter_ms) * MS), name)
        for i in range(int(seconds * rate_hz))
    ]


def run(pairer, *streams, offset_ns=0):
    """Feed the streams merged by stamp; each image is its own stamp, so frames can be judged."""
    frames = []
    for stamp, name in sorted(itertools.chain(*streams)):
        frames += pairer.add(name, offset_ns + stamp, offset_ns + stamp)
    return frames


def pairs(frames):
    return [f for f in frames if len(f.images) == 2]


def worst_gap_ms(frames):
    return max(abs(f.images[FRONT] - f.images[BACK]) for f in pairs(frames)) / MS


def test_equal_rates_pair_every_image_with_its_nearest():
    frames = run(
        FramePairer([FRONT, BACK]),
        camera(FRONT, 30, 10),
        camera(BACK, 30, 10, start_ms=4, jitter_ms=3),
    )
    assert len(pairs(frames)) >= 298
    assert worst_gap_ms(frames) < 10


def test_a_near_partner_is_preferred_to_the_first_within_the_slop():
    pairer = FramePairer([FRONT, BACK])
    pairer.add(BACK, 0, '45 ms early')
    pairer.add(FRONT, 45 * MS, 'front')
    assert not pairer.add(
        BACK, 45 * MS + 500_000, 'half a millisecond late'
    )  # a nearer front image may come
    (frame,) = pairer.add(FRONT, 78 * MS, 'the next front')
    assert frame.images == {FRONT: 'front', BACK: 'half a millisecond late'}


def test_unlike_rates_use_each_image_once():
    frames = run(
        FramePairer([FRONT, BACK]), camera(FRONT, 30, 10), camera(BACK, 15, 10, start_ms=2)
    )
    assert len(pairs(frames)) >= 148
    assert len({f.images[BACK] for f in frames}) == len(frames)
    assert worst_gap_ms(frames) < 17


def test_a_looped_bag_pairs_as_well_the_second_time():
    pairer = FramePairer([FRONT, BACK])
    streams = (
        camera(FRONT, 30, 20),
        camera(BACK, 15, 18),
    )  # one ends early: leftovers must not starve the next loop
    first, second = run(pairer, *streams), run(pairer, *streams)
    assert pairer.resets == 1
    assert abs(len(pairs(first)) - len(pairs(second))) <= 2


@pytest.mark.parametrize('lost', [FRONT, BACK])
def test_a_lost_camera_is_done_without_and_taken_back(lost):
    kept = BACK if lost == FRONT else FRONT
    gone = [s for s in camera(lost, 30, 30) if not 10 <= s[0] / SECOND_NS < 20]
    frames = run(FramePairer([FRONT, BACK]), camera(kept, 30, 30), gone)
    alone = [f for f in frames if set(f.images) == {kept}]
    assert 280 <= len(alone) <= 302
    assert len(pairs(frames)) >= 590
    assert [f.stamp_ns for f in frames] == sorted(f.stamp_ns for f in frames)


def test_a_camera_that_never_comes_does_not_hold_the_other_up():
    frames = run(FramePairer([FRONT, BACK]), camera(FRONT, 30, 2))
    assert len(frames) >= 30


def test_a_camera_that_lags_by_more_than_the_slop_gives_no_false_pairs():
    pairer = FramePairer([FRONT, BACK], slop_ns=20 * MS)
    frames = run(pairer, camera(FRONT, 5, 10), camera(BACK, 5, 10, start_ms=60))
    assert not frames
    assert pairer.unmatched >= 48


def test_an_unknown_camera_is_refused():
    with pytest.raises(KeyError):
        FramePairer([FRONT, BACK]).add('left', 0, None)


def test_a_frame_tells_the_stamp_of_each_image():
    pairer = FramePairer([FRONT, BACK])
    pairer.add(FRONT, 100 * MS, 'front')
    pairer.add(BACK, 104 * MS, 'back')
    (frame,) = pairer.add(FRONT, 200 * MS, 'the next front')
    assert frame.stamp_ns == 100 * MS
    assert frame.image_stamps_ns == {FRONT: 100 * MS, BACK: 104 * MS}


@pytest.mark.parametrize('rate_hz', [1.0, 0.2])
def test_a_slow_recording_pairs_every_image(rate_hz):
    """A thinned bag has a frame every few seconds; neither camera is lost in between."""
    streams = camera(FRONT, rate_hz, 200), camera(BACK, rate_hz, 200, start_ms=4)
    frames = run(FramePairer([FRONT, BACK]), *streams)
    assert len(pairs(frames)) >= 200 * rate_hz - 2
    assert len(frames) - len(pairs(frames)) <= 1
