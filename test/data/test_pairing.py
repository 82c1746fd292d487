"""Pairing: each test is a situation that a robot or a bag brings about."""

import itertools
import random

from husky_placerec.data.pairing import FramePairer
from husky_placerec.types import SECOND_NS
from hypothesis import given
from hypothesis import strategies as st
import pytest

NEEDS = ('hypothesis',)

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


def add(pairer, *images):
    """Feed (camera, stamp in ms); return the stamps of the images of each frame, in ms."""
    frames = []
    for name, stamp_ms in images:
        frames += pairer.add(name, round(stamp_ms * MS), None)
    return [{c: ns / MS for c, ns in frame.image_stamps_ns.items()} for frame in frames]


def test_two_near_images_are_paired_at_once_when_the_rates_are_known():
    pairer = FramePairer([FRONT, BACK])
    assert add(pairer, (FRONT, 0), (BACK, 4), (FRONT, 100)) == [{FRONT: 0, BACK: 4}]
    assert add(pairer, (BACK, 104)) == [{FRONT: 100, BACK: 104}]


@pytest.mark.parametrize(('late_ms', 'at_once'), [(50, True), (51, False)])
def test_an_image_within_half_a_period_leaves_no_room_for_a_nearer_one(late_ms, at_once):
    pairer = FramePairer([FRONT, BACK], slop_ns=60 * MS)
    add(pairer, (FRONT, 0), (BACK, 0), (FRONT, 100), (BACK, 100), (FRONT, 200))
    expected = {FRONT: 200, BACK: 200 + late_ms}
    assert add(pairer, (BACK, 200 + late_ms)) == ([expected] if at_once else [])


def test_of_two_front_images_the_nearer_gets_the_partner():
    pairer = FramePairer([FRONT, BACK])
    assert add(pairer, (FRONT, 0), (FRONT, 30), (BACK, 20)) == []
    frames = add(pairer, (FRONT, 60), (BACK, 50))
    assert frames == [{FRONT: 30, BACK: 20}, {FRONT: 60, BACK: 50}]
    assert pairer.unmatched == 1


@pytest.mark.parametrize(('apart_ms', 'paired'), [(20, True), (20.001, False)])
def test_images_are_at_most_the_slop_apart(apart_ms, paired):
    pairer = FramePairer([FRONT, BACK], slop_ns=20 * MS)
    frames = add(pairer, (FRONT, 0), (BACK, apart_ms), (FRONT, 200), (BACK, 200), (FRONT, 400))
    assert frames[0] == ({FRONT: 0, BACK: apart_ms} if paired else {FRONT: 200, BACK: 200})
    assert pairer.unmatched == (not paired)


def test_the_leader_waits_until_its_partner_can_no_longer_come():
    pairer = FramePairer([FRONT, BACK], slop_ns=20 * MS)
    add(pairer, (FRONT, 100))
    add(pairer, (BACK, 79.9), (BACK, 119.9))
    assert pairer.unmatched == 0
    frames = add(pairer, (FRONT, 200), (BACK, 200))
    assert frames == [{FRONT: 100, BACK: 119.9}, {FRONT: 200, BACK: 200}]


@pytest.mark.parametrize(
    ('period_ms', 'silence_ms', 'patience_ms'), [(100, 500, 500), (200, 500, 600), (100, 250, 300)]
)
def test_a_camera_is_lost_after_the_silence_and_three_periods(period_ms, silence_ms, patience_ms):
    pairer = FramePairer([FRONT, BACK], silence_ns=silence_ms * MS)
    add(pairer, (FRONT, 0), (BACK, 0), (FRONT, period_ms))
    stamps_ms = range(2 * period_ms, 2000, period_ms)
    first = next(ms for ms in stamps_ms if add(pairer, (FRONT, ms)))
    assert first == next(ms for ms in stamps_ms if ms > patience_ms)


def test_a_camera_that_never_came_is_waited_for_since_the_first_image():
    pairer = FramePairer([FRONT, BACK])
    stamps_ms = range(1000, 2000, 100)
    first = next(ms for ms in stamps_ms if add(pairer, (FRONT, ms)))
    assert first == 1600


def test_where_the_first_camera_is_lost_the_next_leads():
    pairer = FramePairer(['left', FRONT, BACK])
    images = [(name, ms) for ms in range(0, 900, 100) for name in (BACK, FRONT)]
    frames = add(pairer, *images)
    assert frames[0] == {FRONT: 0, BACK: 0}
    assert list(frames[0]) == [FRONT, BACK]
    assert pairer.unmatched == 0


def test_a_frame_needs_every_camera_that_is_alive():
    pairer = FramePairer(['left', FRONT, BACK])
    everywhere = [(name, ms) for ms in (0, 100, 200) for name in ('left', FRONT, BACK)]
    without = [each for each in everywhere if each != (BACK, 100)]
    frames = add(pairer, *without, *[(name, 300) for name in ('left', FRONT, BACK)])
    assert [frame['left'] for frame in frames] == [0, 200, 300]
    assert pairer.unmatched == 1


def test_each_camera_keeps_the_newest_images():
    pairer = FramePairer([FRONT, BACK], queue_size=2)
    add(pairer, *[(FRONT, ms) for ms in (0, 100, 200)])
    frames = add(pairer, (BACK, 0), (BACK, 100), (BACK, 200), (BACK, 300))
    assert frames[0] == {FRONT: 100, BACK: 100}


@pytest.mark.parametrize(('back_ms', 'resets'), [(1000, 0), (1000.001, 1)])
def test_time_begins_anew_when_a_stamp_is_over_a_second_old(back_ms, resets):
    pairer = FramePairer([FRONT, BACK])
    add(pairer, (FRONT, 5000))
    add(pairer, (FRONT, 5000 - back_ms))
    assert pairer.resets == resets
    # The other camera is waited for since then.
    assert not add(pairer, (FRONT, 4400))
    assert bool(add(pairer, (FRONT, 4501))) == bool(resets)


def test_a_reset_forgets_what_waits_and_since_when():
    pairer = FramePairer([FRONT, BACK])
    add(pairer, (FRONT, 0), (FRONT, 100))
    pairer.reset()
    assert pairer.resets == 0
    assert add(pairer, (BACK, 5000), (BACK, 5004), (FRONT, 5004), (FRONT, 5100)) == [
        {FRONT: 5004, BACK: 5004}
    ]


def test_an_image_that_comes_after_its_frame_is_too_late():
    pairer = FramePairer([FRONT, BACK])
    assert add(pairer, (FRONT, 0), (BACK, 4), (FRONT, 100), (BACK, 104)) == [
        {FRONT: 0, BACK: 4},
        {FRONT: 100, BACK: 104},
    ]
    assert add(pairer, (BACK, 104), (BACK, 96), (FRONT, 100), (FRONT, 97)) == []
    assert not any(pairer._camera[name].waiting for name in (FRONT, BACK))


def test_images_of_one_camera_may_come_out_of_order():
    pairer = FramePairer([FRONT, BACK])
    frames = add(pairer, (BACK, 100), (BACK, 0), (FRONT, 0), (FRONT, 100), (FRONT, 200))
    assert frames == [{FRONT: 0, BACK: 0}, {FRONT: 100, BACK: 100}]


STEP = st.tuples(st.sampled_from([FRONT, BACK, 'left']), st.integers(-30, 80))


@given(st.lists(STEP, max_size=80))
def test_each_image_is_used_once_and_in_order_of_time(steps):
    pairer, clocks, used = FramePairer([FRONT, BACK, 'left']), {}, []
    frames = []
    for number, (name, step_ms) in enumerate(steps):
        clocks[name] = max(clocks.get(name, 0) + step_ms, 0)
        frames += pairer.add(name, clocks[name] * MS, (name, number))
    for frame in frames:
        stamps = list(frame.image_stamps_ns.values())
        assert max(stamps) - min(stamps) <= 2 * pairer.slop_ns
        used += frame.images.values()
    assert len(used) == len(set(used))
    for name in (FRONT, BACK, 'left'):
        stamps = [f.image_stamps_ns[name] for f in frames if name in f.images]
        assert stamps == sorted(set(stamps))
