"""What the cameras of a robot see at one moment: bearings of key points, and their descriptors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
from husky_placerec.descriptor.local.keypoints import KeyPoints
from husky_placerec.metric.rig import Rig
from husky_placerec.types import FloatArray, Floats, Frame, Pixels
import numpy as np
from numpy.typing import NDArray

BLOCK = 32  # pixels: width and height of the input are multiples of it
QUANTUM = 254.0  # a descriptor is stored as int8 of its unit vector times this
Detector = Callable[[Pixels], KeyPoints]


@dataclass(frozen=True, eq=False)
class Sight:
    """
    The key points of one camera at one moment, the strongest first.

    :param bearings: [N, 3] unit vectors in `base_link`, from the centre of the camera.
    :param descriptors: [N, D] int8 unit vectors times QUANTUM.
    """

    bearings: Floats
    descriptors: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.bearings)

    @classmethod
    def nothing(cls, size: int) -> Sight:
        """Return what an absent camera sees."""
        return cls(np.zeros((0, 3)), np.zeros((0, size), np.int8))


def quantized(vectors: FloatArray) -> NDArray[np.int8]:
    """Return int8 of unit vectors [..., D]."""
    return np.clip(np.round(vectors * QUANTUM), -127, 127).astype(np.int8)


def unit(vectors: NDArray[np.int8]) -> FloatArray:
    """Return the unit vectors [..., D] of what `quantized` gave; zeros stay zeros."""
    found = vectors.astype(np.float32)
    lengths = np.sqrt(np.einsum('...d,...d->...', found, found))
    return np.asarray(found / np.maximum(lengths, 1e-6)[..., None], np.float32)


class Observer:
    """
    Sees frames: key points of each camera, as bearings in `base_link`.

    :param width: pixels, to which wider images are resized.
    :param size: D of the descriptors.
    """

    def __init__(self, detector: Detector, rig: Rig, width: int, size: int) -> None:
        self._detector, self.rig = detector, rig
        self._width, self._size = width, size

    def see(self, frame: Frame[Pixels]) -> tuple[Sight, ...]:
        """Return [C] sights in the order of the rig; an absent camera sees nothing."""
        return tuple(
            self._seen(number, frame.images[camera.name])
            if camera.name in frame.images
            else Sight.nothing(self._size)
            for number, camera in enumerate(self.rig.cameras)
        )

    def _seen(self, number: int, image: Pixels) -> Sight:
        camera = self.rig.cameras[number]
        upright = np.ascontiguousarray(np.rot90(image, camera.turns % 4))
        height, width = upright.shape[:2]
        shown, left, top, scale = fitted(upright, self._width)
        found = self._detector(shown)
        if not len(found):
            return Sight.nothing(self._size)
        # The first pixel has its middle at (0.5, 0.5) from the corner of the image.
        at = (np.asarray(found.positions, np.float64) + 0.5 + (left, top)) / scale
        bearings = camera.bearings(at, width, height)
        good = np.isfinite(bearings).all(axis=1)
        return Sight(bearings[good], quantized(found.descriptors[good]))


def fitted(image: Pixels, width: int) -> tuple[Pixels, int, int, float]:
    """
    Return an image whose sides are multiples of BLOCK, for a network, and where it is cut out.

    An image that is wider than `width` is resized first, with the same scale both ways.

    :return: the image, the columns and rows that were cut off at the left and the top, and the
        scale.
    """
    scale = min(1.0, width / image.shape[1])
    if scale < 1:
        size = round(image.shape[1] * scale), round(image.shape[0] * scale)
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    rows, columns = (max(BLOCK, side // BLOCK * BLOCK) for side in image.shape[:2])
    if image.shape[0] < rows or image.shape[1] < columns:  # a tiny image
        missing = max(0, rows - image.shape[0]), max(0, columns - image.shape[1])
        image = np.pad(image, ((0, missing[0]), (0, missing[1]), (0, 0)), 'edge')
    top, left = (image.shape[0] - rows) // 2, (image.shape[1] - columns) // 2
    return np.ascontiguousarray(image[top : top + rows, left : left + columns]), left, top, scale
