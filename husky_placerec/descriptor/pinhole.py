"""
One virtual pinhole through which all cameras look.

A front and a back camera of unlike focal lengths show the same place at unlike scales. Given the
intrinsics of each, its images are resampled to those of a camera that all share: of the input
size, its middle the principal point, its focal length a parameter. So a place that is passed the
other way can look as it did.
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
    A pinhole camera, in pixels of images of `width` x `height`.

    Whole numbers are the edges of pixels: the middle of an image is at half its size.
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
    Resamples the images of each camera to the virtual one's.

    What a camera does not see is filled from its edge, since black would be an edge of its own. A
    focal length at which every camera sees all of it is the better choice: the largest of
    fx / width and fy * H / height / W over the cameras, for an input of W x H.

    :param cameras: intrinsics by camera name.
    :param focal: of the virtual pinhole, in widths of its own image: 0.5 sees 90 degrees.
    :param size: width and height.
    """

    cameras: Mapping[str, Intrinsics]
    focal: float
    size: tuple[int, int]

    def resample(self, camera: str, image: Pixels) -> Pixels:
        """Return the [H, W, 3] view of the virtual pinhole in an image of any size."""
        found, focal_px = image.shape[1::-1], self.focal * self.size[0]
        maps, small = _maps(self.cameras[camera], focal_px, self.size, found)
        # Areas are averaged first, so that fine texture does not alias; then nearly 1 to 1.
        if small != found:
            image = np.asarray(cv2.resize(image, small, interpolation=cv2.INTER_AREA), np.uint8)
        view = cv2.remap(image, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(view, np.uint8)


def make_pinhole(config: Config, focal: float, size: tuple[int, int]) -> VirtualPinhole | None:
    """
    Make the virtual pinhole of the configured cameras; None for a focal length of 0.

    :raises InputError: for a camera whose intrinsics are not known.
    """
    if not focal:
        return None
    cameras = {name: _intrinsics(name, config.camera_config(name)) for name in config.cameras}
    return VirtualPinhole(cameras, focal, size)


def _intrinsics(name: str, camera: CameraConfig) -> Intrinsics:
    for key in ('fx', 'width', 'height'):
        if not getattr(camera, key):
            raise InputError(
                f'camera.{name}.{key} is 0, not known; a virtual pinhole (pinhole_focal) needs '
                f'fx, width and height of every camera'
            )
    return Intrinsics(
        camera.fx,
        camera.fy or camera.fx,
        camera.cx or camera.width / 2,
        camera.cy or camera.height / 2,
        camera.width,
        camera.height,
    )


@lru_cache(maxsize=16)  # a camera's images are all of one size
def _maps(
    lens: Intrinsics, focal_px: float, size: tuple[int, int], found: tuple[int, int]
) -> tuple[tuple[FloatArray, FloatArray], tuple[int, int]]:
    """Return cv2.remap's maps, and the size to which an image of `found` size is shrunk first."""
    shrink = (
        min(1.0, focal_px / (lens.fx * found[0] / lens.width)),
        min(1.0, focal_px / (lens.fy * found[1] / lens.height)),
    )
    small = max(1, round(found[0] * shrink[0])), max(1, round(found[1] * shrink[1]))
    scale_x, scale_y = small[0] / lens.width, small[1] / lens.height
    # Rays through the middles of the virtual pixels; remap counts from the middle of the first.
    right = (np.arange(size[0]) + 0.5 - size[0] / 2) / focal_px
    down = (np.arange(size[1]) + 0.5 - size[1] / 2) / focal_px
    columns = (lens.fx * right + lens.cx) * scale_x - 0.5
    rows = (lens.fy * down + lens.cy) * scale_y - 0.5
    x, y = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
    return (x, y), small
