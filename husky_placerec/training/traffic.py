"""Varied traffic: what moves in one image is copied into another, and its mask with it."""

from __future__ import annotations

from collections.abc import Sequence

from husky_placerec.training.drives import Drive
import numpy as np
from numpy.typing import NDArray

TRIES = 4  # to find an image in which something moves
LEAST, MOST = 0.01, 0.5  # share of an image that moves


def with_traffic(
    images: NDArray[np.uint8], drives: Sequence[Drive], share: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """
    Copy what moves in images of other frames into some of the images of a frame.

    So the two frames of a pair show the same place behind other cars and people.

    Source: Ghiasi et al., Simple Copy-Paste is a Strong Data Augmentation Method for Instance
    Segmentation, CVPR 2021.

    :param images: [C, H, W, 4], the last channel 255 for what is static and 0 for what moves.
    :param drives: with masks, from which other frames are drawn.
    :param share: of the images that are changed, 0 to 1.
    """
    found = images.copy()
    for camera in range(len(images)):
        if rng.random() < share and (moving := _moving(camera, drives, rng)) is not None:
            pixels, static = moving
            there = static < 128
            found[camera][there] = np.concatenate([pixels, static[..., None]], axis=2)[there]
    return found


def _moving(
    camera: int, drives: Sequence[Drive], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
    """Return an image [H, W, 3] of a camera in which something moves, and its mask [H, W]."""
    for _ in range(TRIES):
        drive = drives[int(rng.integers(len(drives)))]
        frame = int(rng.integers(len(drive.images)))
        if drive.static is not None and LEAST < (drive.static[frame, camera] < 128).mean() < MOST:
            return drive.images[frame, camera], drive.static[frame, camera]
    return None
