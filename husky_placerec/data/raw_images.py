"""The bytes of a `sensor_msgs/Image` as RGB, in every colour encoding that cv_bridge knows."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, runtime_checkable

import cv2
from husky_placerec.errors import InputError
from husky_placerec.types import Pixels
import numpy as np
from numpy.typing import NDArray


class UnknownEncoding(InputError):
    """An encoding that only cv_bridge can decode, if any."""


@runtime_checkable
class RawMessage(Protocol):
    """What is used of a `sensor_msgs/Image`."""

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
# cv_bridge's Python part is built for NumPy 1 on Humble and Jazzy, and offline there is none.
_LAYOUTS = {
    **{f'{name}8': _Layout(n, 'u1', code) for name, (n, code) in _COLOURS.items()},
    **{f'{name}16': _Layout(n, 'u2', code) for name, (n, code) in _COLOURS.items()},
    'yuv422': _Layout(2, 'u1', cv2.COLOR_YUV2RGB_UYVY),
    'uyvy': _Layout(2, 'u1', cv2.COLOR_YUV2RGB_UYVY),
    'yuv422_yuy2': _Layout(2, 'u1', cv2.COLOR_YUV2RGB_YUY2),
    'yuyv': _Layout(2, 'u1', cv2.COLOR_YUV2RGB_YUY2),
}


def decode_raw(message: RawMessage) -> Pixels:
    """
    Return [H, W, 3] RGB of 8 bits.

    :raises UnknownEncoding: for an encoding that says nothing about colour, or is not known here.
    :raises InputError: for bytes that do not fit the size.
    """
    layout = _LAYOUTS.get(message.encoding)
    if layout is None:
        known = ', '.join(_LAYOUTS)
        raise UnknownEncoding(f'an image with encoding {message.encoding!r}; expected {known}')
    pixels = _pixels(message, layout)
    if layout.conversion is None:
        return pixels
    try:
        return np.asarray(cv2.cvtColor(pixels, layout.conversion), np.uint8)
    except cv2.error as error:  # a mosaic of one pixel, for one
        size = f'{message.width}x{message.height}'
        raise InputError(f'{size} {message.encoding} cannot be converted ({error})') from error


def _pixels(message: RawMessage, layout: _Layout) -> NDArray[np.uint8]:
    """Return the numbers of the message, 8 bits each, [H, W, channels]."""
    data = np.frombuffer(message.data, np.uint8)
    height, width, step = message.height, message.width, message.step
    order = '>' if getattr(message, 'is_bigendian', 0) else '<'
    dtype = np.dtype(order + layout.dtype)
    row = width * layout.channels * dtype.itemsize
    if not height or not width or step < row or data.size < height * step:
        raise InputError(
            f'{data.size} bytes for {width}x{height} {message.encoding}, {step} bytes a row'
        )
    rows = data[: height * step].reshape(height, step)[:, :row]  # rows may be padded
    values = np.ascontiguousarray(rows).view(dtype).reshape(height, width, layout.channels)
    if dtype.itemsize == 1:
        return values.view(np.uint8)
    narrow = cv2.convertScaleAbs(values.astype(np.uint16), alpha=255 / 65535)
    return np.asarray(narrow, np.uint8).reshape(values.shape)
