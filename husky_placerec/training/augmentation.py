"""Augmentation: changes of light, lens, mounting and texture that keep the place the same."""

from __future__ import annotations

from typing import Protocol

import cv2
from husky_placerec.types import Pixels
import numpy as np


class Strengths(Protocol):
    """How strong the changes are, as in a `Recipe`."""

    @property
    def light(self) -> float:
        """Of the changes of light, 0 to 1."""

    @property
    def geometry(self) -> float:
        """Of the changes of roll, zoom and position, 0 to 1."""

    @property
    def texture(self) -> float:
        """Share of images with changed textures."""

    @property
    def occlusion(self) -> float:
        """Share of images with a hidden part."""


def augment(image: Pixels, recipe: Strengths, rng: np.random.Generator) -> Pixels:
    """
    Return an image with the random changes that the recipe asks for.

    :param image: [H, W, 3], or [H, W, 4] with a mask, which only the changes of geometry move.
    """
    if recipe.geometry:
        image = _change_geometry(image, recipe.geometry, rng)
    if image.shape[2] == 3:
        return _change_colours(image, recipe, rng)
    colours = _change_colours(np.ascontiguousarray(image[..., :3]), recipe, rng)
    return np.concatenate([colours, image[..., 3:]], axis=2)


def _change_colours(image: Pixels, recipe: Strengths, rng: np.random.Generator) -> Pixels:
    if rng.random() < recipe.texture:
        image = _change_textures(image, rng)
    if recipe.light:
        image = _change_light(image, recipe.light, rng)
    if rng.random() < recipe.occlusion:
        image = _hide_part(image, rng)
    return image


def mirror(image: Pixels) -> Pixels:
    """Swap left and right, as if the world were mirrored."""
    return image[:, ::-1]


def _change_geometry(image: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    """Roll, zoom, shift and move the corners, as another lens or mounting would."""
    height, width = image.shape[:2]
    roll = rng.uniform(-8, 8) * strength
    zoom = 1.0 + rng.uniform(-0.05, 0.3) * strength
    matrix = np.eye(3)
    matrix[:2] = cv2.getRotationMatrix2D((width / 2, height / 2), roll, zoom)
    matrix[:2, 2] += rng.uniform(-0.12, 0.12, 2) * strength * np.array([width, height])
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + rng.uniform(-0.08, 0.08, (4, 2)) * strength * np.array([width, height])
    lens = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    view = cv2.warpPerspective(
        image, lens @ matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(view, np.uint8)


def _change_textures(image: Pixels, rng: np.random.Generator) -> Pixels:
    """
    Blend the image with a random convolution of itself: shapes stay, textures and colours change.

    Source: Xu et al., Robust and Generalizable Visual Representation Learning via Random
    Convolutions, ICLR 2021.
    """
    size = int(rng.choice([1, 3, 3, 5]))
    values = image.astype(np.float32) / 255
    kernels = rng.normal(0, 1, (3, 3, size, size)).astype(np.float32)
    filtered = np.stack(
        [sum(cv2.filter2D(values[..., i], -1, k[i]) for i in range(3)) for k in kernels], axis=-1
    )
    share = rng.uniform(0, 1)
    mean, spread = values.mean(), values.std()
    mixed = share * values + (1 - share) * (filtered - filtered.mean()) / (3 * size)
    mixed = (mixed - mixed.mean()) * (spread / (mixed.std() + 1e-6)) + mean
    return np.asarray(np.clip(mixed * 255, 0, 255), np.uint8)


def _change_light(image: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    """Change gamma, exposure and the colour of the light; sometimes blur or add noise."""
    values = image.astype(np.float32) / 255
    values **= np.exp(rng.uniform(-0.7, 0.7) * strength)
    values *= np.exp(rng.uniform(-0.5, 0.5) * strength + rng.uniform(-0.3, 0.3, 3) * strength)
    if rng.random() < 0.3 * strength:
        values[:] = cv2.GaussianBlur(values, (0, 0), float(rng.uniform(0.5, 1.5)))
    if rng.random() < 0.6 * strength:
        values += rng.normal(0, rng.uniform(0.01, 0.06), values.shape)
    return np.asarray(np.clip(values * 255, 0, 255), np.uint8)


def _hide_part(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Cover a random rectangle by a random colour."""
    height, width = image.shape[:2]
    tall, wide = (int(side * rng.uniform(0.15, 0.4)) for side in (height, width))
    top, left = int(rng.integers(height - tall)), int(rng.integers(width - wide))
    hidden = image.copy()
    hidden[top : top + tall, left : left + wide] = rng.integers(0, 256, 3)
    return hidden
