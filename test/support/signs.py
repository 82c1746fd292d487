"""Photographs of signs that the tests draw: in perspective, blurred, noisy, compressed as JPEG."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from io import BytesIO

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

WIDE, HIGH = 480, 120  # of a sign as it is painted
# Text, ground, letters, and the corners of the sign in the photograph.
SIGNS = {
    'АПТЕКА': ((20, 60, 140), (255, 255, 255), [(60, 80), (250, 110), (250, 160), (60, 140)]),
    'PIZZA': ((150, 25, 30), (255, 240, 200), [(330, 60), (520, 40), (520, 100), (330, 108)]),
    'ВЫХОД': ((25, 90, 50), (255, 255, 255), [(60, 220), (190, 200), (195, 240), (62, 264)]),
    'LIBRARY 12': (
        (245, 245, 240),
        (30, 30, 30),
        [(330, 180), (560, 205), (555, 262), (332, 244)],
    ),
    'Столовая': ((250, 200, 40), (20, 20, 20), [(120, 300), (330, 312), (328, 366), (118, 352)]),
}


@lru_cache
def font(size):
    data = files('husky_placerec.campus').joinpath('fonts/DejaVuSans-Bold.ttf').read_bytes()
    return ImageFont.truetype(BytesIO(data), size)


def painted(text, ground, letters):
    image = Image.new('RGB', (WIDE, HIGH), ground)
    size = 90
    while font(size).getlength(text) > WIDE - 40:
        size -= 4
    ImageDraw.Draw(image).text((WIDE / 2, HIGH / 2), text, letters, font(size), anchor='mm')
    return np.asarray(image)


def photograph(signs=SIGNS, blur=0.8, quality=70):
    """Return a wall with signs in perspective, blurred, noisy, and compressed as JPEG."""
    rng = np.random.default_rng(3)
    wall = cv2.resize(rng.integers(120, 170, (20, 32, 3)).astype(np.uint8), (640, 400))
    for text, (ground, letters, corners) in signs.items():
        own = np.float32([[0, 0], [WIDE, 0], [WIDE, HIGH], [0, HIGH]])
        warp = cv2.getPerspectiveTransform(own, np.float32(corners))
        sign = cv2.warpPerspective(
            painted(text, ground, letters), warp, (640, 400), flags=cv2.INTER_AREA
        )
        there = cv2.warpPerspective(np.full((HIGH, WIDE), 255, np.uint8), warp, (640, 400))
        wall = np.where(there[..., None] > 127, sign, wall)
    wall = cv2.GaussianBlur(wall, (0, 0), blur)
    wall = np.clip(wall + rng.normal(0, 4, wall.shape), 0, 255).astype(np.uint8)
    _, data = cv2.imencode('.jpg', wall[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1].copy()
