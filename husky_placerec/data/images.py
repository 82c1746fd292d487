"""Decoding of image messages into RGB pixels, live or from a bag."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

import cv2
from husky_placerec.data.raw_images import decode_raw, RawMessage
from husky_placerec.errors import InputError
from husky_placerec.types import Pixels
import numpy as np


class CompressedMessage(Protocol):
    """The used fields of a `sensor_msgs/CompressedImage`."""

    @property
    def format(self) -> str:
        """The format, such as `jpeg`."""

    @property
    def data(self) -> Any:
        """The bytes of the file."""


ImageMessage: TypeAlias = CompressedMessage | RawMessage


def decode_image(message: ImageMessage) -> Pixels:
    """
    Decode a CompressedImage (whatever OpenCV reads) or an Image into [H, W, 3] RGB.

    :raises UnknownEncoding: for an Image in an unknown encoding.
    :raises InputError: for bytes that are not an image.
    """
    if isinstance(message, RawMessage):
        return decode_raw(message)
    data = np.frombuffer(message.data, np.uint8)
    try:
        bgr = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except cv2.error:
        bgr = None
    if bgr is None:
        raise InputError(f'{data.size} bytes ({message.format!r}) that do not decode as an image')
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
