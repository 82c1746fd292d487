"""The corners of signs from the pixels of a mask."""

from __future__ import annotations

import cv2
from husky_placerec.texts.ocr import MOST_SIGNS
from husky_placerec.texts.regions import quads_of
import numpy as np

SLANTED = [(40, 60), (160, 90), (160, 130), (42, 118)]


def test_a_slanted_sign_gets_a_trapezoid_in_reading_order():
    mask = np.zeros((200, 320), np.uint8)
    cv2.fillConvexPoly(mask, np.int32(SLANTED), 1)
    cv2.fillConvexPoly(mask, np.int32([(200, 20), (300, 20), (300, 80), (200, 80)]), 1)
    mask[150, 10:20] = 1  # too small for a sign
    large, small = quads_of(mask.astype(bool))
    np.testing.assert_allclose(large, [(200, 20), (300, 20), (300, 80), (200, 80)], atol=1.5)
    np.testing.assert_allclose(small, SLANTED, atol=3)


def test_nothing_and_a_flood_of_signs():
    assert quads_of(np.zeros((50, 50), np.bool_)) == []
    stripes = np.zeros((700, 100), np.bool_)
    for top in range(0, 700, 10):
        stripes[top : top + 7, 5:90] = True
    assert len(quads_of(stripes)) == MOST_SIGNS
    assert len(quads_of(np.ones((50, 50), np.bool_))) == 1
