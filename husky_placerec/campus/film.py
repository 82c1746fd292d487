"""From linear light to a picture: glow, tone curve, rain or snow, sensor noise."""

from __future__ import annotations

import cv2
from husky_placerec.campus.conditions import Condition, WINTER
from husky_placerec.campus.numeric import compiled
from husky_placerec.types import Pixels
import numpy as np
from numpy.typing import NDArray

_FALLING = 350  # number of drops or flakes in a picture at full strength
_BRIGHTEST, _TONES = 1.21, 1 << 15  # light that the tone curve maps to white; number of entries


def develop(light: NDArray[np.float32], condition: Condition, rng: np.random.Generator) -> Pixels:
    """
    Return the picture [H, W, 3] of linear light [H, W, 3].

    :param rng: draws the sensor noise, and rain or snow.
    """
    if condition.lamps > 0:
        light = light + _glow(light)
    veil = np.zeros((1, 1), np.float32)  # no rain or snow
    if condition.falling > 0:
        veil = 0.45 * _falling(light.shape[:2], condition, rng)
    brightness = 220.0 if condition.lamps < 1 else 130.0
    starts = rng.integers(0, len(_GRAIN) - 3 * light.shape[1], light.shape[0])
    grain = _GRAIN * np.float32(condition.noise)
    image = np.empty(light.shape, np.uint8)
    _expose(light, float(condition.exposure), veil, brightness, grain, starts, _TONE, image)
    return image


@compiled
def _expose(
    light: NDArray[np.float32],
    exposure: float,
    veil: NDArray[np.float32],
    brightness: float,
    grain: NDArray[np.float32],
    starts: NDArray[np.int64],
    tone: NDArray[np.float32],
    image: Pixels,
) -> None:
    """
    Fill an image with pixel values in one pass.

    :param veil: [H, W], share of each pixel that rain or snow covers; [1, 1]: no rain or snow.
    :param brightness: pixel value of rain and snow.
    :param grain: sensor noise, one-dimensional.
    :param starts: [H], where in `grain` the noise of each row begins.
    """
    height, width, _ = light.shape
    scale = np.float32(exposure * (tone.shape[0] - 1) / _BRIGHTEST)
    last = np.float32(tone.shape[0] - 1)
    has_veil = veil.shape[0] > 1
    for row in range(height):
        start = starts[row]
        for column in range(width):
            for channel in range(3):
                level = min(light[row, column, channel] * scale, last)
                grey = tone[int(level)]
                if has_veil:
                    grey += veil[row, column] * (np.float32(brightness) - grey)
                grey += grain[start + 3 * column + channel]
                image[row, column, channel] = np.uint8(
                    min(max(grey, np.float32(0)), np.float32(255))
                )


def _tone_curve() -> NDArray[np.float32]:
    """Return pixel values, 0 to 255, for light from 0 to _BRIGHTEST; highlights are compressed."""
    light = np.linspace(0, _BRIGHTEST, _TONES)
    grey = light * (1 + light * 0.15) / (1 + light * 0.35)
    return (np.clip(grey, 0, 1) ** (1 / 2.2) * 255).astype(np.float32)


def _glow(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the halo of bright spots, as a lens makes it."""
    height, width = light.shape[:2]
    small = cv2.resize(light, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
    halo = cv2.GaussianBlur(np.maximum(small - 0.8, 0), (0, 0), 4)
    return 0.5 * cv2.resize(halo, (width, height))


def _falling(
    shape: tuple[int, ...], condition: Condition, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return [H, W] the share of each pixel that rain or snow covers."""
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


_TONE = _tone_curve()
# Normal noise, drawn once. Each row reads it from a random place: faster than drawing new noise.
_GRAIN = np.random.default_rng(78).standard_normal(1 << 18, np.float32)
