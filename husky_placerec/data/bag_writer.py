"""A rosbag2 recording while it is written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from husky_placerec.data.messages import STORE
from rosbags.rosbag2 import StoragePlugin, Writer


class BagWriter:
    """
    Writes messages in the order of their stamps, as mcap.

    :param folder: is made.
    :param topics: the type of each, as `package/msg/Name`.
    """

    def __init__(self, folder: Path, topics: Mapping[str, str]) -> None:
        self._writer = Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP)
        self._topics = dict(topics)
        self._connections: dict[str, Any] = {}

    def __enter__(self) -> BagWriter:
        self._writer.open()
        for topic, kind in self._topics.items():
            self._connections[topic] = self._writer.add_connection(topic, kind, typestore=STORE)
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def write(self, topic: str, stamp_ns: int, data: bytes) -> None:
        """Write a message's CDR bytes."""
        self._writer.write(self._connections[topic], stamp_ns, data)
