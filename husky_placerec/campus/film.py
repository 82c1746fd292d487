"""From light to a photograph: glow, tone curve, rain or snow, sensor noise."""

from __future__ import annotations

import cv2
from husky_placerec.campus.conditions import Condition, WINTER
from husky_placerec.types import Pixels
import numpy as np
from numpy.typing import NDArray

_FALLING = 350  # drops or flakes in a picture at full strength


def develop(light: NDArray[np.float32], condition: Condition, rng: np.random.Generator) -> Pixels:
    """
    Return the picture of [H, W, 3] linear light.

    :param rng: draws the noise and what falls.
    """
    if condition.lamps > 0:
        light = light + _glow(light)
    grey = _tone(light * np.float32(condition.exposure))
    if condition.falling > 0:
        veil = 0.45 * _falling(grey.shape[:2], condition, rng)[..., None]
        brightness = 220 if condition.lamps < 1 else 130
        grey += veil * (brightness - grey)
    grey += rng.standard_normal(grey.shape, np.float32) * condition.noise
    return np.clip(grey, 0, 255).astype(np.uint8)


def _tone(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return grey levels, 0 to 255; the curve bends before it clips."""
    grey = light * (1 + light * 0.15)
    grey /= 1 + light * 0.35
    return np.asarray(cv2.pow(np.clip(grey, 0, 1, out=grey), 1 / 2.2) * 255, np.float32)


def _glow(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the halo that bright spots have in a lens."""
    height, width = light.shape[:2]
    small = cv2.resize(light, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
    halo = cv2.GaussianBlur(np.maximum(small - 0.8, 0), (0, 0), 4)
    return 0.5 * cv2.resize(halo, (width, height))


def _falling(
    shape: tuple[int, ...], condition: Condition, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return how much of each pixel rain or snow covers."""
    height, width = shape
    cover = np.zeros((height, width), np.float32)
    for x, y, size, strength in rng.random((int(_FALLING * condition.falling), 4)):
        at = (int(x * width), int(y * height))
        size, strength = 0.3 + 0.7 * size, 0.3 + 0.7 * strength
        if condition.season == WINTER:
            cv2.circle(cover, at, int(1 + 2 * size**2), strength, -1, cv2.LINE_AA)
        else:
            end = (int(at[0] - 2 * size), int(at[1] + 18 * size))
            cv2.line(cover, at, end, strength / 2, 1, cv2.LINE_AA)
    return cover
