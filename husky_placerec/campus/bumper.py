"""The bumper bar of the robot at the bottom of a picture: drawn in 2D, because it is fixed."""

from __future__ import annotations

from functools import lru_cache

from husky_placerec.campus import labels
from husky_placerec.campus.light import Light
from husky_placerec.campus.picture import Mask
from husky_placerec.campus.rig import Bumper
import numpy as np
from numpy.typing import NDArray

_BOLT_SIZE = 0.2  # radius as a share of the height of the bar
_LAMP_LIGHT = np.array([0.10, 0.07, 0.04], np.float32)  # from street lamps


def add_bumper(image: NDArray[np.float32], mask: Mask, bumper: Bumper, light: Light) -> None:
    """Draw the bar into an image of linear light [H, W, 3] and into its mask."""
    cover, albedo = _drawn(bumper, *mask.shape)
    rows = slice(mask.shape[0] - len(cover), None)
    falls_on = np.array(light.ambient) + 0.4 * max(light.sun[2], 0.0) * np.array(light.sunlight)
    lit = (falls_on + light.lamps * _LAMP_LIGHT).astype(np.float32)
    image[rows] += cover[..., None] * (albedo[..., None] * lit - image[rows])
    mask[rows][cover >= 0.5] = labels.EGO_VEHICLE


def rows_above(bumper: Bumper, height: int) -> int:
    """Return the number of top rows that the bar does not cover over the full width."""
    return height - int(height * min(bumper.middle_height, bumper.side_height)) + 1


@lru_cache(maxsize=8)
def _drawn(
    bumper: Bumper, height: int, width: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the coverage (0 to 1) and the albedo of the bar in the lowest rows of the picture."""
    across = (np.arange(width) + 0.5) / width
    bend = 1 - (2 * across - 1) ** 2
    tall = height * (bumper.side_height + (bumper.middle_height - bumper.side_height) * bend)
    rows = int(np.ceil(tall.max())) + 1
    above_bottom = rows - 0.5 - np.arange(rows)[:, None]
    cover = np.clip(tall - above_bottom + 0.5, 0, 1)
    from_top = np.clip(1 - above_bottom / tall, 0, 1)
    # The bar is round: it is bright where it faces the sky, with a soft highlight below its edge.
    albedo = bumper.grey * (0.5 + 1.8 * (1 - from_top) ** 2)
    albedo += 0.05 * np.exp(-(((from_top - 0.22) / 0.1) ** 2))
    for bolt in bumper.bolts:
        _add_bolt(albedo, bolt * width, above_bottom, float(tall.mean()))
    return cover.astype(np.float32), albedo.astype(np.float32)


def _add_bolt(albedo: NDArray, column: float, above_bottom: NDArray, bar_px: float) -> None:
    radius = max(_BOLT_SIZE * bar_px, 1.0)
    columns = np.arange(albedo.shape[1]) + 0.5 - column
    below_middle = 0.45 * bar_px - above_bottom
    distance = np.hypot(columns, below_middle)
    head = np.clip(radius - distance + 0.5, 0, 1)
    face = np.where(distance < 0.45 * radius, 0.03, 0.16 - 0.08 * below_middle / radius)
    albedo += head * (face - albedo)
