"""The triangle that each pixel shows: a compiled depth buffer."""

from __future__ import annotations

from typing import Any

from husky_placerec.campus.coverage import is_hole, planes, row_span, span, transformed, weights
from husky_placerec.campus.materials import is_cut_out
from husky_placerec.campus.mesh import Mesh
from husky_placerec.campus.numeric import compiled, inlined
import numpy as np
from numpy.typing import NDArray

NEAR_M = 0.15


# What a pixel shows; `triangle` is -1 for sky.
HIT = np.dtype(
    [
        ('inverse_depth', np.float32),  # 1/m, along the optical axis
        ('triangle', np.int32),
        ('u', np.float32),
        ('v', np.float32),
    ]
)
_NOTHING = np.array((0, -1, 0, 0), HIT)
Hits = NDArray[np.void]  # [H, W] of HIT
Hit = Any  # one record of HIT


def trace(
    mesh: Mesh,
    matrix: NDArray[np.float32],
    holes: NDArray,
    size: tuple[int, int],
    focal_px: float,
) -> Hits:
    """
    Return the nearest triangle of each pixel of a camera, with texture coordinates.

    :param matrix: [3, 4], from the map frame to the camera (x right, y down, z ahead).
    :param holes: [layers, H, W], the masks of the textures.
    :param size: width and height in pixels.
    """
    width, height = size
    seen = transformed(mesh, matrix)
    farthest = seen[:, :, 2].max(axis=1)
    # Nearest first, so that hidden pixels fail the depth test early.
    order = np.argsort(farthest, kind='stable')
    order = order[farthest[order] > NEAR_M]
    hits = np.full((height, width), _NOTHING)
    polygon = np.empty((4, 5))  # after clipping and projection: x, y in pixels, 1/depth, u, v
    _draw_all(mesh, seen, order, holes, focal_px, polygon, hits)
    return hits


@compiled
def _draw_all(
    mesh: Mesh,
    seen: NDArray,
    order: NDArray,
    holes: NDArray,
    focal_px: float,
    polygon: NDArray,
    hits: Hits,
) -> None:
    height, width = hits.shape
    for triangle in order:
        corners = _clip(seen[triangle], mesh[triangle].uv, polygon)
        for corner in range(corners):
            inverse = 1 / polygon[corner, 2]
            polygon[corner, 0] = width / 2 + focal_px * polygon[corner, 0] * inverse
            polygon[corner, 1] = height / 2 + focal_px * polygon[corner, 1] * inverse
            polygon[corner, 2] = inverse
        for corner in range(1, corners - 1):
            _draw(mesh, triangle, holes, hits, polygon[0], polygon[corner], polygon[corner + 1])


@inlined
def _clip(points: NDArray, uv: NDArray, polygon: NDArray) -> int:
    """Clip a triangle at the depth NEAR_M; return the number of remaining corners, 0 to 4."""
    count = 0
    for here in range(3):
        after = (here + 1) % 3
        depth, depth_after = points[here, 2], points[after, 2]
        if depth >= NEAR_M:
            _set_corner(polygon[count], points, uv, here, after, 0.0)
            count += 1
        if (depth >= NEAR_M) != (depth_after >= NEAR_M):
            share = (NEAR_M - depth) / (depth_after - depth)
            _set_corner(polygon[count], points, uv, here, after, share)
            count += 1
    return count


@inlined
def _set_corner(
    corner: NDArray, points: NDArray, uv: NDArray, here: int, after: int, share: float
) -> None:
    for axis in range(3):
        corner[axis] = points[here, axis] + share * (points[after, axis] - points[here, axis])
    for axis in range(2):
        corner[3 + axis] = uv[here, axis] + share * (uv[after, axis] - uv[here, axis])


@inlined
def _draw(
    mesh: Mesh,
    triangle: int,
    holes: NDArray,
    hits: Hits,
    first: NDArray,
    second: NDArray,
    third: NDArray,
) -> None:
    to_second, to_third, area = planes(first, second, third)
    if abs(area) < 1e-6:
        return
    has_holes = is_cut_out(mesh[triangle].material)
    layer = mesh[triangle].layer
    height, width = hits.shape
    left, right = span(first[0], second[0], third[0], width)
    top, bottom = span(first[1], second[1], third[1], height)
    for row in range(top, bottom):
        for column in range(*row_span(to_second, to_third, row, left, right)):
            a, b, c = weights(to_second, to_third, row, column)
            if a < 0 or b < 0 or c < 0:
                continue
            inverse = a * first[2] + b * second[2] + c * third[2]
            hit = hits[row, column]
            if inverse <= hit.inverse_depth:
                continue
            a, b, c = a * first[2] / inverse, b * second[2] / inverse, c * third[2] / inverse
            u = a * first[3] + b * second[3] + c * third[3]
            v = a * first[4] + b * second[4] + c * third[4]
            if has_holes and is_hole(holes, layer, u, v):
                continue
            hit.inverse_depth, hit.triangle, hit.u, hit.v = inverse, triangle, u, v
