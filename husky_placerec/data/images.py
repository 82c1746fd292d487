"""Decoding of the camera messages' bytes, live or from a bag, into RGB pixels."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable, TypeAlias

import cv2
from husky_placerec.errors import InputError
from husky_placerec.types import Pixels
import numpy as np


class CompressedMessage(Protocol):
    """What is used of a `sensor_msgs/CompressedImage`."""

    @property
    def format(self) -> str: ...

    @property
    def data(self) -> Any: ...


@runtime_checkable
class RawMessage(Protocol):
    """What is used of a `sensor_msgs/Image`."""

    height: int
    width: int
    encoding: str
    step: int
    data: Any


ImageMessage: TypeAlias = CompressedMessage | RawMessage

# Encoding -> (channels, conversion to RGB). cv_bridge knows more of them, but its Python part is
# built for NumPy 1 on Humble and Jazzy, and offline there is none.
_TO_RGB = {
    'rgb8': (3, None),
    'bgr8': (3, cv2.COLOR_BGR2RGB),
    'mono8': (1, cv2.COLOR_GRAY2RGB),
    'rgba8': (4, cv2.COLOR_RGBA2RGB),
    'bgra8': (4, cv2.COLOR_BGRA2RGB),
}


class UnknownEncoding(InputError):
    """An encoding that only cv_bridge can decode."""


def decode_image(message: ImageMessage) -> Pixels:
    """
    Decode a CompressedImage (whatever OpenCV reads) or an Image of 8 bits into [H, W, 3] RGB.

    :raises UnknownEncoding: for an Image in another encoding.
    :raises InputError: for bytes that are not an image.
    """
    if isinstance(message, RawMessage):
        return _decode_raw(message)
    data = np.frombuffer(message.data, np.uint8)
    try:
        bgr = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except cv2.error:
        bgr = None
    if bgr is None:
        raise InputError(f'{data.size} bytes ({message.format!r}) that do not decode as an image')
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def _decode_raw(message: RawMessage) -> Pixels:
    if message.encoding not in _TO_RGB:
        known = ', '.join(_TO_RGB)
        raise UnknownEncoding(f'an image with encoding {message.encoding!r}; expected {known}')
    channels, conversion = _TO_RGB[message.encoding]
    data = np.frombuffer(message.data, np.uint8)
    height, width, step = message.height, message.width, message.step
    if not height or not width or step < width * channels or data.size < height * step:
        raise InputError(
            f'{data.size} bytes for {width}x{height} {message.encoding}, {step} bytes a row'
        )
    rows = data[: height * step].reshape(height, step)[:, : width * channels]  # rows may be padded
    pixels = rows.reshape(height, width, channels)
    if conversion is None:
        return np.ascontiguousarray(pixels)
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), conversion), np.uint8)
