"""The triangle mesh of all objects, and its builder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
import math

from husky_placerec.campus.materials import PLAIN
from husky_placerec.campus.numeric import Colour
import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float, float]  # metres
Rectangle = tuple[float, float, float, float]  # u0 v0 u1 v1 of a texture, which repeats beyond 1

WHOLE: Rectangle = (0.0, 0.0, 1.0, 1.0)
WHITE: Colour = (1.0, 1.0, 1.0)
UP: Point = (0.0, 0.0, 1.0)


# [T], one record per triangle. Compiled code reads the numbers of a record at no cost. With a
# tuple of arrays it would count references to each array for every pixel.
Mesh = NDArray[np.void]
TRIANGLE = np.dtype(
    [
        ('points', np.float32, (3, 3)),  # corners in the map frame, metres
        ('uv', np.float32, (3, 2)),
        ('normal', np.float32, 3),
        ('tint', np.float32, 3),
        ('layer', np.int32),  # texture
        ('material', np.int32),
        ('label', np.int32),  # class, see labels.py
        ('thing', np.int32),  # number of the object
        ('columns', np.int32),  # windows across and up in the texture of a facade
        ('rows', np.int32),
        ('foot', np.float32),  # height of the ground below, metres
    ]
)


@dataclass(frozen=True)
class Look:
    """The appearance of a surface; surfaces of the same `thing` share their random choices."""

    layer: int
    label: int
    material: int = PLAIN
    tint: Colour = WHITE
    thing: int = 0
    windows: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Frame2D:
    """A place on the ground with a heading: a local frame in metres."""

    x: float
    y: float
    yaw: float
    z: float = 0.0  # of the ground

    def world(self, x: float, y: float, z: float = 0.0) -> Point:
        """Return the map coordinates of a local point: x ahead, y to the left, z up."""
        cosine, sine = math.cos(self.yaw), math.sin(self.yaw)
        return self.x + cosine * x - sine * y, self.y + sine * x + cosine * y, self.z + z

    def moved(self, x: float, y: float) -> Frame2D:
        """Return the frame shifted along its own axes."""
        there = self.world(x, y)
        return Frame2D(there[0], there[1], self.yaw, self.z)


@dataclass
class MeshBuilder:
    """Collects quads, then converts all of them into triangles."""

    _corners: list[Sequence[Point]] = field(default_factory=list)
    _uv: list[Rectangle] = field(default_factory=list)
    _normals: list[Point | None] = field(default_factory=list)
    _looks: list[Look] = field(default_factory=list)

    def quad(
        self,
        corners: Sequence[Point],
        look: Look,
        uv: Rectangle = WHOLE,
        normal: Point | None = None,
    ) -> None:
        """
        Add a quad.

        :param corners: lower left, lower right, upper right, upper left of the texture.
        :param normal: replaces the geometric normal of the quad, as foliage needs.
        """
        self._corners.append(corners)
        self._uv.append(uv)
        self._normals.append(normal)
        self._looks.append(look)

    def box(
        self,
        base: Frame2D,
        size: Point,
        look: Look,
        z: float = 0.0,
        top: Look | None = None,
        tile_m: tuple[float, float] | None = None,
        taper: float = 1.0,
    ) -> None:
        """
        Add a box: four sides and a top.

        :param size: width along the base's x, depth, height.
        :param z: height of the underside above the base.
        :param tile_m: width and height of one texture; None: each side shows the texture once.
        :param taper: size of the top as a share of the base.
        """
        width, depth, height = size
        ring = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
        lower = [base.world(x * width / 2, y * depth / 2, z) for x, y in ring]
        upper = [
            base.world(x * width / 2 * taper, y * depth / 2 * taper, z + height) for x, y in ring
        ]
        for side in range(4):
            after = (side + 1) % 4
            corners = [lower[side], lower[after], upper[after], upper[side]]
            length = depth if side % 2 else width
            self.quad(corners, look, _tiled(length, height, tile_m))
        self.quad(upper, top or look, (0, 0, max(1, width / 10), max(1, depth / 10)))

    def mesh(self) -> Mesh:
        """Return two triangles for each quad."""
        halves = np.array([[0, 1, 2], [0, 2, 3]])
        corners = np.array(self._corners, np.float32).reshape(-1, 4, 3)
        u0, v0, u1, v1 = np.array(self._uv, np.float32).reshape(-1, 4).T
        uv = np.stack([u0, v1, u1, v1, u1, v0, u0, v0], axis=1).reshape(-1, 4, 2)
        mesh = np.zeros((len(corners), 2), TRIANGLE)
        mesh['points'], mesh['uv'] = corners[:, halves], uv[:, halves]
        mesh['normal'] = _normals(corners, self._normals).reshape(-1, 1, 3)
        mesh['tint'] = np.reshape([look.tint for look in self._looks], (-1, 1, 3))
        for name in ('layer', 'label', 'material', 'thing'):
            mesh[name] = np.reshape([getattr(look, name) for look in self._looks], (-1, 1))
        windows = np.reshape([look.windows for look in self._looks], (-1, 1, 2))
        mesh['columns'], mesh['rows'] = windows[..., 0], windows[..., 1]
        return mesh.reshape(-1)


def _normals(corners: NDArray[np.float32], given: Sequence[Point | None]) -> NDArray[np.float32]:
    """Return [Q, 3], the given normal of each quad, else its geometric normal."""
    across, up = corners[:, 1] - corners[:, 0], corners[:, 3] - corners[:, 0]
    own = np.cross(across, up)
    own /= np.linalg.norm(own, axis=1, keepdims=True) + np.float32(1e-9)
    return np.array(
        [mine if other is None else other for mine, other in zip(own, given, strict=True)],
        np.float32,
    )


def _tiled(length: float, height: float, tile_m: tuple[float, float] | None) -> Rectangle:
    """Return the repeats of a texture: an integer across, a multiple of 1/4 (a storey) up."""
    if tile_m is None:
        return WHOLE
    across = max(1, round(length / tile_m[0]))
    return 0.0, 0.0, across, max(1, round(height / tile_m[1] * 4)) / 4
