"""Images as files of a wanted format; files of that format are copied."""

from __future__ import annotations

import cv2
from husky_placerec.data.images import decode_image, ImageMessage, MAX_PIXELS, RawMessage

# The first bytes of the files of each format.
PNG, JPEG = b'\x89PNG', b'\xff\xd8\xff'
_SUFFIX = {PNG: '.png', JPEG: '.jpg'}
_JPEG_QUALITY = 95


def encoded(image: ImageMessage, form: bytes, max_pixels: int = MAX_PIXELS) -> bytes:
    """
    Return an image as a file that begins with `form`: PNG, JPEG, or any format for b''.

    :raises InputError: for an image that does not decode.
    """
    pixels = decode_image(
        image, max_pixels
    )  # also for a copy, so that no broken image is passed on
    if not isinstance(image, RawMessage):
        data = bytes(image.data)
        if data.startswith(form):
            return data
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if form == JPEG else []
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    return bytes(cv2.imencode(_SUFFIX.get(form, '.png'), bgr, options)[1])


def form_of(data: bytes) -> str:
    """Return the `format` of a CompressedImage with these bytes."""
    return 'png' if data.startswith(PNG) else 'jpeg'
