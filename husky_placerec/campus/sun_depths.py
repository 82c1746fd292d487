"""The depth of the first surface along the sunlight: a compiled depth buffer."""

from __future__ import annotations

from husky_placerec.campus.coverage import is_hole, planes, row_span, span, transformed, weights
from husky_placerec.campus.materials import GRASS, is_cut_out, ROAD
from husky_placerec.campus.mesh import Mesh
from husky_placerec.campus.numeric import compiled, inlined
import numpy as np
from numpy.typing import NDArray

OCCLUDED = 1e9  # initial depth in metres: no surface
BLOCK_PX = 4


def draw_depths(
    mesh: Mesh,
    matrix: NDArray[np.float32],
    holes: NDArray,
    depths: NDArray[np.float32],
    nearest: NDArray[np.float32],
) -> None:
    """
    Draw a mesh into a shadow map.

    :param matrix: [3, 4], from the map frame to column and row of the shadow map and depth (m).
    :param depths: [P, P], least depth of each pixel, lowered in place; OCCLUDED: no surface.
    :param nearest: [P / BLOCK_PX, P / BLOCK_PX], least depth of each block of the shadow map and
        the pixels next to it, lowered in place.
    """
    _draw_depths(mesh, transformed(mesh, matrix), holes, depths, nearest)


@compiled
def _draw_depths(
    mesh: Mesh, seen: NDArray, holes: NDArray, depths: NDArray, nearest: NDArray
) -> None:
    size = depths.shape[0]
    for triangle in range(seen.shape[0]):
        material = mesh[triangle].material
        if material in (GRASS, ROAD):
            continue  # the ground is nearly flat and casts no shadow
        first, second, third = seen[triangle]
        to_second, to_third, area = planes(first, second, third)
        if abs(area) < 1e-6:
            continue
        has_holes, layer = is_cut_out(material), mesh[triangle].layer
        uv = mesh[triangle].uv
        left, right = span(first[0], second[0], third[0], size)
        top, bottom = span(first[1], second[1], third[1], size)
        for row in range(top, bottom):
            for column in range(*row_span(to_second, to_third, row, left, right)):
                a, b, c = weights(to_second, to_third, row, column)
                if a < 0 or b < 0 or c < 0:
                    continue
                depth = a * first[2] + b * second[2] + c * third[2]
                if depth >= depths[row, column]:
                    continue
                if has_holes:
                    u = a * uv[0, 0] + b * uv[1, 0] + c * uv[2, 0]
                    v = a * uv[0, 1] + b * uv[1, 1] + c * uv[2, 1]
                    if is_hole(holes, layer, u, v):
                        continue
                depths[row, column] = depth
                _lower(nearest, row, column, size - 1, depth)


@inlined
def _lower(nearest: NDArray, row: int, column: int, last: int, depth: float) -> None:
    """Lower the least depth of each block that contains a pixel or is next to it."""
    for block_row in range(max(row - 1, 0) // BLOCK_PX, min(row + 1, last) // BLOCK_PX + 1):
        first, end = max(column - 1, 0) // BLOCK_PX, min(column + 1, last) // BLOCK_PX + 1
        for block_column in range(first, end):
            if depth < nearest[block_row, block_column]:
                nearest[block_row, block_column] = depth
