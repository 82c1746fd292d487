"""Reading of rosbag2 recordings (mcap and sqlite3, also compressed), without ROS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PosixPath
import struct
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, TypeVar

from husky_placerec.data.bag_recovery import recover
from husky_placerec.data.problems import MAX_BROKEN, Problems
from husky_placerec.data.ros1 import Ros1Converter, ROS2_NAMES
from husky_placerec.errors import InputError
from husky_placerec.types import SECOND_NS
from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection
from rosbags.rosbag2.reader import zstd
from rosbags.typesys import get_typestore, Stores

# A CDR message begins with 4 bytes of encapsulation; a header begins with its stamp.
ZSTD_MAGIC = b'\x28\xb5\x2f\xfd'
_STAMP = {0: struct.Struct('>iI'), 1: struct.Struct('<iI')}

Self = TypeVar('Self', bound='BagFile')


def _header_stamp_ns(data: bytes) -> int:
    seconds, nanoseconds = _STAMP[data[1] & 1].unpack_from(data, 4)
    return int(seconds) * SECOND_NS + int(nanoseconds)


def _span(stamp_ns: int, around_ns: int) -> dict[str, int]:
    return {'start': max(0, stamp_ns - around_ns), 'stop': stamp_ns + around_ns + 1}


class _Folder(PosixPath):
    """A path without a suffix, because rosbags takes a folder `a.bag` for a ROS 1 file."""

    @property
    def suffix(self) -> str:
        return ''

    def __truediv__(self, name: Any) -> Any:
        return PosixPath(self) / name


def _opened(paths: Sequence[Path]) -> AnyReader:
    reader = AnyReader(paths, default_typestore=get_typestore(Stores.ROS2_JAZZY))
    reader.open()
    return reader


class BagFile:
    """
    The topics and messages of a bag: a folder with `metadata.yaml`, an .mcap or a .db3.

    Messages that cannot be deserialized are left out and noted in `problems`. Of a bag that was
    not closed, what is whole is read.

    :param max_broken: share of the messages of a topic that may be broken, 0 to 1.
    :raises InputError: for a bag that is missing or cannot be read.
    """

    def __init__(self, path: Path, max_broken: float = MAX_BROKEN) -> None:
        self.path = path
        self.problems = Problems(max_broken)
        self._reader: AnyReader
        self._from_ros1: Ros1Converter | None = None
        self._repaired: TemporaryDirectory[str] | None = None
        if not path.exists():
            raise InputError(f'{path}: no such bag')

    def __enter__(self: Self) -> Self:
        whole = _Folder(self.path) if self.path.is_dir() else self.path
        try:
            self._reader = _opened([whole])
        except Exception as error:  # the storage plugins raise many kinds
            self._recover(error)
        return self

    def _recover(self, error: Exception) -> None:
        """
        Open what is whole of a bag that does not open, and note what is lost.

        :raises InputError: where nothing is whole, or where nothing may be broken.
        """
        self._repaired = TemporaryDirectory(prefix='placerec-')
        found = recover(self.path, self._repaired)
        if not found.paths or not self.problems.max_broken:
            self._repaired.cleanup()
            what = '; '.join([str(error) or type(error).__name__, *found.sentences])
            strict = ' (--strict)' if found.paths else ''
            raise InputError(
                f'{self.path}: cannot be read as a bag, broken or truncated{strict} ({what})'
            ) from error
        for sentence in found.sentences:
            self.problems.tell(sentence)
        with self._readable():
            self._reader = _opened(found.paths)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reader.close()
        if self._repaired is not None:
            self._repaired.cleanup()

    @property
    def topics(self) -> dict[str, str]:
        """The message type of each topic with messages."""
        topics = self._reader.topics.items()
        kinds = {name: info.msgtype or '' for name, info in sorted(topics) if info.msgcount}
        return {name: ROS2_NAMES.get(kind, kind) for name, kind in kinds.items()}

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
        for topic, message in self._deserialized(topics):
            stamp = message.header.stamp
            yield topics[topic], stamp.sec * SECOND_NS + stamp.nanosec, message

    def messages_around(
        self, topics: Mapping[str, str], stamp_ns: int, around_ns: int | None
    ) -> Iterator[tuple[str, int, Any]]:
        """
        Yield as `messages`, but only what was recorded near a stamp; broken messages are left out.

        :param around_ns: largest distance of the recording from the stamp; None: any.
        """
        wanted = [c for c in self._reader.connections if c.topic in topics]
        span = {} if around_ns is None else _span(stamp_ns, around_ns)
        with self._readable():
            for connection, _, data in self._reader.messages(wanted, **span):
                with suppress(Exception):  # as in `_deserialized`
                    message: Any = self._reader.deserialize(
                        self._unpacked(data), connection.msgtype
                    )
                    stamp = message.header.stamp
                    at_ns = stamp.sec * SECOND_NS + stamp.nanosec
                    yield topics[connection.topic], at_ns, message

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
        for _, message in self._deserialized(topics):
            yield message

    def _deserialized(self, topics: Iterable[str]) -> Iterator[tuple[str, Any]]:
        for connection, recorded_ns, data in self._raw(topics):
            topic = connection.topic
            try:
                message: Any = self._reader.deserialize(data, connection.msgtype)
            except Exception as error:  # the deserializer raises many kinds for broken bytes
                self.problems.broken(
                    f'broken message on {topic}',
                    self.message_count(topic),
                    f'recorded at {recorded_ns} ({str(error) or type(error).__name__})',
                    where=f'{self.path}: ',
                )
                continue
            yield topic, message

    def serialized(self, topics: Mapping[str, str]) -> Iterator[tuple[str, int, bytes]]:
        """Yield key, header stamp in ns and CDR bytes of `topics`."""
        for connection, _, data in self._raw(topics):
            cdr = self._cdr(connection, data)
            yield topics[connection.topic], _header_stamp_ns(cdr), cdr

    def recorded(self, topics: Mapping[str, str]) -> Iterator[tuple[str, int, bytes]]:
        """Yield key, time of recording in ns and CDR bytes; the types need no header."""
        for connection, recorded_ns, data in self._raw(topics):
            yield topics[connection.topic], recorded_ns, self._cdr(connection, data)

    def _cdr(self, connection: Connection, data: bytes) -> bytes:
        """Return the CDR bytes of a message; those of a bag of ROS 1 are converted."""
        if self._reader.is2:
            return bytes(data)
        if self._from_ros1 is None:
            self._from_ros1 = Ros1Converter(self._reader.typestore)
        with self._readable():
            return self._from_ros1.cdr(connection.msgtype, data)

    def _raw(self, topics: Iterable[str]) -> Iterator[tuple[Connection, int, bytes]]:
        """Yield the recorded messages; a bag that is damaged in the middle ends there."""
        wanted = [c for c in self._reader.connections if c.topic in topics]
        count = 0
        with self._readable():
            for connection, recorded_ns, data in self._reader.messages(connections=wanted):
                count += 1
                yield connection, recorded_ns, self._unpacked(data)
        expected = sum(map(self.message_count, topics))
        if count != expected:
            raise InputError(
                f'{self.path}: broken; {count} of {expected} messages can be read '
                f'on {", ".join(topics)}'
            )

    def _unpacked(self, data: bytes) -> bytes:
        """Decompress a message of a repaired bag; metadata.yaml would tell that it has to be."""
        is_packed = self._repaired is not None and data[:4] == ZSTD_MAGIC
        return zstd.decompress(data) if is_packed else data

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
