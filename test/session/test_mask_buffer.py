"""Masks of topics: found by their stamp, never waited for, and counted when they miss."""

from __future__ import annotations

from husky_placerec.errors import InputError
from husky_placerec.session.mask_buffer import BROKEN, EARLY, LATE, MaskBuffer, MOST
import numpy as np
from support.builders import BACK, FRONT, START_NS
from support.sessions import FakeRecognizer, frame, running, settle


def test_a_mask_is_found_by_the_camera_and_the_stamp_of_its_image():
    buffer = MaskBuffer()
    for number in range(3):
        buffer.add(FRONT, START_NS + number, number)
    assert buffer.take(BACK, START_NS) is None
    assert buffer.take(FRONT, START_NS + 1) == 1
    assert buffer.take(FRONT, START_NS + 1) is None
    assert buffer.take(FRONT, START_NS + 2) == 2
    assert buffer.counts == {}


def test_late_masks_and_masks_of_no_image_are_counted_and_dropped():
    buffer = MaskBuffer()
    assert buffer.take(FRONT, START_NS) is None
    buffer.add(FRONT, START_NS, 'late')
    buffer.add(BACK, START_NS, 'in time: no back image was taken')
    assert buffer.counts == {LATE: 1}
    for number in range(MOST + 2):
        buffer.add(FRONT, START_NS + 1 + number, number)
    assert buffer.counts == {LATE: 1, EARLY: 2}
    buffer.reset()
    buffer.add(FRONT, START_NS, 'of a bag that begins anew')
    assert buffer.take(FRONT, START_NS) is not None


class Keeping(FakeRecognizer):
    """Keeps the frames that it gets."""

    def __init__(self):
        super().__init__()
        self.frames = []

    def recognize(self, frame, texts=()):
        self.frames.append(frame)
        return super().recognize(frame, texts)


def test_a_session_gives_each_image_its_mask_and_goes_on_without_those_that_miss():
    def read(size):
        assert size == (4, 4)  # of the decoded image
        return np.ones(size, np.uint8)

    def refuse(size):
        raise InputError('/front/mask at 7: the mask has colours')

    with running(recognizer=Keeping()) as made:
        session = made.session
        session.masks.add(FRONT, START_NS, read)
        session.masks.add(FRONT, START_NS + 1, refuse)
        for number in range(3):
            session.store(frame(START_NS + number))
            settle(session)
        frames = made.recognizer.frames
        assert [list(each.masks) for each in frames] == [[FRONT], [], []]
        assert frames[0].masks[FRONT].all()
        assert session.masks.counts == {BROKEN: 1}
        assert made.observer.problems == ['front mask: /front/mask at 7: the mask has colours']
        assert session.counters.failures == 0
