"""What light, lens and mounting may do to an image without its being another place."""

from __future__ import annotations

import cv2
from husky_placerec.training.recipe import Recipe
from husky_placerec.types import Pixels
import numpy as np


def augment(image: Pixels, recipe: Recipe, rng: np.random.Generator) -> Pixels:
    """Return an [H, W, 3] image seen by another lens, from a little elsewhere, in other light."""
    if recipe.geometry:
        image = _seen_otherwise(image, recipe.geometry, rng)
    if rng.random() < recipe.texture:
        image = _of_other_texture(image, rng)
    if recipe.light:
        image = _relit(image, recipe.light, rng)
    if rng.random() < recipe.occlusion:
        image = _partly_hidden(image, rng)
    return image


def mirrored(image: Pixels) -> Pixels:
    """Return the image as a world would give it that is its own mirror image."""
    return image[:, ::-1]


def _seen_otherwise(image: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    """Roll, zoom and shift, and move each corner a little: another mounting, another lens."""
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


def _of_other_texture(image: Pixels, rng: np.random.Generator) -> Pixels:
    """
    Filter by a random convolution over colours and neighbours, blended with the image.

    Shapes stay, textures and colours become others. Source: Xu et al., Robust and Generalizable
    Visual Representation Learning via Random Convolutions, ICLR 2021.
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


def _relit(image: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    """Change exposure, contrast and the colour of light; blur or add noise at times."""
    values = image.astype(np.float32) / 255
    values **= np.exp(rng.uniform(-0.7, 0.7) * strength)
    values *= np.exp(rng.uniform(-0.5, 0.5) * strength + rng.uniform(-0.3, 0.3, 3) * strength)
    if rng.random() < 0.3 * strength:
        values[:] = cv2.GaussianBlur(values, (0, 0), float(rng.uniform(0.5, 1.5)))
    if rng.random() < 0.6 * strength:
        values += rng.normal(0, rng.uniform(0.01, 0.06), values.shape)
    return np.asarray(np.clip(values * 255, 0, 255), np.uint8)


def _partly_hidden(image: Pixels, rng: np.random.Generator) -> Pixels:
    height, width = image.shape[:2]
    tall, wide = (int(side * rng.uniform(0.15, 0.4)) for side in (height, width))
    top, left = int(rng.integers(height - tall)), int(rng.integers(width - wide))
    hidden = image.copy()
    hidden[top : top + tall, left : left + wide] = rng.integers(0, 256, 3)
    return hidden
