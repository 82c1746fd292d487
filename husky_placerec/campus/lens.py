"""
The pictures of lenses that distort, from pinhole pictures.

A lens of a usual field of view gets one pinhole picture that covers it. A fisheye gets three, of
90 degrees each: ahead, to the left and to the right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
import math

import cv2
from husky_placerec.cameras.intrinsics import EQUIDISTANT, Intrinsics
from husky_placerec.campus.picture import Mask
from husky_placerec.types import FloatArray, Floats
import numpy as np
from numpy.typing import NDArray

_WIDEST = 1.8  # half of the width of a single pinhole picture, metres per metre ahead
_SIDES_DEG = (0.0, -90.0, 90.0)
_MARGIN_PX = 2

Face = tuple[float, float, tuple[int, int]]  # yaw to the right in degrees, focal length, size
Light = tuple[FloatArray, Mask, NDArray[np.int64]]  # of a picture: linear light, mask, signs


@dataclass(frozen=True, eq=False)
class LensView:
    """
    The pinhole pictures of a lens, and where each pixel is in them.

    :param faces: the pinhole pictures.
    :param face: [H, W] the picture of each pixel.
    :param x: [H, W] its column there; 0 is the middle of the first pixel.
    :param y: [H, W] its row.
    """

    faces: tuple[Face, ...]
    face: NDArray[np.int64]
    x: FloatArray
    y: FloatArray

    def joined(self, pictures: Sequence[Light]) -> Light:
        """Return the picture of the lens, from the pinhole pictures of its faces."""
        shape = self.face.shape
        image = np.zeros((*shape, 3), np.float32)
        mask, things = np.zeros(shape, np.uint8), np.full(shape, -1, np.int64)
        for number, (light, classes, signs) in enumerate(pictures):
            here = self.face == number
            seen = cv2.remap(
                light, self.x, self.y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
            image[here] = seen[here]
            rows = np.clip(np.rint(self.y[here]), 0, classes.shape[0] - 1).astype(int)
            columns = np.clip(np.rint(self.x[here]), 0, classes.shape[1] - 1).astype(int)
            mask[here], things[here] = classes[rows, columns], signs[rows, columns]
        return image, mask, things


@lru_cache(maxsize=8)
def lens_view(lens: Intrinsics) -> LensView:
    """Return the pinhole pictures that the picture of a lens is made of."""
    rays = pixel_rays(lens)
    right, down, ahead = np.moveaxis(rays, -1, 0)
    with np.errstate(divide='ignore', invalid='ignore'):
        slopes = np.abs(rays[..., :2] / rays[..., 2:])
    single = bool((ahead > 0).all() and slopes.max() <= _WIDEST)
    bearing = np.degrees(np.arctan2(right, ahead))
    sides = np.select([bearing < -45, bearing > 45], [1, 2], 0)
    face = np.zeros_like(sides) if single else sides
    x, y = np.zeros(face.shape), np.zeros(face.shape)
    faces: list[Face] = []
    for number, yaw_deg in enumerate(_SIDES_DEG[:1] if single else _SIDES_DEG):
        here, angle = face == number, math.radians(yaw_deg)
        there = math.cos(angle) * ahead[here] + math.sin(angle) * right[here]
        aside = (math.cos(angle) * right[here] - math.sin(angle) * ahead[here]) / there
        below = down[here] / there
        width, height = (
            2 * math.ceil(lens.fx * np.abs(most).max() + _MARGIN_PX) for most in (aside, below)
        )
        faces.append((yaw_deg, lens.fx, (width, height)))
        x[here] = lens.fx * aside + width / 2 - 0.5
        y[here] = lens.fx * below + height / 2 - 0.5
    return LensView(tuple(faces), face, x.astype(np.float32), y.astype(np.float32))


def pixel_rays(lens: Intrinsics) -> Floats:
    """Return [H, W, 3] the rays through the pixels of a lens: x right, y down, z ahead."""
    across, down = np.arange(lens.width) + 0.5, np.arange(lens.height) + 0.5
    pixels = np.stack(np.meshgrid(across, down), axis=-1)
    if lens.model != EQUIDISTANT:
        matrix = np.array([[lens.fx, 0, lens.cx], [0, lens.fy, lens.cy], [0, 0, 1.0]])
        precise = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 100, 1e-9)
        coefficients = np.array(lens.distortion or (0.0,) * 4)
        found = cv2.undistortPoints(
            pixels.reshape(-1, 1, 2), matrix, coefficients, criteria=precise
        )
        found = np.asarray(found).reshape(*pixels.shape)
        return np.concatenate([found, np.ones((*found.shape[:2], 1))], axis=-1)
    x, y = (pixels[..., 0] - lens.cx) / lens.fx, (pixels[..., 1] - lens.cy) / lens.fy
    radius = np.hypot(x, y)
    # The angle of a radius, from the radii of many angles.
    angles = np.linspace(0, math.radians(110), 20_000)
    ahead = np.stack([np.sin(angles), 0 * angles, np.cos(angles)], axis=-1)
    radii = (lens.project(ahead)[:, 0] - lens.cx) / lens.fx
    angle = np.interp(radius, radii[np.isfinite(radii)], angles[np.isfinite(radii)])
    scale = np.where(radius > 0, np.sin(angle) / np.maximum(radius, 1e-12), 1.0)
    return np.stack([x * scale, y * scale, np.cos(angle)], axis=-1)
