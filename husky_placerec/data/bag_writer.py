"""Writing of rosbag2 recordings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from husky_placerec.data.messages import STORE
from husky_placerec.data.simulated import SIMULATED
from rosbags.rosbag2 import StoragePlugin, Writer


class BagWriter:
    """
    Write messages in the order of their stamps, as mcap.

    :param folder: of the new recording.
    :param topics: the type of each topic, as `package/msg/Name`.
    :param simulated: mark the recording as simulated in its metadata.
    """

    def __init__(
        self, folder: Path, topics: Mapping[str, str], *, simulated: bool = False
    ) -> None:
        self._writer = Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP)
        self._simulated = simulated
        self._topics = dict(topics)
        self._connections: dict[str, Any] = {}

    def __enter__(self) -> BagWriter:
        self._writer.open()
        if self._simulated:
            self._writer.set_custom_data(SIMULATED, 'true')
        for topic, kind in self._topics.items():
            self._connections[topic] = self._writer.add_connection(topic, kind, typestore=STORE)
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def write(self, topic: str, stamp_ns: int, data: bytes) -> None:
        """Write the CDR bytes of a message."""
        self._writer.write(self._connections[topic], stamp_ns, data)
