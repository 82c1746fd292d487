"""The session: what it recognises, counts, logs and survives, and what a reset resets."""

from contextlib import ExitStack
from functools import partial
import json
import threading
import time
from types import SimpleNamespace

import cv2
from husky_placerec.config import make_config
from husky_placerec.data.images import decode_image
from husky_placerec.session import Session
from husky_placerec.types import Frame, SECOND_NS
import numpy as np
import pytest
from support.builders import BACK, compressed, encode, FRONT, planar, START_NS
from support.sessions import decode, FakeRecognizer, frame, recognition, running, settle, store


@pytest.fixture
def make():
    """Return a function that makes a session around a fake recognizer, and starts it."""
    with ExitStack() as stack:

        def making(parameters=None, fails=()):
            made = stack.enter_context(running(parameters, FakeRecognizer(fails)))
            made.told, made.problems = made.observer.told, made.observer.problems
            made.events = made.recognizer.events
            return made

        yield making


def test_an_exception_inside_recognition_costs_one_frame(make):
    made = make(fails={START_NS + 1})
    store(made.session, *(frame(START_NS + i) for i in range(3)))
    assert [r.stamp_ns for r in made.told] == [START_NS, START_NS + 2]
    assert made.session.counters.failures == 1
    assert made.problems == ['a frame failed: RuntimeError: broken inside']


def test_a_broken_image_is_a_camera_that_is_not_there(make):
    made = make()
    half = Frame(START_NS, {FRONT: 'bad', BACK: 'good'}, {FRONT: START_NS, BACK: START_NS + 5})
    none = Frame(START_NS, {FRONT: 'bad'}, {FRONT: START_NS})
    store(made.session, half, none)
    assert [r.stamp_ns for r in made.told] == [START_NS + 5]  # stamped as the one that is there
    assert made.session.counters.undecodable == 2
    assert made.session.counters.processed == 2


def test_a_depth_image_and_a_huge_one_are_counted_with_their_reasons():
    depth = cv2.imencode('.png', np.arange(600, dtype=np.uint16).reshape(20, 30))[1].tobytes()
    messages = {
        FRONT: compressed(START_NS, depth, '16UC1; png compressed '),
        BACK: compressed(START_NS, encode(np.zeros((20, 30, 3), np.uint8)), 'png'),
    }
    with running(decode=partial(decode_image, max_pixels=599)) as made:
        store(made.session, Frame(START_NS, messages, dict.fromkeys(messages, START_NS)))
    assert made.session.counters.undecodable == 2
    front, back = made.observer.problems
    assert front.startswith("front image: a depth image (format '16UC1; png compressed '")
    assert back.startswith("back image: an image of 30x20 ('png'), which is more than max_pixels")
    assert made.observer.told == []


def test_a_frame_too_many_is_dropped_and_counted(make):
    made = make()
    with made.session._turn:  # the thread is kept from its work
        for i in range(5):
            made.session.store(frame(START_NS + i))
            time.sleep(0.005)
    settle(made.session)
    counters = made.session.counters
    assert counters.dropped == 3
    assert counters.processed == 2


def test_disabled_it_holds_everything_back_and_enabled_it_goes_on(make):
    made = make()
    made.session.enable(False)
    store(made.session, frame())
    made.session.enable(True)
    store(made.session, frame(START_NS + 1))
    assert [r.stamp_ns for r in made.told] == [START_NS + 1]
    assert made.session.counters.held_back == {'disabled': 1}


def test_what_reaches_the_recognizer_is_in_the_log_in_its_order(make):
    made = make()
    made.session.add_odometry(START_NS - 10, planar(0.0))
    store(made.session, frame())
    made.session.begin_anew()
    made.session.add_odometry(START_NS + 10, planar(1.0))
    store(made.session, frame(START_NS + 20))
    lines = [json.loads(line) for line in made.log]
    logged = []
    for line in lines:
        logged += [('begin anew', None)] * line['forgot']
        logged += [('odometry', int(pose[0])) for pose in line['odometry']]
        logged += [('frame', line['stamp_ns'])]
    assert logged == made.events
    assert [line['forgot'] for line in lines] == [True, True]  # the file may have another run
    assert lines[1]['odometry'] == [[START_NS + 10, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]]


def test_parameters_and_the_map_change_between_two_frames_and_are_in_the_log(make):
    made = make({'min_similarity': 0.1})
    store(made.session, frame())
    made.session.configure(make_config({'min_similarity': 0.2, 'max_rate': 1000.0}))
    assert made.events[-1][0] == 'frame'  # it waits for the thread
    store(made.session, frame(START_NS + SECOND_NS))
    made.session.reload(SimpleNamespace(version='second', prepare=lambda: None))
    store(made.session, frame(START_NS + 2 * SECOND_NS))
    happened = [event for event in made.events if event[0] not in ('frame', 'odometry')]
    assert happened == [
        *(('begin anew', None), ('configure', 0.2), ('reload', 'second'), ('begin anew', None))
    ]
    lines = [json.loads(line) for line in made.log]
    assert [line['parameters']['min_similarity'] for line in lines] == [0.1, 0.2, 0.2]
    assert 'max_rate' not in lines[0]['parameters']  # which only holds frames back
    assert [line['map_version'] for line in lines] == ['first', 'first', 'second']
    assert [line['forgot'] for line in lines] == [True, False, True]


def test_what_came_before_a_frame_that_failed_is_in_the_next_line(make):
    made = make(fails={START_NS})
    made.session.add_odometry(START_NS - 10, planar(0.0))
    store(made.session, frame())
    made.session.add_odometry(START_NS + 10, planar(1.0))
    store(made.session, frame(START_NS + 20))
    (line,) = map(json.loads, made.log)
    assert line['forgot']
    assert [pose[0] for pose in line['odometry']] == [START_NS - 10, START_NS + 10]


def test_a_pose_that_could_not_be_told_is_in_the_log(make):
    made = make()
    made.observer.recognized = lambda *_: 1 / 0
    store(made.session, frame())
    assert len(made.log) == 1
    assert 'ZeroDivisionError' in made.problems[0]


def test_stopped_and_started_it_begins_anew_with_one_thread_at_work(make):
    made = make()
    store(made.session, frame())
    made.session.stop()
    assert not made.session.working
    made.session.start()
    store(made.session, frame(START_NS + 1))
    assert [event for event, _ in made.events] == ['begin anew', 'frame'] * 2


def test_a_log_that_cannot_be_written_does_not_cost_a_pose(make):
    made = make()
    made.session._log = SimpleNamespace(
        write=lambda _: (_ for _ in ()).throw(OSError('disk full'))
    )
    store(made.session, frame())
    assert len(made.told) == 1
    assert 'disk full' in made.problems[0]


def test_every_frame_is_counted_with_what_became_of_it(make):
    made = make({'max_rate': 1.0}, fails={START_NS + 2 * SECOND_NS})
    stamps = [START_NS, START_NS + 1, START_NS + 2 * SECOND_NS, START_NS + 4 * SECOND_NS]
    store(made.session, frame(stamps[0], images=(BACK,)), *(frame(ns) for ns in stamps[1:]))
    counters = made.session.counters
    assert (counters.frames, counters.lone, counters.processed) == (4, 1, 3)
    assert counters.held_back == {'too soon': 1}
    assert (counters.failures, counters.accepted, counters.dropped) == (1, 2, 0)
    assert counters.last_probability == 0.9
    for times in (counters.waits_ms, counters.ages_ms, counters.decoding_ms):
        assert len(times) == 2
    assert list(counters.ages_ms) == [0.0, -4000.0]  # the clock of this test stands still


def test_the_times_of_a_frame_are_of_its_steps():
    slow = FakeRecognizer()
    recognize = slow.recognize
    slow.recognize = lambda *given: time.sleep(0.03) or recognize(*given)

    def decoding(message):
        time.sleep(0.01)
        return message

    with running(recognizer=slow, decode=decoding) as made:
        store(made.session, frame())
        counters = made.session.counters
        (waited,), (decoded,) = counters.waits_ms, counters.decoding_ms
        (recognised,) = counters.recognising_ms
    assert 10 <= decoded < recognised
    assert 30 <= recognised < waited
    assert waited >= decoded + recognised


def test_odometry_without_a_frame_does_not_fill_the_memory(make):
    made = make(fails=set(range(START_NS, START_NS + 100)))
    for number in range(3):
        for tick in range(4001):
            made.session.add_odometry(START_NS + (number * 4001 + tick) * 1000, planar(0.0))
        store(made.session, frame(START_NS + number))
    store(made.session, frame(START_NS + 1000))
    (line,) = map(json.loads, made.log)
    assert len(line['odometry']) == 10_000
    assert line['odometry'][-1][0] == START_NS + 12_002 * 1000


def test_without_a_log_or_an_observer_frames_are_recognised_all_the_same():
    recognizer = FakeRecognizer()
    session = Session(recognizer, make_config({}), decode=decode)
    assert not session.working
    assert session.recognize(frame()).accepted
    session.start()
    assert session.working
    store(session, frame(START_NS + 1))
    session.stop()
    assert not session.working
    assert [event for event in recognizer.events if event[0] == 'frame'] == [
        ('frame', START_NS),
        ('frame', START_NS + 1),
    ]


def test_images_are_pixels_where_no_decoder_is_given():
    seen = []
    recognizer = FakeRecognizer()
    recognizer.recognize = lambda frame, _: seen.append(frame.images) or recognition()
    session = Session(recognizer, make_config({}))
    session.start()
    store(session, frame())
    session.stop()
    assert seen == [{FRONT: 'good', BACK: 'good'}]


def test_the_configuration_reaches_the_recognizer_before_its_next_frame(make):
    made = make()
    assert made.recognizer.config is None
    config = make_config({'min_similarity': 0.4})
    made.session.configure(config)
    assert made.recognizer.config is None
    store(made.session, frame())
    assert made.recognizer.config is config


def test_a_process_that_ends_does_not_wait_for_the_worker(make):
    made = make()
    threads = []
    made.observer.recognized = lambda *_: threads.append(threading.current_thread())
    store(made.session, frame())
    (worker,) = threads
    assert worker.daemon and worker is not threading.current_thread()
