"""A rosbag2 recording while it is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from husky_placerec.campus.messages import STORE, TOPICS
from rosbags.rosbag2 import StoragePlugin, Writer


class BagWriter:
    """
    Writes the topics of the robot, in the order of their stamps.

    :param folder: is made.
    """

    def __init__(self, folder: Path) -> None:
        self._writer = Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP)
        self._connections: dict[str, Any] = {}

    def __enter__(self) -> BagWriter:
        self._writer.open()
        for topic, kind in TOPICS.items():
            self._connections[topic] = self._writer.add_connection(topic, kind, typestore=STORE)
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def write(self, topic: str, stamp_ns: int, data: bytes) -> None:
        self._writer.write(self._connections[topic], stamp_ns, data)
