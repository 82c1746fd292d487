"""Sessions around a recognizer that only notes what reaches it, and frames for them."""

from __future__ import annotations

from contextlib import contextmanager
import threading
import time
from types import SimpleNamespace

from husky_placerec.config import make_config
from husky_placerec.errors import InputError
from husky_placerec.recognition.odometry import Odometry
from husky_placerec.session import Observer, Session
from husky_placerec.types import Frame, Measurement, Recognition
import numpy as np
from support.builders import BACK, FRONT, planar, START_NS

PIXELS = np.zeros((4, 4, 3), np.uint8)


def frame(stamp_ns=START_NS, images=(FRONT, BACK)):
    return Frame(stamp_ns, dict.fromkeys(images, 'good'), dict.fromkeys(images, stamp_ns))


def recognition(stamp_ns=START_NS, accepted=True, x=0.0, covariance=(1.0,) * 6):
    said = Measurement(accepted, None, planar(x), 0.9, covariance)
    return Recognition(
        *(stamp_ns, {FRONT: stamp_ns}, accepted, None if accepted else 'ambiguous', ()),
        probability=0.9,
        covariance=covariance,
        measurement=said,
        estimate=planar(x),
    )


class NotedOdometry(Odometry):
    """Notes the poses that a recognizer gets to know."""

    def __init__(self, events):
        super().__init__()
        self._events = events

    def take_new(self):
        new = super().take_new()
        self._events += [('odometry', stamp_ns) for stamp_ns, _ in new]
        return new


class FakeRecognizer:
    """Notes what reaches it, in order; fails at the stamps that it is told."""

    calibration_kind = 'own'
    place_map = SimpleNamespace(version='first', prepare=lambda: None)

    def __init__(self, fails=()):
        self.events, self.fails, self.threads = [], set(fails), set()
        self.odometry, self.config, self.texts = NotedOdometry(self.events), None, []

    def recognize(self, frame, texts=()):
        self.threads.add(threading.get_ident())
        if frame.stamp_ns in self.fails:
            raise RuntimeError('broken inside')
        self.events.append(('frame', frame.stamp_ns))
        self.texts.append(tuple(texts))
        return recognition(frame.stamp_ns)

    def begin_anew(self):
        self.odometry.begin_anew()
        self.events.append(('begin anew', None))

    def configure(self, config):
        if self.config is not None:
            self.events.append(('configure', config.min_similarity))
        self.config = config

    def reload(self, place_map):
        self.events.append(('reload', place_map.version))
        self.place_map = place_map


def decode(message):
    if message == 'bad':
        raise InputError('12 bytes that do not decode as an image')
    return PIXELS


class Lines(list):
    """A log in the memory."""

    write = list.append


class Noting(Observer):
    """Notes what a session tells."""

    def __init__(self):
        self.told, self.problems, self.states, self.resets = [], [], [], 0

    def recognized(self, recognition, frame):
        self.told.append(recognition)

    def state_changed(self, state):
        self.states.append(state.value)

    def began_anew(self):
        self.resets += 1

    def problem(self, sentence):
        self.problems.append(sentence)


@contextmanager
def running(parameters=None, recognizer=None, observer=None, **options):
    """Start a session, with all that notes what it does, and stop it at the end."""
    recognizer, observer = recognizer or FakeRecognizer(), observer or Noting()
    log, config = Lines(), make_config(parameters or {})
    options = {'decode': decode, 'now_ns': lambda: START_NS, 'log': log, **options}
    session = Session(recognizer, config, observer=observer, **options)
    session.start()
    made = SimpleNamespace(session=session, observer=observer, log=log, recognizer=recognizer)
    try:
        yield made
    finally:
        session.stop()


def store(session, *frames):
    """Give a session frames, each after it has dealt with the one before."""
    for each in frames:
        session.store(each)
        settle(session)


def settle(session):
    """Wait until every frame is accounted for."""
    counters = session.counters
    end = time.monotonic() + 5
    while counters.frames > (
        counters.processed + counters.dropped + sum(counters.held_back.values())
    ):
        assert time.monotonic() < end
        time.sleep(0.001)
