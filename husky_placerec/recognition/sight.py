"""Whether anything can be seen in an image: cheap checks, of a small grey copy."""

from __future__ import annotations

import cv2
from husky_placerec.types import Frame, Pixels
import numpy as np

WIDTH = 80  # of the copy: some 0.1 ms
DARK, BRIGHT = 12, 250  # of 255
DARK_SHARE, BRIGHT_SHARE = 0.97, 0.7
ROUNDING = (4**2 + 4) / 12  # variance of the Laplacian of numbers rounded to integers
LEAST_CONTRAST = 4.0  # standard deviation of the grey values
LEAST_SHARPNESS = 0.02  # of the contrast, that is in edges: see `sharpness`


def problem(image: Pixels) -> str | None:
    """Say why nothing can be recognised in an image [H, W, 3]; None where something can."""
    height = max(2, round(image.shape[0] * WIDTH / image.shape[1]))
    small = cv2.resize(image, (WIDTH, height), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    if (grey < DARK).mean() > DARK_SHARE:
        return 'black'
    if (grey > BRIGHT).mean() > BRIGHT_SHARE:
        return 'saturated'
    if grey.std() < LEAST_CONTRAST:
        return 'covered'
    return 'blurred' if sharpness(grey) < LEAST_SHARPNESS else None


def sharpness(grey: np.ndarray) -> float:
    """
    Return the share of the variance that is in edges a pixel wide.

    The variance of the Laplacian (Pech-Pacheco et al., Diatom autofocusing in brightfield
    microscopy, 2000), less what rounding alone gives, over that of the image, so that night is
    not taken for blur.
    """
    edges = float(cv2.Laplacian(grey, cv2.CV_32F).var()) - ROUNDING
    return max(edges, 0.0) / max(float(grey.var()), 1e-6)


def usable(frame: Frame[Pixels]) -> Frame[Pixels]:
    """Return the frame without the images in which nothing can be seen."""
    seen = {camera: image for camera, image in frame.images.items() if problem(image) is None}
    if len(seen) == len(frame.images):
        return frame
    stamps = {camera: frame.image_stamps_ns[camera] for camera in seen}
    return Frame(frame.stamp_ns, seen, stamps)
