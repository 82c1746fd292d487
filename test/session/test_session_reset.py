"""What a session resets when it begins anew, and what it no longer tells then."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace

from husky_placerec.errors import InputError
from husky_placerec.types import SECOND_NS, State
import pytest
from support.builders import planar, START_NS
from support.sessions import FakeRecognizer, frame, running, settle, store

SECOND_MAP = SimpleNamespace(version='second', prepare=lambda: None)


class SlowRecognizer(FakeRecognizer):
    """Keeps a frame in work until the test lets it go."""

    def __init__(self):
        super().__init__()
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()

    def recognize(self, frame, texts=()):
        self.begun.set()
        assert self.go_on.wait(5)
        return super().recognize(frame, texts)


def forgot(made):
    return [json.loads(line)['forgot'] for line in made.log]


def test_a_reset_resets_all_and_tells_the_observer():
    with running({'min_travel': 1.0, 'max_rate': 1.0}) as made:
        session = made.session
        assert made.observer.resets == 0
        for number in range(3):
            session.add_odometry(START_NS + number, planar(0.0))
            store(session, frame(START_NS + number))
        assert len(made.observer.told) == 1  # the others are too soon
        assert session.state is State.LOCALIZED
        session.begin_anew()
        assert made.observer.resets == 1
        assert session.state is State.LOST
        assert made.observer.states == ['LOCALIZED', 'LOST']
        assert made.recognizer.events.count(('begin anew', None)) == 1  # in its own time
        store(session, frame(START_NS + 3))
        assert len(made.observer.told) == 2  # the gate let it through
        events = [event for event in made.recognizer.events if event[0] != 'odometry']
        assert events[-2:] == [('begin anew', None), ('frame', START_NS + 3)]
        assert forgot(made) == [True, True]
        store(session, frame(START_NS + 2 * SECOND_NS))
        assert forgot(made) == [True, True, False]


@pytest.mark.parametrize('enabled_before', [True, False])
def test_what_follows_a_pause_begins_anew(enabled_before):
    with running() as made:
        made.session.enable(enabled_before)
        assert made.observer.resets == 0
        made.session.enable(True)
        assert made.observer.resets == (not enabled_before)


def test_a_frame_in_work_at_a_reset_is_logged_but_not_told():
    slow = SlowRecognizer()
    with running(recognizer=slow) as made:
        store(made.session, frame(START_NS))
        slow.begun.clear()
        slow.go_on.clear()
        made.session.store(frame(START_NS + 1))
        assert slow.begun.wait(5)
        made.session.begin_anew()
        assert made.session.state is State.LOST
        slow.go_on.set()
        settle(made.session)
        assert [said.stamp_ns for said in made.observer.told] == [START_NS]
        assert made.session.state is State.LOST
        assert made.observer.states == ['LOCALIZED', 'LOST']
        store(made.session, frame(START_NS + 2))
        stamps = [json.loads(line)['stamp_ns'] for line in made.log]
        assert stamps == [START_NS, START_NS + 1, START_NS + 2]
        assert forgot(made) == [True, False, True]
        assert [said.stamp_ns for said in made.observer.told] == [START_NS, START_NS + 2]


def test_a_reset_waits_until_a_frame_is_told():
    """Whoever resets knows that no frame from before is told afterwards."""
    telling, go_on = threading.Event(), threading.Event()
    order = []
    with running() as made:

        def recognized(*_):
            telling.set()
            assert go_on.wait(5)
            order.append('told')

        made.observer.recognized = recognized
        made.observer.began_anew = lambda: order.append('anew')
        made.session.store(frame(START_NS))
        assert telling.wait(5)
        resetting = threading.Thread(target=made.session.begin_anew)
        resetting.start()
        resetting.join(0.05)
        assert order == []
        go_on.set()
        resetting.join(5)
        settle(made.session)
        assert order == ['told', 'anew']


def test_a_reload_exchanges_the_map_and_then_begins_anew_once():
    with running() as made:
        store(made.session, frame(START_NS))
        versions = []
        made.observer.began_anew = lambda: versions.append(made.recognizer.place_map.version)
        made.session.reload(SECOND_MAP)
        assert versions == ['second']
        assert made.session.state is State.LOST
        store(made.session, frame(START_NS + 1))
        assert made.recognizer.events[1:] == [
            ('frame', START_NS),
            ('reload', 'second'),
            ('begin anew', None),
            ('frame', START_NS + 1),
        ]
        assert forgot(made) == [True, True]
        assert [json.loads(line)['map_version'] for line in made.log] == ['first', 'second']


def test_a_reload_waits_for_the_frame_in_work_and_prepares_the_map_meanwhile():
    slow, prepared = SlowRecognizer(), threading.Event()
    place_map = SimpleNamespace(version='second', prepare=prepared.set)
    with running(recognizer=slow) as made:
        slow.go_on.clear()
        made.session.store(frame(START_NS))
        assert slow.begun.wait(5)
        reloading = threading.Thread(target=made.session.reload, args=(place_map,))
        reloading.start()
        assert prepared.wait(5)
        reloading.join(0.05)
        assert slow.place_map.version == 'first'
        slow.go_on.set()
        reloading.join(5)
        settle(made.session)
        assert slow.place_map.version == 'second'
        assert [said.stamp_ns for said in made.observer.told] == [START_NS]


def test_a_map_that_is_refused_resets_nothing():
    class Refusing(FakeRecognizer):
        def reload(self, place_map):
            raise InputError('another frame')

    with running(recognizer=Refusing()) as made:
        store(made.session, frame(START_NS))
        with pytest.raises(InputError, match='another frame'):
            made.session.reload(SECOND_MAP)
        assert made.observer.resets == 0
        assert made.session.state is State.LOCALIZED
        store(made.session, frame(START_NS + 1))
        assert forgot(made) == [True, False]


def test_stopping_begins_anew():
    with running() as made:
        store(made.session, frame(START_NS))
        made.session.stop()
        assert made.observer.resets == 1
        assert made.observer.states == ['LOCALIZED', 'LOST']


def test_a_frame_that_nobody_takes_at_the_end_is_dropped():
    slow = SlowRecognizer()
    with running(recognizer=slow) as made:
        slow.go_on.clear()
        made.session.store(frame(START_NS))
        assert slow.begun.wait(5)
        made.session.store(frame(START_NS + 1))
        threading.Timer(0.05, slow.go_on.set).start()
        made.session.stop()
        assert made.session.counters.dropped == 1
        assert made.session.counters.processed == 1
