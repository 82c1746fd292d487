"""Cheap checks of whether an image can be recognised at all, on a small grey copy."""

from __future__ import annotations

from collections.abc import Collection

import cv2
from husky_placerec.types import Frame, Pixels
import numpy as np

WIDTH = 80  # of the copy, px: a check takes about 0.1 ms
DARK, BRIGHT = 12, 250  # of 255
DARK_SHARE, BRIGHT_SHARE = 0.97, 0.7
ROUNDING = (4**2 + 4) / 12  # variance of the Laplacian of numbers rounded to integers
LEAST_CONTRAST = 4.0  # standard deviation of the grey values
LEAST_SHARPNESS = 0.02  # share of the variance in edges: see `sharpness`
CELL = 8  # px of the copy: side of a cell that has a texture or none
TEXTURE, TEXTURE_SHARE = 3.0, 0.25  # see `textured`
LEAST_TEXTURED = 0.15  # share of the cells; real streets, parks and corridors have 0.33 or more


def image_problem(image: Pixels) -> str | None:
    """
    Return why an image [H, W, 3] is unusable, or None.

    It is black, saturated, covered, blurred, or blank: a wall or a lorry fills the view, which
    resembles every other wall.
    """
    height = max(2, round(image.shape[0] * WIDTH / image.shape[1]))
    small = cv2.resize(image, (WIDTH, height), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    if (grey < DARK).mean() > DARK_SHARE:
        return 'black'
    if (grey > BRIGHT).mean() > BRIGHT_SHARE:
        return 'saturated'
    if grey.std() < LEAST_CONTRAST:
        return 'covered'
    if sharpness(grey) < LEAST_SHARPNESS:
        return 'blurred'
    return 'blank' if textured(grey) < LEAST_TEXTURED else None


def sharpness(grey: np.ndarray) -> float:
    """
    Return the share of the variance that lies in edges a pixel wide.

    `sharpness = (var(Laplacian) - ROUNDING) / var(image)`, after Pech-Pacheco et al. (Diatom
    autofocusing in brightfield microscopy, 2000). The division keeps a night image, which has low
    contrast, from being taken for a blurred one.
    """
    edges = float(cv2.Laplacian(grey, cv2.CV_32F).var()) - ROUNDING
    return max(edges, 0.0) / max(float(grey.var()), 1e-6)


def textured(grey: np.ndarray) -> float:
    """
    Return the share of the cells of an image that have a texture.

    A cell has one where the standard deviation of its grey values is at least
    `min(TEXTURE, TEXTURE_SHARE * that of the image)`. An image of the night has less contrast.
    """
    rows, columns = (side // CELL for side in grey.shape)
    cells = grey[: rows * CELL, : columns * CELL].reshape(rows, CELL, columns, CELL)
    least = min(TEXTURE, TEXTURE_SHARE * float(grey.std()))
    return float((cells.std(axis=(1, 3)) >= least).mean()) if cells.size else 1.0


def usable_images(frame: Frame[Pixels], covered: Collection[str] = ()) -> Frame[Pixels]:
    """
    Return the frame without its unusable images.

    :param covered: cameras whose masks leave nothing of the image.
    """
    problems = {camera: image_problem(image) for camera, image in frame.images.items()}
    seen = {
        c: image for c, image in frame.images.items() if problems[c] is None and c not in covered
    }
    if len(seen) == len(frame.images):
        return frame
    stamps = {camera: frame.image_stamps_ns[camera] for camera in seen}
    return Frame(frame.stamp_ns, seen, stamps, frame.masks)
