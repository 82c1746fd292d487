"""Decoding of image messages into RGB pixels, live or from a bag."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import cv2
from husky_placerec.config import Config
from husky_placerec.data.image_header import ImageHeader, read_header
from husky_placerec.data.raw_images import decode_raw, ENCODINGS, RawMessage
from husky_placerec.errors import InputError
from husky_placerec.types import Pixels
import numpy as np

MAX_PIXELS = Config().max_pixels
FORMATS = 'JPEG, PNG, BMP, WebP, TIFF, GIF or PNM'
COLOUR = 'expected an image of colours; name the topic of the colour camera'


class CompressedMessage(Protocol):
    """The used fields of a `sensor_msgs/CompressedImage`."""

    @property
    def format(self) -> str:
        """The format, such as `jpeg`."""

    @property
    def data(self) -> Any:
        """The bytes of the file."""


ImageMessage: TypeAlias = CompressedMessage | RawMessage
# From the width and height of an image to the least to which it may be reduced.
Needed: TypeAlias = Callable[[int, int], tuple[int, int]]


def decode_image(
    message: ImageMessage, max_pixels: int = MAX_PIXELS, needed: Needed | None = None
) -> Pixels:
    """
    Decode a CompressedImage or an Image into [H, W, 3] RGB.

    :param max_pixels: largest width * height; the header is checked before anything is decoded.
    :param needed: a JPEG that has at least twice this size is decoded at half its size, which
        takes half the time: its inverse cosine transform then makes 4x4 pixels of a block. None:
        at its full size.
    :raises UnknownEncoding: for an Image in an unknown encoding.
    :raises InputError: for bytes that are no image, for a depth image, and for too many pixels.
    """
    if isinstance(message, RawMessage):
        _check_size(message.width, message.height, max_pixels, message.encoding)
        return decode_raw(message)
    return decode_file(message.data, message.format, max_pixels, needed)


def decode_file(
    content: Any, form: str, max_pixels: int = MAX_PIXELS, needed: Needed | None = None
) -> Pixels:
    """
    Decode an image file into [H, W, 3] RGB.

    :param content: bytes, or an array of bytes.
    :param form: format of a CompressedImage, or the name of the file.
    :param needed: as in `decode_image`.
    :raises InputError: as `decode_image`.
    """
    if 'compresseddepth' in form.lower():
        raise InputError(f'a depth image (format {form!r}); {COLOUR}')
    data = np.frombuffer(content, np.uint8)
    header = read_header(data.data)
    if header is not None:
        _refuse_depth(header, form)
        _check_size(header.width, header.height, max_pixels, form)
    bgr = None
    if header is not None and needed is not None:
        bgr = _halved(data, header, needed)
    if header is not None and bgr is None:
        bgr = _decoded(data, cv2.IMREAD_COLOR)
    if bgr is None:
        raise InputError(
            f'{data.size} bytes ({form!r}) that do not decode as an image; expected {FORMATS}'
        )
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def decode_unchanged(data: bytes, max_pixels: int = MAX_PIXELS) -> np.ndarray | None:
    """Decode a file as it is, such as a mask; None if it is no image or has too many pixels."""
    header = read_header(data)
    if header is None or header.width * header.height > max_pixels:
        return None
    return _decoded(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def _halved(data: np.ndarray, header: ImageHeader, needed: Needed) -> np.ndarray | None:
    """Decode a JPEG at half its size; None for another format, and where that is too small."""
    half = header.width // 2, header.height // 2
    width, height = needed(header.width, header.height)
    # The half of an odd size would be rounded, and show the image a little stretched.
    even = header.width % 2 == header.height % 2 == 0
    if header.form != 'jpeg' or not even or half[0] < width or half[1] < height:
        return None
    bgr = _decoded(data, cv2.IMREAD_REDUCED_COLOR_2)
    # A JPEG that its metadata turn by a quarter is decoded in full: `needed` knows it unturned.
    return bgr if bgr is not None and bgr.shape[1::-1] == half else None


def _decoded(data: np.ndarray, flags: int) -> np.ndarray | None:
    try:
        return cv2.imdecode(data, flags)
    except cv2.error:
        return None


def _check_size(width: int, height: int, max_pixels: int, form: str) -> None:
    """Refuse an image before memory is taken for its pixels."""
    if width * height > max_pixels:
        raise InputError(
            f'an image of {width}x{height} ({form!r}), which is more than max_pixels '
            f'({max_pixels}); raise that parameter if the camera is so large'
        )


def _refuse_depth(header: ImageHeader, form: str) -> None:
    """
    Refuse distances that are stored as an image: 16 bits, and no name of a colour encoding.

    compressed_image_transport begins the format with the encoding: '16UC1; png compressed '.
    """
    encoding = form.partition(';')[0].strip()
    is_depth = encoding in ('16UC1', '32FC1')
    if is_depth or (header.bits > 8 and encoding not in ENCODINGS):
        raise InputError(
            f'a depth image (format {form!r}, {header.form} of {header.bits} bits); {COLOUR}'
        )
