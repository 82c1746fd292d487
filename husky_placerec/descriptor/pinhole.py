"""
Resample the images of all cameras to the view that the descriptors of a map are made of.

A front and a back camera of different focal lengths show the same place at different scales, and a
lens with distortion bends it. With known intrinsics, the images of each camera can be resampled to
those of a pinhole camera that all cameras share: its image has the input size, its principal point
is the middle of the image. A place that is passed in the reverse direction then looks the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import cv2
from husky_placerec.cameras.intrinsics import EQUIDISTANT, Intrinsics, turned
from husky_placerec.cameras.known import camera_of
from husky_placerec.cameras.views import pinhole_view, require_filled
from husky_placerec.config import Config
from husky_placerec.errors import InputError
from husky_placerec.types import FloatArray, Floats, Pixels
import numpy as np


@dataclass(frozen=True)
class VirtualPinhole:
    """
    Resamples the images of each camera to the view of one virtual pinhole camera.

    Outside a camera's view the image is mirrored, so that its texture goes on. On a map of the
    Husky, a robot with lenses of 60 degrees is then found in 92 % of 60 frames within 5 m; with
    repeated edges in 80 %, with a grey border in 77 %.

    :param cameras: intrinsics by camera name; the images of other cameras are not resampled.
    :param focal: focal length of the virtual pinhole, in widths of its image; 0.5 is a horizontal
        field of view of 90 degrees. 0: each camera has a view of its own.
    :param size: width and height of its image, in pixels.
    :param views: the view of each camera where there is no virtual pinhole.
    """

    cameras: Mapping[str, Intrinsics]
    focal: float
    size: tuple[int, int]
    views: Mapping[str, Intrinsics] = field(default_factory=dict)

    def view(self, camera: str) -> Intrinsics:
        """Return the intrinsics of the view to which a camera is resampled."""
        return self.views[camera] if not self.focal else pinhole_view(self.focal, self.size)

    def resample(self, camera: str, image: Pixels) -> Pixels:
        """Return the [H, W, 3] view of a camera's image of any size."""
        found = image.shape[1::-1]
        maps, small = _remap_tables(self.cameras[camera], self.view(camera), found)
        # Shrinking by the average over areas first keeps fine texture from aliasing; remap then
        # samples at nearly the same scale.
        if small != found:
            image = np.asarray(cv2.resize(image, small, interpolation=cv2.INTER_AREA), np.uint8)
        view = cv2.remap(image, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        return np.asarray(view, np.uint8)

    def shrunk(self, camera: str, found: tuple[int, int]) -> tuple[int, int]:
        """Return the size to which a camera's image of width and height is shrunk first."""
        return _remap_tables(self.cameras[camera], self.view(camera), found)[1]

    def require_filled(self) -> None:
        """
        Check that each camera fills enough of its view.

        :raises InputError: that names the camera.
        """
        for name, lens in self.cameras.items():
            require_filled(name, lens, self.view(name))


def make_pinhole(
    config: Config, focal: float, size: tuple[int, int], lenses: Mapping[str, Intrinsics] = {}
) -> VirtualPinhole | None:
    """
    Make the virtual pinhole of the configured cameras; None for a focal length of 0.

    :param lenses: intrinsics of cameras, where they are not those of the configuration.
    :raises InputError: for a camera of unknown intrinsics, or one that fills too little.
    """
    if not focal:
        return None
    cameras = {name: lenses.get(name) or _intrinsics(name, config) for name in config.cameras}
    made = VirtualPinhole(cameras, focal, size)
    made.require_filled()
    return made


def _intrinsics(name: str, config: Config) -> Intrinsics:
    camera = config.camera_config(name)
    for key in ('fx', 'width', 'height'):
        if not getattr(camera, key):
            raise InputError(
                f'camera.{name}.{key} is 0, not known; the virtual pinhole (pinhole_focal) needs '
                'fx, width and height of every camera, from its CameraInfo or by parameters'
            )
    lens = camera_of(name, camera).lens
    assert lens is not None  # as all is given
    return lens


@lru_cache(maxsize=32)  # all images of a camera have the same size
def _remap_tables(
    lens: Intrinsics, view: Intrinsics, found: tuple[int, int]
) -> tuple[tuple[FloatArray, FloatArray], tuple[int, int]]:
    """Return the maps for cv2.remap, and the size to shrink an image of size `found` to first."""
    lens = lens.scaled(*found)
    across, down = (view.fx, view.fy) if lens.turns % 2 == 0 else (view.fy, view.fx)
    small = (
        max(1, round(found[0] * min(1.0, across / lens.fx))),
        max(1, round(found[1] * min(1.0, down / lens.fy))),
    )
    lens = lens.scaled(*small)
    matrices = _matrix(lens), turned(lens.turns), _matrix(view)
    if lens.model == EQUIDISTANT:
        x, y = cv2.fisheye.initUndistortRectifyMap(
            matrices[0],
            np.array(lens.distortion),
            *matrices[1:],
            (view.width, view.height),
            cv2.CV_32FC1,
        )
    else:
        distortion = np.array(lens.distortion or (0.0,) * 4)
        x, y = cv2.initUndistortRectifyMap(
            matrices[0], distortion, *matrices[1:], (view.width, view.height), cv2.CV_32FC1
        )
    return (np.asarray(x, np.float32), np.asarray(y, np.float32)), small


def _matrix(lens: Intrinsics) -> Floats:
    """Return K; to OpenCV, 0 is the middle of the first pixel, hence the halves."""
    return np.array([[lens.fx, 0, lens.cx - 0.5], [0, lens.fy, lens.cy - 0.5], [0, 0, 1.0]])
