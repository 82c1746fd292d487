"""Masks as they are stored or sent, read when their image is decoded, and paired by stamp."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import cv2
from husky_placerec.config import Config
from husky_placerec.data.images import decode_unchanged, ImageMessage, MAX_PIXELS
from husky_placerec.data.raw_images import RawMessage
from husky_placerec.errors import InputError
from husky_placerec.semantics.checking import checked_classes
from husky_placerec.semantics.tables import ClassTable, tables
from husky_placerec.types import Classes, Frame, SECOND_NS
import numpy as np
from numpy.typing import NDArray

# Channels and type of the encodings in which masks are sent; colours are refused later, by name.
ENCODINGS: Mapping[str, tuple[int, str]] = {
    **dict.fromkeys(('mono8', '8UC1'), (1, 'u1')),
    **dict.fromkeys(('mono16', '16UC1'), (1, 'u2')),
    **dict.fromkeys(('rgb8', '8UC3'), (3, 'u1')),
    'bgr8': (3, 'u1'),
}
# How long after an image its mask may be recorded in a bag, by the stamps of the images.
PATIENCE_NS = 2 * SECOND_NS


@dataclass(frozen=True)
class EncodedMask:
    """
    A mask that is not yet decoded.

    :param message: a CompressedImage, an Image, or a file.
    :param table: the classes of its numbers.
    :param source: the file, or the topic and the stamp, for errors.
    """

    message: ImageMessage
    table: ClassTable
    source: str

    def read(self, size: tuple[int, int], max_pixels: int = MAX_PIXELS) -> Classes:
        """
        Return the classes [H, W] of an image of a height and width.

        :raises MaskError: as `checked_classes`.
        :raises InputError: for bytes that do not decode.
        """
        if isinstance(self.message, RawMessage):
            found: NDArray[Any] | None = _raw(self.message, self.source)
        else:
            found = decode_unchanged(bytes(self.message.data), max_pixels)
            if found is not None and found.ndim == 3:
                found = cv2.cvtColor(np.asarray(found[..., :3], np.uint8), cv2.COLOR_BGR2RGB)
        if found is None:
            raise InputError(f'{self.source}: does not decode as an image; expected a mask in PNG')
        return checked_classes(found, size, self.table, self.source)


def _raw(message: RawMessage, source: str) -> NDArray[Any]:
    if message.encoding not in ENCODINGS:
        raise InputError(
            f'{source}: encoding is {message.encoding!r}; expected a mask in '
            f'{", ".join(list(ENCODINGS)[:4])}'
        )
    channels, kind = ENCODINGS[message.encoding]
    big = '>' if getattr(message, 'is_bigendian', 0) else '<'
    dtype = np.dtype(big + kind)
    data = np.frombuffer(message.data, np.uint8)
    row = message.width * channels * dtype.itemsize
    if message.step < row or data.size < message.step * message.height:
        raise InputError(
            f'{source}: {data.size} bytes with rows of {message.step}; expected '
            f'{message.width}x{message.height} of {message.encoding}'
        )
    rows = data[: message.step * message.height].reshape(message.height, message.step)[:, :row]
    found = np.ascontiguousarray(rows).view(dtype).reshape(message.height, message.width, channels)
    return found[..., ::-1] if message.encoding == 'bgr8' else found


def mask_topics(config: Config) -> dict[str, str]:
    """Return the mask topic of each camera that has one; none where masks are off."""
    topics = {name: config.camera_config(name).mask_topic for name in config.cameras}
    return {name: topic for name, topic in topics.items() if topic} if config.masks else {}


def table_of(config: Config) -> ClassTable:
    """Return the table of the masks that come with a drive."""
    return tables()[config.mask_classes]


class MaskPairer:
    """
    Gives the frames of a bag their masks, which are recorded after the images.

    A frame waits until each of its images has a mask, or until an image comes that is later than
    it by PATIENCE_NS. The frames keep their order.

    :param cameras: those that have a topic of masks.
    """

    def __init__(self, cameras: list[str]) -> None:
        self._cameras = set(cameras)
        self._masks: dict[tuple[str, int], EncodedMask] = {}
        self._waiting: deque[Frame[ImageMessage]] = deque()

    def add_mask(self, camera: str, stamp_ns: int, mask: EncodedMask) -> None:
        """Take the mask of an image."""
        self._masks[camera, stamp_ns] = mask

    def add_frame(self, frame: Frame[ImageMessage]) -> None:
        """Take a frame."""
        self._waiting.append(frame)

    def ready(self, now_ns: int | None) -> Iterator[Frame[ImageMessage]]:
        """
        Yield the frames that wait no longer, with their masks.

        :param now_ns: stamp of the newest image; None: the bag is at its end.
        """
        while self._waiting:
            frame = self._waiting[0]
            keys = [key for key in frame.image_stamps_ns.items() if key[0] in self._cameras]
            late = now_ns is None or now_ns - frame.stamp_ns > PATIENCE_NS
            if not late and any(key not in self._masks for key in keys):
                return
            self._waiting.popleft()
            masks = {key[0]: self._masks[key] for key in keys if key in self._masks}
            yield replace(frame, masks=masks)
            oldest_ns = frame.stamp_ns - PATIENCE_NS
            self._masks = {key: m for key, m in self._masks.items() if key[1] >= oldest_ns}
