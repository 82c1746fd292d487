"""
The whole part of an mcap file whose end is missing, read as a file that is closed properly.

A recording that was interrupted, or copied in part, has neither summary nor footer. The format is
that of https://mcap.dev/spec. Nothing is written: the end is made in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
import io
from pathlib import Path, PosixPath
import struct
from typing import Any, BinaryIO

from lz4.frame import LZ4FrameDecompressor
from rosbags.rosbag2.reader import zstd

MAGIC = b'\x89MCAP0\r\n'
FOOTER, SCHEMA, CHANNEL, MESSAGE, CHUNK, INDEX = 0x02, 0x03, 0x04, 0x05, 0x06, 0x07
CHUNK_INDEX, DATA_END = 0x08, 0x0F
HEAD = struct.Struct('<BQ')  # opcode and length of a record
CHUNK_HEAD = struct.Struct('<QQQI')  # first and last time, size of the records, checksum


@dataclass
class _Chunk:
    """A whole chunk: where it is, and where the indices of its channels are."""

    offset: int
    length: int
    content: bytes  # without the compressed records
    compression: bytes
    compressed: int
    indices: dict[int, int] = field(default_factory=dict)
    end: int = 0


@dataclass
class _Scan:
    """What is whole: records with definitions, chunks, and the end of the last whole record."""

    definitions: dict[tuple[int, int], bytes] = field(default_factory=dict)
    chunks: list[_Chunk] = field(default_factory=list)
    last: int | None = None  # offset of the last chunk, whole or not
    end: int = 0


class RepairedMcap(PosixPath):
    """The path of a cut mcap file, which opens as a whole one."""

    def open(self, *_: Any, **__: Any) -> Any:
        """Return a file to read, with the missing end made up."""
        size, tail = _repair(Path(self))
        return io.BufferedReader(_Joined(Path(self), size, tail))


class _Joined(io.RawIOBase):
    """The first bytes of a file, and other bytes after them."""

    def __init__(self, path: Path, size: int, tail: bytes) -> None:
        self._file = path.open('rb')
        self._size, self._tail, self._at = size, tail, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        begin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size + len(self._tail)}
        self._at = begin[whence] + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        if self._at < self._size:
            self._file.seek(self._at)
            data = self._file.read(min(len(buffer), self._size - self._at))
        else:
            begin = self._at - self._size
            data = self._tail[begin : begin + len(buffer)]
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def _repair(path: Path) -> tuple[int, bytes]:
    """Return how many bytes of a cut file count, and the bytes that follow them."""
    with path.open('rb') as file:
        scan = _scan(file)
        if scan.last is None:  # without chunks, and so without an index
            return scan.end, _record(DATA_END, bytes(4)) + _footer(0)
        rest = _remade(_salvaged(file, scan.last), scan, scan.last)
    chunks = [chunk for chunk in scan.chunks if chunk.offset < scan.last]
    index = b''.join(map(_chunk_index, chunks)) + rest[1]
    data = rest[0] + _record(DATA_END, bytes(4))
    definitions = b''.join(scan.definitions[key] for key in sorted(scan.definitions))
    return scan.last, data + definitions + index + _footer(scan.last + len(data))


def _scan(file: BinaryIO) -> _Scan:
    """Read the records of a file until one is not whole."""
    scan = _Scan(end=len(MAGIC))
    size = file.seek(0, io.SEEK_END)
    file.seek(len(MAGIC))
    while len(head := file.read(HEAD.size)) == HEAD.size:
        opcode, length = HEAD.unpack(head)
        offset = file.tell() - HEAD.size
        if opcode == CHUNK:
            scan.last = offset
        known = FOOTER < opcode <= DATA_END or opcode == 0x01
        if not known or opcode == DATA_END or offset + HEAD.size + length > size:
            break
        if opcode in (SCHEMA, CHANNEL):
            _define(scan, opcode, file.read(length))
        elif opcode == CHUNK:
            chunk = _chunk(file, offset, length)
            for inner, content in _records(_records_of(chunk, file)):
                if inner in (SCHEMA, CHANNEL):
                    _define(scan, inner, content)
            scan.chunks.append(chunk)
        elif opcode == INDEX and scan.chunks:
            scan.chunks[-1].indices[struct.unpack('<H', file.read(2))[0]] = offset
            scan.chunks[-1].end = offset + HEAD.size + length
        scan.end = offset + HEAD.size + length
        file.seek(scan.end)
    return scan


def _define(scan: _Scan, opcode: int, content: bytes) -> None:
    scan.definitions[opcode, struct.unpack_from('<H', content)[0]] = _record(opcode, content)


def _chunk(file: BinaryIO, offset: int, length: int) -> _Chunk:
    """Read the head of a chunk; the position is then that of its compressed records."""
    file.seek(offset + HEAD.size)
    content = file.read(CHUNK_HEAD.size)
    name = file.read(struct.unpack('<I', file.read(4))[0])
    compressed = struct.unpack('<Q', file.read(8))[0]
    return _Chunk(offset, HEAD.size + length, content, name, compressed)


def _records_of(chunk: _Chunk, file: BinaryIO) -> bytes:
    """Return the records of a chunk, as far as they are there."""
    data = file.read(chunk.compressed)
    if chunk.compression == b'lz4':
        return bytes(LZ4FrameDecompressor().decompress(data))
    if chunk.compression == b'zstd':
        return bytes(zstd.ZstdDecompressor().decompress(data))
    return data


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield opcode and content of the whole records."""
    at = 0
    while at + HEAD.size <= len(data):
        opcode, length = HEAD.unpack_from(data, at)
        end = at + HEAD.size + length
        if end > len(data):
            return
        yield opcode, data[at + HEAD.size : end]
        at = end


def _salvaged(file: BinaryIO, offset: int) -> list[tuple[int, bytes]]:
    """Return the whole records of the last chunk, which may be cut."""
    try:
        return list(_records(_records_of(_chunk(file, offset, 0), file)))
    except (struct.error, EOFError, RuntimeError, zstd.ZstdError):
        return []  # not even its head is there


def _remade(records: list[tuple[int, bytes]], scan: _Scan, offset: int) -> tuple[bytes, bytes]:
    """Return a chunk of records with its indices, and its entry in the summary."""
    body, first, last = bytearray(), 2**63 - 1, 0
    entries: dict[int, bytearray] = {}
    for opcode, content in records:
        if opcode in (SCHEMA, CHANNEL):
            _define(scan, opcode, content)
        elif opcode == MESSAGE:
            channel, _, stamp_ns = struct.unpack_from('<HIQ', content)
            first, last = min(first, stamp_ns), max(last, stamp_ns)
            entry = struct.pack('<QQ', stamp_ns, len(body))
            entries.setdefault(channel, bytearray()).extend(entry)
        body += _record(opcode, content)
    if not entries:
        return b'', b''
    head = CHUNK_HEAD.pack(first, last, len(body), 0) + struct.pack('<IQ', 0, len(body))
    data = _record(CHUNK, head + bytes(body))
    chunk = _Chunk(offset, len(data), head[: CHUNK_HEAD.size], b'', len(body))
    for channel, listed in sorted(entries.items()):
        chunk.indices[channel] = offset + len(data)
        data += _record(INDEX, struct.pack('<HI', channel, len(listed)) + bytes(listed))
    chunk.end = offset + len(data)
    return data, _chunk_index(chunk)


def _chunk_index(chunk: _Chunk) -> bytes:
    first, last, size, _ = CHUNK_HEAD.unpack(chunk.content)
    offsets = b''.join(struct.pack('<HQ', *item) for item in chunk.indices.items())
    content = struct.pack('<QQQQI', first, last, chunk.offset, chunk.length, len(offsets))
    content += offsets + struct.pack('<Q', max(chunk.end - chunk.offset - chunk.length, 0))
    content += struct.pack('<I', len(chunk.compression)) + chunk.compression
    return _record(CHUNK_INDEX, content + struct.pack('<QQ', chunk.compressed, size))


def _record(opcode: int, content: bytes) -> bytes:
    return HEAD.pack(opcode, len(content)) + content


def _footer(summary: int) -> bytes:
    return _record(FOOTER, struct.pack('<QQI', summary, 0, 0)) + MAGIC
