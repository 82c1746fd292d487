"""
The size of an image file, read from its first bytes without decoding it.

A file of 0.4 MB can hold an image of 400 million pixels. Its header says so before any memory is
taken for the pixels.
"""

from __future__ import annotations

from collections.abc import Callable
import re
import struct
from typing import NamedTuple

# JPEG markers that begin a frame: all SOF but DHT (C4), JPG (C8) and DAC (CC).
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset((0x01, *range(0xD0, 0xD9)))  # TEM, RST0 to RST7, SOI
_SCAN, _END = 0xDA, 0xD9
_MARKER = re.compile(rb'\xff+[^\xff]', re.DOTALL)
# Tags of TIFF, and the format of a number by its type: byte, short, long. The memory for a tile is
# taken as the file says, so that a large tile counts as a large image.
_TIFF_WIDTHS, _TIFF_HEIGHTS, _TIFF_BITS = (256, 322), (257, 323), (258,)
_TIFF_NUMBERS = {1: 'B', 3: 'H', 4: 'I'}
_PNM = re.compile(rb'P[1-6](?:\s+|#[^\n]*\n)+(\d+)(?:\s+|#[^\n]*\n)+(\d+)')
_PNM_MOST = re.compile(rb'(?:\s+|#[^\n]*\n)+(\d+)')
_PNM_BYTES = 4096  # a header with more comments than that is refused


class ImageHeader(NamedTuple):
    """
    What the header of an image file says.

    :ivar bits: number of bits of a channel.
    """

    form: str
    width: int
    height: int
    bits: int = 8


def read_header(data: bytes | memoryview) -> ImageHeader | None:
    """
    Return what the header of an image file says.

    It knows JPEG, PNG, BMP, WebP, TIFF, GIF and PNM.

    :return: None for bytes of another format, and for a header that is broken.
    """
    for signature, read in _READERS:
        if bytes(data[: len(signature)]) == signature:
            try:
                return read(data)
            except (struct.error, IndexError):  # the file is cut inside of its header
                return None
    return None


def _png(data: bytes | memoryview) -> ImageHeader | None:
    if bytes(data[12:16]) != b'IHDR':
        return None
    return ImageHeader('png', *struct.unpack_from('>IIB', data, 16))


def _jpeg(data: bytes | memoryview) -> ImageHeader | None:
    """Return the size of the first frame; what lies between two segments is skipped."""
    at = 2
    while found := _MARKER.search(data, at):
        at = found.end()
        marker = data[at - 1]
        if marker in (_SCAN, _END):
            return None
        if marker in _FRAMES:
            bits, height, width = struct.unpack_from('>BHH', data, at + 2)
            return ImageHeader('jpeg', width, height, bits)
        if marker and marker not in _WITHOUT_LENGTH:
            at += int(struct.unpack_from('>H', data, at)[0])
    return None


def _bmp(data: bytes | memoryview) -> ImageHeader | None:
    (size,) = struct.unpack_from('<I', data, 14)
    if size == 12:
        return ImageHeader('bmp', *struct.unpack_from('<HH', data, 18))
    width, height = struct.unpack_from('<ii', data, 18)  # a negative height: from the top
    return ImageHeader('bmp', abs(width), abs(height))


def _riff(data: bytes | memoryview) -> ImageHeader | None:
    """Return the canvas of a WebP, or the size of its only picture."""
    if bytes(data[8:12]) != b'WEBP':
        return None
    kind = bytes(data[12:16])
    if kind == b'VP8X':
        sizes = bytes(data[24:30])
        if len(sizes) < 6:
            return None
        width, height = (int.from_bytes(sizes[i : i + 3], 'little') + 1 for i in (0, 3))
        return ImageHeader('webp', width, height)
    if kind == b'VP8 ':
        width, height = struct.unpack_from('<HH', data, 26)
        return ImageHeader('webp', width & 0x3FFF, height & 0x3FFF)
    if kind == b'VP8L':
        (packed,) = struct.unpack_from('<I', data, 21)
        return ImageHeader('webp', (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1)
    return None


def _tiff(order: str) -> Callable[[bytes | memoryview], ImageHeader | None]:
    def read(data: bytes | memoryview) -> ImageHeader | None:
        """Return the size of the first picture, the one that is decoded."""
        (at,) = struct.unpack_from(order + 'I', data, 4)
        (count,) = struct.unpack_from(order + 'H', data, at)
        found: dict[int, int] = {}
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            tag, kind, values = struct.unpack_from(order + 'HHI', data, entry)
            if kind in _TIFF_NUMBERS and tag in (*_TIFF_WIDTHS, *_TIFF_HEIGHTS, *_TIFF_BITS):
                number = struct.Struct(order + _TIFF_NUMBERS[kind])
                where = entry + 8
                if values * number.size > 4:  # too many for the entry itself
                    (where,) = struct.unpack_from(order + 'I', data, where)
                (value,) = number.unpack_from(data, where)
                found[tag] = max(value, found.get(tag, 0))
        width, height, bits = (
            max(found.get(tag, 0) for tag in tags)
            for tags in (_TIFF_WIDTHS, _TIFF_HEIGHTS, _TIFF_BITS)
        )
        return ImageHeader('tiff', width, height, bits or 1)

    return read


def _gif(data: bytes | memoryview) -> ImageHeader | None:
    return ImageHeader('gif', *struct.unpack_from('<HH', data, 6))


def _pnm(data: bytes | memoryview) -> ImageHeader | None:
    head = bytes(data[:_PNM_BYTES])
    size = _PNM.match(head)
    if size is None or max(map(len, size.groups())) > 9:
        return None
    most = _PNM_MOST.match(head, size.end())
    deep = head[1:2] not in b'14' and most is not None and int(most[1][:9]) > 255
    return ImageHeader('pnm', int(size[1]), int(size[2]), 16 if deep else 8)


_READERS: tuple[tuple[bytes, Callable[[bytes | memoryview], ImageHeader | None]], ...] = (
    (b'\x89PNG\r\n\x1a\n', _png),
    (b'\xff\xd8', _jpeg),
    (b'BM', _bmp),
    (b'RIFF', _riff),
    (b'II*\0', _tiff('<')),
    (b'MM\0*', _tiff('>')),
    (b'GIF8', _gif),
    *((b'P%d' % number, _pnm) for number in range(1, 7)),
)
