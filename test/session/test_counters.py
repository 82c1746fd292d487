"""What a session counts and times, for the diagnostics."""

from __future__ import annotations

from dataclasses import replace
import time

from husky_placerec.session import counters
from husky_placerec.session.counters import Counters, percentiles, Usage
from husky_placerec.types import TextAgreement
import pytest
from support.sessions import recognition


@pytest.fixture
def now(monkeypatch):
    """Return a list whose only number is the steady clock."""
    told = [100.0]
    monkeypatch.setattr(time, 'monotonic', lambda: told[0])
    return told


def test_all_counts_begin_at_zero():
    made = Counters()
    counts = 'frames', 'lone', 'processed', 'dropped', 'accepted', 'undecodable', 'failures'
    assert [getattr(made, name) for name in counts] == [0] * len(counts)
    assert not made.held_back
    assert (made.last_reason, made.recent_problem) == ('', '')
    assert (made.last_probability, made.last_proof) == (None, None)


def test_an_accepted_pose_is_counted_with_the_place_and_time_of_the_fix(now):
    made = Counters()
    made.count(replace(recognition(accepted=False), proof=2.0), 5.0, age_ns=3_000_000)
    assert (made.accepted, made.fixed_at, made.fixed_m) == (0, None, None)
    assert (made.last_reason, made.last_probability, made.last_proof) == ('ambiguous', 0.9, 2.0)
    now[0] = 130.0
    made.count(recognition(), 7.0, age_ns=5_500_000)
    assert (made.accepted, made.fixed_at, made.fixed_m) == (1, 130.0, 7.0)
    assert (made.last_reason, made.last_proof) == ('', None)
    assert list(made.ages_ms) == [3.0, 5.5]


def test_the_moments_of_a_frame_are_told_in_milliseconds(now):
    made = Counters()
    made.time(arrived=99.5, began=99.6, decoded=99.7, recognised=99.95)
    assert list(made.waits_ms) == pytest.approx([500.0])
    assert list(made.decoding_ms) == pytest.approx([100.0])
    assert list(made.recognising_ms) == pytest.approx([250.0])


def test_only_the_newest_times_count():
    made = Counters()
    for number in range(600):
        made.count(recognition(), 0.0, age_ns=number * 1_000_000)
    assert list(made.ages_ms) == list(range(100, 600))


def test_percentiles_are_of_the_values_and_zero_without_any():
    assert percentiles(range(101)) == [50.0, 95.0, 99.0]
    assert percentiles([1.0, 3.0], of=(50,)) == [2.0]
    assert percentiles([]) == [0.0, 0.0, 0.0]


def test_the_usage_is_since_the_last_call(now, monkeypatch):
    cpu = [3.0]
    monkeypatch.setattr(time, 'process_time', lambda: cpu[0])
    usage = Usage()
    assert usage.cpu_percent() == 0.0  # no time has passed
    now[0], cpu[0] = 104.0, 5.0
    assert usage.cpu_percent() == pytest.approx(50.0)
    now[0], cpu[0] = 105.0, 7.0
    assert usage.cpu_percent() == pytest.approx(200.0)


def test_the_memory_is_that_of_the_process():
    import resource

    most_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    assert 0.2 * most_mb < Usage.memory_mb() <= 1.05 * most_mb
    assert counters.PAGE_BYTES >= 4096


def test_at_the_end_it_is_told_what_became_of_the_frames():
    made = Counters(frames=10, dropped=2, undecodable=1, failures=1)
    for accepted in (True, True, True, False, False):
        made.count(recognition(accepted=accepted), 0.0, age_ns=0)
    made.held_back.update({'too soon': 2})
    told = made.report()
    assert told.startswith('recognised 3 of 10 frames (30%); refused 2: ambiguous 2; dropped 2,')
    assert told.endswith('held back 2: too soon 2; 1 images did not decode; 1 frames failed')
    assert Counters(frames=4, accepted=4).report() == 'recognised 4 of 4 frames (100%)'


def test_frames_with_texts_are_counted(now):
    made = Counters()
    made.count(recognition(), 0.0, age_ns=0)
    assert (made.with_texts, made.last_texts) == (0, '')
    read = replace(recognition(), texts=TextAgreement(('EXIT', 'АПТЕКА'), 0.9, 0.0))
    made.count(read, 0.0, age_ns=0)
    made.count(recognition(), 0.0, age_ns=0)
    assert (made.with_texts, made.last_texts) == (1, 'EXIT, АПТЕКА')
