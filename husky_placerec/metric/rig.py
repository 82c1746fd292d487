"""The calibrated cameras of a robot as one instrument: pixels become bearings in `base_link`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
from husky_placerec.cameras.intrinsics import EQUIDISTANT, Intrinsics
from husky_placerec.cameras.known import KnownCamera
from husky_placerec.errors import InputError
from husky_placerec.types import Floats, Pose
import numpy as np

ROUNDS = 15  # of undistortion
STEEPEST = np.radians(80.0)  # from the optical axis; beyond, a fisheye has no plane coordinates


@dataclass(frozen=True)
class RigCamera:
    """
    A camera whose intrinsics and mounting are known.

    :param lens: of the images as they come.
    :param mounting: pose of the optical frame in `base_link`.
    :param turns: quarter turns, counterclockwise, that bring an image upright.
    """

    name: str
    lens: Intrinsics
    mounting: Pose
    turns: int = 0

    def bearings(self, positions: Floats, width: int, height: int) -> Floats:
        """
        Return [N, 3] unit vectors in `base_link` of key points; NaN for one the lens cannot have.

        :param positions: [N, 2] in the upright image, in pixels from its upper left corner.
        :param width: of the upright image, and `height`.
        """
        x, y = np.asarray(positions, np.float64).T
        for _ in range(self.turns % 4):  # undo the turns: (x, y) of the image before each
            x, y, width, height = height - y, x, height, width
        lens = self.lens.scaled(width, height)
        plane = _on_plane(np.column_stack([x, y]), lens)
        rays = np.column_stack([plane, np.ones(len(plane))])
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        return np.asarray(rays @ self.mounting.rotation.as_matrix().T)

    def focal_px(self, width: int) -> float:
        """Return the focal length in pixels of an upright image of a width."""
        sideways = self.turns % 2
        focal, of = (
            (self.lens.fy, self.lens.height) if sideways else (self.lens.fx, self.lens.width)
        )
        return focal * width / of


@dataclass(frozen=True)
class Rig:
    """
    The cameras of a robot, in the order of the map.

    :raises InputError: for a camera whose intrinsics or mounting are not known.
    """

    cameras: tuple[RigCamera, ...]

    @classmethod
    def of(cls, names: Sequence[str], known: Mapping[str, KnownCamera], source: str) -> Rig:
        """
        Make a rig of what is known of the cameras.

        :param source: of what is known, for the error.
        """
        cameras, missing = [], []
        for name in names:
            camera = known.get(name, KnownCamera())
            lens, mounting = camera.intrinsics, camera.mounting
            lacks = [
                what
                for what, value in (('intrinsics', lens), ('mounting', mounting))
                if value is None
            ]
            if lens is None or mounting is None:
                missing.append(f'{" and ".join(lacks)} of {name}')
            else:
                cameras.append(RigCamera(name, lens, mounting, camera.turns))
        if missing:
            raise InputError(
                f'{source}: {", ".join(missing)} not known; landmarks need both of each camera: '
                'CameraInfo and static TF in the bag, cameras.yaml beside a track, or the '
                'parameters camera.NAME.fx and camera.NAME.mounting'
            )
        return cls(tuple(cameras))

    def __len__(self) -> int:
        return len(self.cameras)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the cameras."""
        return tuple(camera.name for camera in self.cameras)

    @property
    def origins(self) -> Floats:
        """[C, 3] the centres of projection in `base_link`, in metres."""
        return np.array([camera.mounting.as_array()[:3] for camera in self.cameras])

    @property
    def axes(self) -> Floats:
        """[C, 3, 3] the rotations from the optical frames to `base_link`."""
        return np.array([camera.mounting.rotation.as_matrix() for camera in self.cameras])

    def focals(self, width: int) -> Floats:
        """Return [C] focal lengths in pixels of images of a width."""
        return np.array([camera.focal_px(width) for camera in self.cameras])


def tangents(bearings: Floats) -> Floats:
    """Return [N, 2, 3] two unit vectors across each of [N, 3] unit vectors, and to each other."""
    # Of the axes of the frame, the one that is the least along the vector.
    least = np.abs(bearings).argmin(axis=1)
    first = np.cross(bearings, np.eye(3)[least])
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    return np.stack([first, np.cross(bearings, first)], axis=1)


def _on_plane(pixels: Floats, lens: Intrinsics) -> Floats:
    """Return [N, 2] undistorted coordinates at a distance of 1; NaN where there are none."""
    straight = np.column_stack(
        [(pixels[:, 0] - lens.cx) / lens.fx, (pixels[:, 1] - lens.cy) / lens.fy]
    )
    if lens.is_straight or not len(pixels):
        return straight
    matrix = np.array([[lens.fx, 0, lens.cx], [0, lens.fy, lens.cy], [0, 0, 1.0]])
    distortion, points = np.array(lens.distortion), pixels[:, None]
    if lens.model == EQUIDISTANT:
        found = cv2.fisheye.undistortPoints(points, matrix, distortion)[:, 0]
        found = np.where(np.hypot(*straight.T)[:, None] < STEEPEST, found, np.nan)
    else:
        found = np.asarray(cv2.undistortPoints(points, matrix, distortion)[:, 0], np.float64)
        for _ in range(ROUNDS):  # those of OpenCV are too few near the border
            rays = np.column_stack([found, np.ones(len(found))])
            off = replace(lens, turns=0).project(rays) - pixels
            found = np.asarray(found - off / (lens.fx, lens.fy), np.float64)
    return np.asarray(found, np.float64)
