"""Reading of rosbag2 recordings (mcap and sqlite3, also compressed), without ROS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PosixPath
import struct
from types import TracebackType
from typing import Any, TypeVar

from husky_placerec.errors import InputError
from husky_placerec.types import SECOND_NS
from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection
from rosbags.typesys import get_typestore, Stores

# A CDR message begins with 4 bytes of encapsulation; a header begins with its stamp.
_STAMP = {0: struct.Struct('>iI'), 1: struct.Struct('<iI')}

Self = TypeVar('Self', bound='BagFile')


def _header_stamp_ns(data: bytes) -> int:
    seconds, nanoseconds = _STAMP[data[1] & 1].unpack_from(data, 4)
    return int(seconds) * SECOND_NS + int(nanoseconds)


class _Folder(PosixPath):
    """A path without a suffix, because rosbags takes a folder `a.bag` for a ROS 1 file."""

    @property
    def suffix(self) -> str:
        return ''

    def __truediv__(self, name: Any) -> Any:
        return PosixPath(self) / name


class BagFile:
    """
    The topics and messages of a bag: a folder with `metadata.yaml`, an .mcap or a .db3.

    :raises InputError: for a bag that is missing or cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            raise InputError(f'{path}: no such bag')
        with self._readable():
            whole = _Folder(path) if path.is_dir() else path
            self._reader = AnyReader([whole], default_typestore=get_typestore(Stores.ROS2_JAZZY))

    def __enter__(self: Self) -> Self:
        with self._readable():
            self._reader.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reader.close()

    @property
    def topics(self) -> dict[str, str]:
        """The message type of each topic with messages."""
        topics = self._reader.topics.items()
        return {name: info.msgtype or '' for name, info in sorted(topics) if info.msgcount}

    def message_count(self, topic: str) -> int:
        """Return the number of messages of a topic."""
        return self._reader.topics[topic].msgcount

    def resolve(self, topic: str, expected: tuple[str, ...]) -> str:
        """
        Return the absolute name of a topic in the bag.

        :raises InputError: for a topic that the bag lacks, or that has another type.
        """
        name = '/' + topic.lstrip('/')
        types = ' or '.join(expected)
        if name not in self.topics:
            raise InputError(
                f'{self.path}: no messages on {name} ({types}); there are: {self.contents}'
            )
        if self.topics[name] not in expected:
            raise InputError(f'{self.path}: {name} is of {self.topics[name]}; expected {types}')
        return name

    def messages(self, topics: Mapping[str, str]) -> Iterator[tuple[str, int, Any]]:
        """Yield key, header stamp in ns and message of `topics` (name to key), as recorded."""
        for connection, _, data in self._raw(topics):
            with self._readable():
                message: Any = self._reader.deserialize(data, connection.msgtype)
            stamp = message.header.stamp
            yield topics[connection.topic], stamp.sec * SECOND_NS + stamp.nanosec, message

    def sampled(self, topic: str, most: int) -> Iterator[Any]:
        """Yield all messages of a topic, or `most` of them at even times where there are more."""
        if self.message_count(topic) <= most:
            yield from self.unstamped({topic: topic})
            return
        wanted = [c for c in self._reader.connections if c.topic == topic]
        first_ns, last_ns = self._reader.start_time, self._reader.end_time
        for number in range(most):
            start_ns = first_ns + (last_ns - first_ns) * number // most
            with self._readable():
                for connection, _, data in self._reader.messages(wanted, start=start_ns):
                    yield self._reader.deserialize(data, connection.msgtype)
                    break

    def unstamped(self, topics: Mapping[str, str]) -> Iterator[Any]:
        """Yield the messages of topics whose types have no header."""
        for connection, _, data in self._raw(topics):
            with self._readable():
                message: Any = self._reader.deserialize(data, connection.msgtype)
            yield message

    def serialized(self, topics: Mapping[str, str]) -> Iterator[tuple[str, int, bytes]]:
        """Yield key, header stamp in ns and CDR bytes of `topics`."""
        for connection, _, data in self._raw(topics):
            yield topics[connection.topic], _header_stamp_ns(data), bytes(data)

    def recorded(self, topics: Mapping[str, str]) -> Iterator[tuple[str, int, bytes]]:
        """Yield key, time of recording in ns and CDR bytes; the types need no header."""
        for connection, recorded_ns, data in self._raw(topics):
            yield topics[connection.topic], recorded_ns, bytes(data)

    def _raw(self, topics: Mapping[str, str]) -> Iterator[tuple[Connection, int, bytes]]:
        """Yield the recorded messages; a bag that is damaged in the middle ends there."""
        wanted = [c for c in self._reader.connections if c.topic in topics]
        count = 0
        with self._readable():
            for connection, recorded_ns, data in self._reader.messages(connections=wanted):
                count += 1
                yield connection, recorded_ns, data
        expected = sum(map(self.message_count, topics))
        if count != expected:
            raise InputError(
                f'{self.path}: broken; {count} of {expected} messages can be read '
                f'on {", ".join(topics)}'
            )

    @property
    def contents(self) -> str:
        """The topics with their types, for messages."""
        return ', '.join(f'{name} ({kind})' for name, kind in self.topics.items()) or 'none at all'

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """Convert the exceptions of the storage plugins into one clear error."""
        try:
            yield
        except (InputError, GeneratorExit, KeyboardInterrupt):
            raise
        except Exception as error:
            what = str(error) or type(error).__name__
            raise InputError(
                f'{self.path}: cannot be read as a bag, broken or truncated ({what})'
            ) from error
