"""Camera faults: motion blur, overexposure, water drops, dirt, black pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
import math

import cv2
from husky_placerec.campus.picture import Picture
from husky_placerec.campus.rig import HUSKY_RIG
from husky_placerec.errors import InputError
from husky_placerec.types import Pixels
import numpy as np
from numpy.typing import NDArray

# The first generator is the same for all pictures of a camera on a drive; the second differs
# from frame to frame.
Spoil = Callable[[Pixels, np.random.Generator, np.random.Generator], Pixels]

_OVEREXPOSED_TIMES = 5.0
_BLUR_SHARE = 0.035  # length of the blur as a share of the picture width
_DROPS = 4
_DIRT_COLOUR = np.array([46, 38, 30], np.float32)


def _blurred(image: Pixels, drive: np.random.Generator, frame: np.random.Generator) -> Pixels:
    """Blur the picture along a line, as a jolt during the exposure does."""
    length = max(3.0, image.shape[1] * _BLUR_SHARE * frame.uniform(0.6, 1.4))
    angle = frame.normal(0, math.radians(25))
    reach = math.ceil(length / 2)
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for along in np.linspace(-length / 2, length / 2, 4 * reach + 1):
        x, y = round(along * math.cos(angle)), round(along * math.sin(angle))
        kernel[reach + y, reach + x] += 1
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


def _overexposed(image: Pixels, drive: np.random.Generator, frame: np.random.Generator) -> Pixels:
    """Multiply the light by about _OVEREXPOSED_TIMES; the factor varies between pictures."""
    times = _OVEREXPOSED_TIMES * frame.uniform(0.85, 1.15)
    levels = np.minimum(np.arange(256) * times ** (1 / 2.2), 255)
    return np.asarray(cv2.LUT(image, levels.astype(np.uint8)), np.uint8)


def _with_drops(image: Pixels, drive: np.random.Generator, frame: np.random.Generator) -> Pixels:
    """Put water drops on the lens; a drop shows the scene upside down and out of focus."""
    height, width = image.shape[:2]
    behind = cv2.GaussianBlur(np.ascontiguousarray(image[::-1]), (0, 0), height / 30)
    cover = np.zeros((height, width), np.float32)
    for x, y, size in drive.random((_DROPS, 3)):
        middle = (int(width * (0.1 + 0.8 * x)), int(height * (0.1 + 0.7 * y)))
        radius = height * (0.08 + 0.12 * size)
        cv2.ellipse(cover, middle, (int(radius), int(1.2 * radius)), 0, 0, 360, 1.0, -1)
    return _blended(image, 1.1 * behind.astype(np.float32), _soft(cover, height / 60))


def _dirty(image: Pixels, drive: np.random.Generator, frame: np.random.Generator) -> Pixels:
    """Put mud on the lens; it is out of focus, so that it has soft edges."""
    height, width = image.shape[:2]
    coarse = drive.random((5, 8), np.float32)
    noise = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    cover = np.clip((noise - np.quantile(noise, 0.65)) * 5, 0, 0.92).astype(np.float32)
    return _blended(image, _DIRT_COLOUR, cover)


def _black(image: Pixels, drive: np.random.Generator, frame: np.random.Generator) -> Pixels:
    """Return a black picture."""
    return np.zeros_like(image)


FAULTS: dict[str, Spoil] = {
    'blur': _blurred,
    'overexposed': _overexposed,
    'drops': _with_drops,
    'dirt': _dirty,
    'black': _black,
}


@dataclass(frozen=True)
class Fault:
    """A fault of one camera, or of all cameras where `camera` is empty."""

    spoil: Spoil
    camera: str

    def applied(
        self,
        picture: Picture,
        camera: str,
        drive: np.random.Generator,
        frame: np.random.Generator,
    ) -> Picture:
        """
        Return the picture with the fault; its mask and signs are unchanged.

        :param drive: random generator that is the same for all pictures of this camera.
        :param frame: random generator that differs from frame to frame.
        """
        if self.camera not in ('', camera):
            return picture
        return replace(picture, image=self.spoil(picture.image, drive, frame))


def fault_named(text: str) -> Fault | None:
    """
    Return the fault with a name such as 'blur' or 'black:back'; None for an empty name.

    :raises InputError: for an unknown fault or camera.
    """
    if not text:
        return None
    name, colon, camera = text.partition(':')
    if name not in FAULTS:
        raise InputError(f'fault {name!r} is unknown; expected one of {", ".join(FAULTS)}')
    cameras = [model.name for model in HUSKY_RIG]
    if colon and camera not in cameras:
        expected = ', '.join(f'{name}:{known}' for known in cameras)
        raise InputError(f'fault {text!r} is of no camera; expected {name} or one of {expected}')
    return Fault(FAULTS[name], camera)


def _soft(cover: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(cover, (0, 0), sigma_px), np.float32)


def _blended(image: Pixels, other: NDArray[np.float32], cover: NDArray[np.float32]) -> Pixels:
    mixed = image + cover[..., None] * (other - image.astype(np.float32))
    return np.clip(mixed, 0, 255).astype(np.uint8)
