"""
Resample the images of all cameras to one virtual pinhole camera.

A front and a back camera of different focal lengths show the same place at different scales. With
known intrinsics, the images of each camera can be resampled to those of a pinhole camera that all
cameras share: its image has the input size, its principal point is the middle of the image, and
its focal length is a parameter. A place that is passed in the reverse direction then looks the
same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import cv2
from husky_placerec.config import CameraConfig, Config
from husky_placerec.errors import InputError
from husky_placerec.types import FloatArray, Pixels
import numpy as np


@dataclass(frozen=True)
class Intrinsics:
    """
    Intrinsics of a pinhole camera, in pixels of images of `width` x `height`.

    Integer coordinates are the edges of pixels: the middle of an image is at half its size.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    width: int
    height: int


@dataclass(frozen=True)
class VirtualPinhole:
    """
    Resamples the images of each camera to the view of one virtual pinhole camera.

    Pixels outside a camera's view repeat the edge of its image, since black would look like an
    edge. With the following focal length every camera covers the whole view:

        focal = max over the cameras of (fx / width, fy * H / height / W)

    for an input of W x H.

    :param cameras: intrinsics by camera name.
    :param focal: focal length of the virtual pinhole, in widths of its image; 0.5 is a horizontal
        field of view of 90 degrees.
    :param size: width and height of its image, in pixels.
    """

    cameras: Mapping[str, Intrinsics]
    focal: float
    size: tuple[int, int]

    def resample(self, camera: str, image: Pixels) -> Pixels:
        """Return the virtual pinhole's [H, W, 3] view of a camera's image of any size."""
        found, focal_px = image.shape[1::-1], self.focal * self.size[0]
        maps, small = _remap_tables(self.cameras[camera], focal_px, self.size, found)
        # Shrinking by the average over areas first keeps fine texture from aliasing; remap then
        # samples at nearly the same scale.
        if small != found:
            image = np.asarray(cv2.resize(image, small, interpolation=cv2.INTER_AREA), np.uint8)
        view = cv2.remap(image, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(view, np.uint8)


def make_pinhole(config: Config, focal: float, size: tuple[int, int]) -> VirtualPinhole | None:
    """
    Make the virtual pinhole of the configured cameras; None for a focal length of 0.

    :raises InputError: for a camera of unknown intrinsics.
    """
    if not focal:
        return None
    cameras = {name: _intrinsics(name, config.camera_config(name)) for name in config.cameras}
    return VirtualPinhole(cameras, focal, size)


def _intrinsics(name: str, camera: CameraConfig) -> Intrinsics:
    for key in ('fx', 'width', 'height'):
        if not getattr(camera, key):
            raise InputError(
                f'camera.{name}.{key} is 0, not known; the virtual pinhole (pinhole_focal) needs '
                'fx, width and height of every camera'
            )
    return Intrinsics(
        camera.fx,
        camera.fy or camera.fx,
        camera.cx or camera.width / 2,
        camera.cy or camera.height / 2,
        camera.width,
        camera.height,
    )


@lru_cache(maxsize=16)  # all images of a camera have the same size
def _remap_tables(
    lens: Intrinsics, focal_px: float, size: tuple[int, int], found: tuple[int, int]
) -> tuple[tuple[FloatArray, FloatArray], tuple[int, int]]:
    """Return the maps for cv2.remap, and the size to shrink an image of size `found` to first."""
    shrink = (
        min(1.0, focal_px / (lens.fx * found[0] / lens.width)),
        min(1.0, focal_px / (lens.fy * found[1] / lens.height)),
    )
    small = max(1, round(found[0] * shrink[0])), max(1, round(found[1] * shrink[1]))
    scale_x, scale_y = small[0] / lens.width, small[1] / lens.height
    # Rays through the middles of the virtual pixels. To cv2.remap, 0 is the middle of the first
    # pixel, hence the halves.
    right = (np.arange(size[0]) + 0.5 - size[0] / 2) / focal_px
    down = (np.arange(size[1]) + 0.5 - size[1] / 2) / focal_px
    columns = (lens.fx * right + lens.cx) * scale_x - 0.5
    rows = (lens.fy * down + lens.cy) * scale_y - 0.5
    x, y = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
    return (x, y), small
