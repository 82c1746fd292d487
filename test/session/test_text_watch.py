"""Reading of texts in a thread of its own: no pose waits for it, and nothing old counts."""

from __future__ import annotations

from dataclasses import replace
import threading

from husky_placerec.config import make_config
from husky_placerec.session.image_needs import image_needs
from husky_placerec.session.text_watch import TextWatch
from husky_placerec.texts.map_texts import MapTexts
from husky_placerec.texts.seen import SeenText
from husky_placerec.types import Frame, SECOND_NS
from support.builders import FRONT, START_NS, straight_map
from support.sessions import frame, running, settle, store

TEXTS = (SeenText('АПТЕКА', 'front', 0.9),)


class SlowReader:
    """Keeps a frame in work until the test lets it go, and notes what it read."""

    def __init__(self):
        self.go_on, self.read, self.done = threading.Event(), [], threading.Semaphore(0)
        self.begun = threading.Semaphore(0)
        self.go_on.set()

    def __call__(self, frame):
        self.begun.release()
        assert self.go_on.wait(5)
        self.read.append(frame.stamp_ns)
        self.done.release()
        if frame.stamp_ns == START_NS + 9:
            raise RuntimeError('out of ink')
        return TEXTS


def at(seconds):
    return Frame(START_NS + round(seconds * SECOND_NS), {}, {})


def stamp(seconds):
    return START_NS + round(seconds * SECOND_NS)


def read_all(watch, count):
    """Wait until the watch has taken what was read."""
    for _ in range(500):
        if watch.read + watch.failures >= count:
            return
        threading.Event().wait(0.01)
    raise AssertionError(f'{watch.read} frames read; expected {count}')


def watching(reader, problems=None, rate=1.0, age_s=2.0):
    watch = TextWatch(reader, rate, age_s, (problems if problems is not None else []).append)
    watch.start()
    return watch


def test_texts_count_until_they_are_old():
    watch = watching(SlowReader())
    assert watch.newest(stamp(0)) == ()
    watch.offer(at(0))
    read_all(watch, 1)
    assert watch.newest(stamp(0)) == watch.newest(stamp(2)) == TEXTS
    assert watch.newest(stamp(2.01)) == watch.newest(stamp(-0.01)) == ()
    watch.stop()
    assert watch.newest(stamp(0)) == ()


def test_frames_are_read_at_their_own_rate():
    reader = SlowReader()
    watch = watching(reader)
    for number, seconds in enumerate((0, 0.5, 0.99, 1.0, 1.2, 0.1), 1):
        watch.offer(at(seconds))
        read_all(watch, {1: 1, 2: 1, 3: 1}.get(number, 2 if number < 6 else 3))
    watch.stop()
    assert reader.read == [stamp(0), stamp(1), stamp(0.1)]  # stamps that step back are new


def test_what_was_read_before_a_reset_does_not_count():
    reader = SlowReader()
    watch = watching(reader)
    reader.go_on.clear()
    watch.offer(at(0))
    assert reader.begun.acquire(timeout=5)
    watch.begin_anew()
    reader.go_on.set()
    read_all(watch, 1)
    assert watch.newest(stamp(0)) == ()
    watch.offer(at(0))
    read_all(watch, 2)
    assert watch.newest(stamp(0)) == TEXTS
    watch.stop()


def test_a_frame_that_fails_is_told_and_the_next_is_read():
    problems = []
    watch = watching(SlowReader(), problems)
    watch.offer(Frame(START_NS + 9, {}, {}))
    read_all(watch, 1)
    assert problems == ['texts of a frame: RuntimeError: out of ink']
    watch.offer(at(1.5))
    read_all(watch, 2)
    assert (watch.read, watch.failures) == (1, 1)
    watch.stop()


def test_no_pose_waits_for_a_text():
    reader = SlowReader()
    reader.go_on.clear()
    with running(texts_of=reader) as made:
        for number in range(3):  # the reader stands still all the time
            store(made.session, frame(START_NS + number * SECOND_NS // 2))
        assert len(made.observer.told) == 3
        assert made.recognizer.texts == [(), (), ()]
        reader.go_on.set()
        settle(made.session)
        for _ in range(2):
            assert reader.done.acquire(timeout=5)
        for _ in range(500):
            if made.session.texts.newest(stamp(1.5)):
                break
            threading.Event().wait(0.01)
        store(made.session, frame(stamp(1.5)))
        assert made.recognizer.texts[-1] == TEXTS
        assert 'АПТЕКА' in made.log[-1].encode().decode('unicode_escape')
        assert 'seen_texts' not in made.log[0]


def test_texts_need_the_whole_image():
    place_map, config = straight_map(4), make_config({'texts': 'ocr'})
    size = FRONT, 1280, 720
    assert image_needs(place_map, config)(*size) != size[1:]
    seen = replace(place_map, texts=MapTexts(((),) * 4))
    assert image_needs(seen, config)(*size) == size[1:]
    assert image_needs(seen, make_config({}))(*size) != size[1:]
