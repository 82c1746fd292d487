"""The pairing of camera topics as a filter of message_filters."""

from __future__ import annotations

from collections.abc import Mapping
import threading
from typing import Any

from husky_placerec.data.pairing import FramePairer
from husky_placerec.ros.conversions import from_stamp
from message_filters import SimpleFilter


class FrameSynchronizer(SimpleFilter):
    """
    Call back with each frame of messages, `callback(frame)`.

    It does the pairing of `data.pairing`, which a replay uses too, in stamp time. It replaces
    `ApproximateTimeSynchronizer`, which holds its lock while calling back, takes the first partner
    within the slop instead of the nearest, needs every camera, and starves when a bag loops.

    :param filters: sources of messages with headers, such as Subscribers, by camera.
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
        for frame in frames:  # without the lock: a callback may be slow, or fail
            self.signalMessage(frame)
