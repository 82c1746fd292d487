"""Pairing of camera topics as a filter of message_filters, around the pairing that replays use."""

from __future__ import annotations

from collections.abc import Mapping
import threading
from typing import Any

from husky_placerec.data.pairing import FramePairer
from husky_placerec.ros.conversions import from_stamp
from message_filters import SimpleFilter


class FrameSynchronizer(SimpleFilter):
    """
    Calls back with each frame of messages, `callback(frame)`.

    In place of `ApproximateTimeSynchronizer`, which calls back with its lock held, takes the first
    partner within the slop rather than the nearest, needs every camera, and starves when a bag
    loops. All decisions are made in stamp time.

    :param filters: a source of messages with headers, such as a Subscriber, by camera.
    """

    def __init__(self, filters: Mapping[str, SimpleFilter], pairer: FramePairer[Any]) -> None:
        super().__init__()
        self.pairer = pairer
        self._lock = threading.Lock()
        for camera, source in filters.items():
            source.registerCallback(self._add, camera)

    def _add(self, message: Any, camera: str) -> None:
        with self._lock:
            frames = self.pairer.add(camera, from_stamp(message.header.stamp), message)
        for frame in frames:  # the lock is free: a callback may take its time, or fail
            self.signalMessage(frame)
