"""A pinhole camera, and the selection of the triangles that it can see."""

from __future__ import annotations

import math
from typing import NamedTuple

from husky_placerec.campus.mesh import Mesh, TRIANGLE
from husky_placerec.campus.numeric import Colour
from husky_placerec.campus.rig import CameraModel
from husky_placerec.campus.scene import Scene, TILE_M
from husky_placerec.types import Pose
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

TILE_RADIUS_M = 24.0  # greatest distance of a triangle from the centre of its tile
_WIDEST = 6.0  # limit of the half-width of the view, metres per metre ahead


class Camera(NamedTuple):
    """Intrinsics and pose of a camera, in plain numbers for compiled code."""

    width: int
    height: int
    focal_px: float
    position: Colour  # x y z in the map frame, metres
    right: Colour  # this and the next two: unit vectors in the map frame
    down: Colour
    ahead: Colour

    @classmethod
    def at(cls, pose: Pose, model: CameraModel, size: tuple[int, int]) -> Camera:
        """Return a camera of a robot at a pose; `size` is the width and height in pixels."""
        body = Rotation.from_quat([pose.qx, pose.qy, pose.qz, pose.qw])
        turn = body * Rotation.from_euler('ZY', [model.yaw_deg, model.pitch_deg], degrees=True)
        ahead, left, up = turn.as_matrix().T
        place = np.array([pose.x, pose.y, pose.z]) + body.apply(
            [model.x_m, model.y_m, model.height_m]
        )
        focal_px = float(model.intrinsics(*size)[0])
        return cls(*size, focal_px, _plain(place), _plain(-left), _plain(-up), _plain(ahead))

    def turned(self, yaw_deg: float, focal_px: float, size: tuple[int, int]) -> Camera:
        """Return a camera at the same place that looks to the right by an angle."""
        angle = math.radians(yaw_deg)
        right, ahead = np.array(self.right), np.array(self.ahead)
        aside = math.cos(angle) * right - math.sin(angle) * ahead
        there = math.cos(angle) * ahead + math.sin(angle) * right
        return Camera(*size, focal_px, self.position, _plain(aside), self.down, _plain(there))

    @property
    def matrix(self) -> NDArray[np.float32]:
        """Return the [3, 4] map from the map frame to the camera: x right, y down, z ahead."""
        axes = [self.right, self.down, self.ahead]
        return affine(axes, np.array(self.position)).astype(np.float32)

    @property
    def heading(self) -> tuple[float, float]:
        """Return the horizontal unit vector of the viewing direction."""
        x, y, _ = self.ahead
        length = math.hypot(x, y)
        return x / length, y / length

    def ground_ahead(self, distance_m: float) -> NDArray[np.float64]:
        """Return the point at a horizontal distance ahead, at the height of the camera."""
        x, y = self.heading
        return np.array(self.position) + distance_m * np.array([x, y, 0.0])


def affine(
    axes: NDArray | list[tuple[float, float, float]], origin: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the [3, 4] affine map to coordinates along three axes from an origin."""
    turn = np.array(axes)
    return np.column_stack([turn, -turn @ origin])


def in_view(scene: Scene, moving: Mesh, camera: Camera, far_m: float) -> Mesh:
    """Return the triangles of all tiles that may be visible, and all moving triangles."""
    ahead, aside, distance = _places(scene, camera)
    # One tile wider than the picture on each side; TILE_M keeps the ground below the camera.
    half_width = TILE_M + 2 + (ahead + TILE_RADIUS_M).clip(0) * _aside_per_ahead(camera)
    seen = (distance < far_m + TILE_RADIUS_M) & (ahead > -TILE_M) & (aside < half_width)
    return _gather(scene, seen, moving)


def near(scene: Scene, place: NDArray[np.float64], reach_m: float) -> Mesh:
    """Return the triangles of the tiles within `reach_m` of a place."""
    distance = np.hypot(*(scene.centres - place[:2]).T)
    return _gather(scene, distance < reach_m + TILE_RADIUS_M)


def _aside_per_ahead(camera: Camera) -> float:
    """Return the half-width of the view per metre ahead; a tilted camera sees a wider area."""
    aside, below = camera.width / 2 / camera.focal_px, camera.height / 2 / camera.focal_px
    right, down, ahead = (np.array(axis) for axis in (camera.right, camera.down, camera.ahead))
    x, y = camera.heading
    widest = 0.0
    for column in (-aside, aside):
        for row in (-below, below):
            ray = ahead + column * right + row * down
            along, across = ray[0] * x + ray[1] * y, abs(ray[0] * y - ray[1] * x)
            widest = max(widest, across / max(along, across / _WIDEST))
    return widest


def _places(scene: Scene, camera: Camera) -> tuple[NDArray, NDArray, NDArray]:
    heading_x, heading_y = camera.heading
    apart_x, apart_y = (scene.centres - camera.position[:2]).T
    ahead = apart_x * heading_x + apart_y * heading_y
    aside = np.abs(apart_x * heading_y - apart_y * heading_x)
    return ahead, aside, np.hypot(ahead, aside)


def _gather(scene: Scene, chosen: NDArray[np.bool_], *others: Mesh) -> Mesh:
    # Joined as bytes, because numpy would compare the record types of all pieces.
    pieces = [
        scene.mesh[scene.starts[tile] : scene.starts[tile + 1]] for tile in np.flatnonzero(chosen)
    ]
    return np.concatenate([piece.view(np.uint8) for piece in (*pieces, *others)]).view(TRIANGLE)


def _plain(vector: NDArray[np.float64]) -> Colour:
    x, y, z = vector.tolist()
    return x, y, z
