"""
Decoding of a `sensor_msgs/Image` into RGB.

It covers every colour encoding of sensor_msgs: those that cv_bridge converts to rgb8, with the
same result, and five more.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, runtime_checkable

import cv2
from husky_placerec.data.semi_planar import (
    decode_semi_planar,
    SEMI_PLANAR,
    semi_planar_size,
)
from husky_placerec.errors import InputError
from husky_placerec.printable import one_line
from husky_placerec.types import Pixels
import numpy as np
from numpy.typing import NDArray


class UnknownEncoding(InputError):
    """An encoding that is unknown here; cv_bridge may know it."""


@runtime_checkable
class RawMessage(Protocol):
    """The used fields of a `sensor_msgs/Image`."""

    height: int
    width: int
    encoding: str
    step: int
    data: Any


class _Layout(NamedTuple):
    channels: int
    dtype: str
    conversion: int | None  # to RGB, by OpenCV


_COLOURS = {
    'rgb': (3, None),
    'bgr': (3, cv2.COLOR_BGR2RGB),
    'mono': (1, cv2.COLOR_GRAY2RGB),
    'rgba': (4, cv2.COLOR_RGBA2RGB),
    'bgra': (4, cv2.COLOR_BGRA2RGB),
    # OpenCV names a pattern by its second row, ROS by its first.
    'bayer_rggb': (1, cv2.COLOR_BayerBG2RGB),
    'bayer_bggr': (1, cv2.COLOR_BayerRG2RGB),
    'bayer_gbrg': (1, cv2.COLOR_BayerGR2RGB),
    'bayer_grbg': (1, cv2.COLOR_BayerGB2RGB),
}
# This decoder exists because cv_bridge's Python part is built for NumPy 1 on Humble and Jazzy, and
# is not there offline.
_LAYOUTS = {
    **{f'{name}8': _Layout(n, 'u1', code) for name, (n, code) in _COLOURS.items()},
    **{f'{name}16': _Layout(n, 'u2', code) for name, (n, code) in _COLOURS.items()},
    'yuv422': _Layout(2, 'u1', cv2.COLOR_YUV2RGB_UYVY),
    'uyvy': _Layout(2, 'u1', cv2.COLOR_YUV2RGB_UYVY),
    'yuv422_yuy2': _Layout(2, 'u1', cv2.COLOR_YUV2RGB_YUY2),
    'yuyv': _Layout(2, 'u1', cv2.COLOR_YUV2RGB_YUY2),
}
ENCODINGS = (*_LAYOUTS, *SEMI_PLANAR)


def decode_raw(message: RawMessage) -> Pixels:
    """
    Return [H, W, 3] RGB of 8 bits.

    :raises UnknownEncoding: for an unknown encoding, or one that is not of colours.
    :raises InputError: for bytes that do not fit the size.
    """
    encoding = message.encoding
    if encoding not in ENCODINGS:
        raise UnknownEncoding(
            f'an image with encoding {encoding!r}; expected {", ".join(ENCODINGS)}'
        )
    try:
        return _semi_planar(message) if encoding in SEMI_PLANAR else _packed(message)
    except cv2.error as error:  # for example a mosaic of one pixel
        size = f'{message.width}x{message.height}'
        raise InputError(f'{size} {encoding} cannot be converted ({one_line(error)})') from error


def _packed(message: RawMessage) -> Pixels:
    layout = _LAYOUTS[message.encoding]
    pixels = _numbers(message, layout)
    if layout.conversion is not None:
        pixels = cv2.cvtColor(pixels, layout.conversion)
    if pixels.dtype == np.uint8:
        return pixels
    # This comes last, as in cv_bridge, so that a mosaic is interpolated in all its bits.
    return np.asarray(cv2.convertScaleAbs(pixels, alpha=255 / 65535), np.uint8)


def _numbers(message: RawMessage, layout: _Layout) -> NDArray[Any]:
    """Return the values of the message [H, W, channels] in the byte order of the machine."""
    order = '>' if getattr(message, 'is_bigendian', 0) else '<'
    wire = np.dtype(order + layout.dtype)
    row = message.width * layout.channels * wire.itemsize
    data = _bytes(message, row, message.height * message.step)
    rows = data.reshape(message.height, message.step)[:, :row]  # rows may be padded
    values = np.ascontiguousarray(rows).view(wire)
    values = values.astype(wire.newbyteorder('='), copy=False)
    return values.reshape(message.height, message.width, layout.channels)


def _semi_planar(message: RawMessage) -> Pixels:
    encoding, height, step = message.encoding, message.height, message.step
    data = _bytes(message, message.width, semi_planar_size(encoding, height, step))
    return decode_semi_planar(encoding, data, height, message.width, step)


def _bytes(message: RawMessage, row: int, size: int) -> NDArray[np.uint8]:
    """
    Return the bytes of the message.

    :param row: least number of bytes of a row.
    :param size: number of bytes of the whole image.
    :raises InputError: if there are fewer.
    """
    data = np.frombuffer(message.data, np.uint8)
    height, width, step = message.height, message.width, message.step
    if not height or not width or step < row or data.size < size:
        raise InputError(
            f'{data.size} bytes for {width}x{height} {message.encoding}, {step} bytes a row; '
            f'expected {size} bytes, and at least {row} a row'
        )
    return data[:size]
