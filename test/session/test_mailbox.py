"""The queue of length one between the cameras and the worker."""

from __future__ import annotations

import threading

from husky_placerec.session.mailbox import Mailbox


def test_a_slow_reader_gets_the_newest_and_is_let_go_at_the_end():
    box = Mailbox()
    assert [box.put(item) for item in 'abc'] == [False, True, True]
    assert box.take() == 'c'
    assert box.put('d') is False
    assert box.take() == 'd'
    assert box.close() is False
    assert box.take() is None


def test_an_item_that_nobody_took_is_left_at_the_end():
    box = Mailbox()
    box.put('a')
    assert box.close() is True
    assert box.take() is None


def read_in_thread(box):
    """Start a reader; return its thread and what it reads."""
    found = []
    reader = threading.Thread(target=lambda: found.append(box.take()), daemon=True)
    reader.start()
    reader.join(0.05)
    assert reader.is_alive()
    return reader, found


def test_a_reader_waits_for_an_item():
    box = Mailbox()
    reader, found = read_in_thread(box)
    box.put('a')
    reader.join(5)
    assert found == ['a']


def test_a_reader_that_waits_is_let_go_at_the_end():
    box = Mailbox()
    reader, found = read_in_thread(box)
    box.close()
    reader.join(5)
    assert found == [None]
