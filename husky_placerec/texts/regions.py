"""The corners of signs, from the pixels that a semantic mask takes for signs."""

from __future__ import annotations

import cv2
from husky_placerec.texts.ocr import MOST_SIGNS
from husky_placerec.types import Floats, Mask
import numpy as np

# Names of the classes with writing, in the tables of Mapillary Vistas and ADE20K.
TEXT_CLASSES = frozenset({'banner', 'billboard', 'signboard'})
LEAST_PX = 60  # of a sign


def quads_of(signs: Mask) -> list[Floats]:
    """
    Return [4, 2] x y of the corners of each sign, the largest first, at most MOST_SIGNS.

    The four sides are those of the smallest quadrilateral around a region, so that a slanted sign
    gets a trapezoid.

    :param signs: [H, W] the pixels of signs.
    """
    outlines, _ = cv2.findContours(
        signs.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    found = []
    for outline in sorted(outlines, key=cv2.contourArea, reverse=True)[:MOST_SIGNS]:
        if cv2.contourArea(outline) < LEAST_PX:
            break
        corners = np.asarray(cv2.approxPolyN(outline, 4, None, -1.0, True), np.float64)
        if corners.size == 8:
            found.append(in_reading_order(corners.reshape(4, 2) + 0.5))
    return found


def in_reading_order(corners: Floats) -> Floats:
    """Return corners as upper left, upper right, lower right, lower left."""
    by_x = corners[np.argsort(corners[:, 0], kind='stable')]
    left, right = (half[np.argsort(half[:, 1], kind='stable')] for half in (by_x[:2], by_x[2:]))
    return np.array([left[0], right[0], right[1], left[1]])
