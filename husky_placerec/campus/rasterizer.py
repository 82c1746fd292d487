"""Which triangle each pixel shows, and which the sun sees: two compiled depth buffers."""

from __future__ import annotations

import math
from typing import Any

from husky_placerec.campus.materials import GRASS, is_cut_out, ROAD
from husky_placerec.campus.numeric import compiled, inlined
from husky_placerec.campus.soup import Soup
import numpy as np
from numpy.typing import NDArray

NEAR_M = 0.15
_MASK_FROM = 115  # of 255; below, a cut-out is open
OCCLUDED = 1e9  # metres
BLOCK_PX = 4


# What a pixel shows; `triangle` is -1 where there is sky.
HIT = np.dtype(
    [
        ('inverse_depth', np.float32),  # 1/m along the camera's axis
        ('triangle', np.int32),
        ('u', np.float32),
        ('v', np.float32),
    ]
)
Hits = NDArray[np.void]  # [H, W]
Hit = Any  # one record of it
Weights = tuple[float, float, float]  # of column, row and 1


def trace(
    soup: Soup,
    matrix: NDArray[np.float32],
    holes: NDArray,
    size: tuple[int, int],
    focal_px: float,
) -> Hits:
    """
    Return what a camera sees.

    :param matrix: [3, 4], from the world to the camera (x right, y down, z ahead).
    :param holes: [layers, H, W], the masks of the textures.
    :param size: width and height in pixels.
    """
    width, height = size
    seen = _transformed(soup, matrix)
    farthest = seen[:, :, 2].max(axis=1)
    order = np.argsort(farthest, kind='stable')  # near first: what lies behind fails early
    order = order[farthest[order] > NEAR_M]
    hits = np.zeros((height, width), HIT)
    hits['triangle'] = -1
    polygon = np.empty((4, 5))  # after clipping: x, y in pixels, 1/depth, u, v
    _draw_all(soup, seen, order, holes, focal_px, polygon, hits)
    return hits


def draw_depths(
    soup: Soup,
    matrix: NDArray[np.float32],
    holes: NDArray,
    depths: NDArray[np.float32],
    nearest: NDArray[np.float32],
) -> None:
    """
    Draw how far from the sun the first surface is.

    :param matrix: [3, 4], from the world to pixels of the map and depth in metres.
    :param depths: [P, P], the map; OCCLUDED where nothing is.
    :param nearest: [P / BLOCK_PX, P / BLOCK_PX]: the least depth in each block of the map or a
        pixel beside it.
    """
    _draw_depths(soup, _transformed(soup, matrix), holes, depths, nearest)


def _transformed(soup: Soup, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the [T, 3, 3] corners after a [3, 4] affine map."""
    result = np.empty((len(soup), 3, 3), np.float32)
    _transform(soup['points'], matrix, result)
    return result


@compiled
def _transform(points: NDArray, matrix: NDArray, result: NDArray) -> None:
    for triangle in range(points.shape[0]):
        for corner in range(3):
            x, y, z = points[triangle, corner]
            for axis in range(3):
                row = matrix[axis]
                result[triangle, corner, axis] = row[0] * x + row[1] * y + row[2] * z + row[3]


@compiled
def _draw_all(
    soup: Soup,
    seen: NDArray,
    order: NDArray,
    holes: NDArray,
    focal_px: float,
    polygon: NDArray,
    hits: Hits,
) -> None:
    height, width = hits.shape
    for triangle in order:
        corners = _clip(seen[triangle], soup[triangle].uv, polygon)
        for corner in range(corners):
            inverse = 1 / polygon[corner, 2]
            polygon[corner, 0] = width / 2 + focal_px * polygon[corner, 0] * inverse
            polygon[corner, 1] = height / 2 + focal_px * polygon[corner, 1] * inverse
            polygon[corner, 2] = inverse
        for corner in range(1, corners - 1):
            _draw(soup, triangle, holes, hits, polygon[0], polygon[corner], polygon[corner + 1])


@inlined
def _clip(points: NDArray, uv: NDArray, polygon: NDArray) -> int:
    """Cut off what is nearer than NEAR_M; return how many corners are left."""
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
    soup: Soup,
    triangle: int,
    holes: NDArray,
    hits: Hits,
    first: NDArray,
    second: NDArray,
    third: NDArray,
) -> None:
    to_second, to_third, area = _planes(first, second, third)
    if abs(area) < 1e-6:
        return
    has_holes = is_cut_out(soup[triangle].material)
    layer = soup[triangle].layer
    height, width = hits.shape
    left, right = _span(first[0], second[0], third[0], width)
    top, bottom = _span(first[1], second[1], third[1], height)
    for row in range(top, bottom):
        for column in range(*_row_span(to_second, to_third, row, left, right)):
            b = to_second[0] * column + to_second[1] * row + to_second[2]
            c = to_third[0] * column + to_third[1] * row + to_third[2]
            a = 1 - b - c
            if a < 0 or b < 0 or c < 0:
                continue
            inverse = a * first[2] + b * second[2] + c * third[2]
            hit = hits[row, column]
            if inverse <= hit.inverse_depth:
                continue
            a, b, c = a * first[2] / inverse, b * second[2] / inverse, c * third[2] / inverse
            u = a * first[3] + b * second[3] + c * third[3]
            v = a * first[4] + b * second[4] + c * third[4]
            if has_holes and _is_hole(holes, layer, u, v):
                continue
            hit.inverse_depth, hit.triangle, hit.u, hit.v = inverse, triangle, u, v


@compiled
def _draw_depths(
    soup: Soup, seen: NDArray, holes: NDArray, depths: NDArray, nearest: NDArray
) -> None:
    size = depths.shape[0]
    for triangle in range(seen.shape[0]):
        material = soup[triangle].material
        if material in (GRASS, ROAD):
            continue  # flat ground throws no shadow
        first, second, third = seen[triangle]
        to_second, to_third, area = _planes(first, second, third)
        if abs(area) < 1e-6:
            continue
        has_holes, layer = is_cut_out(material), soup[triangle].layer
        uv = soup[triangle].uv
        left, right = _span(first[0], second[0], third[0], size)
        top, bottom = _span(first[1], second[1], third[1], size)
        for row in range(top, bottom):
            for column in range(*_row_span(to_second, to_third, row, left, right)):
                b = to_second[0] * column + to_second[1] * row + to_second[2]
                c = to_third[0] * column + to_third[1] * row + to_third[2]
                a = 1 - b - c
                if a < 0 or b < 0 or c < 0:
                    continue
                depth = a * first[2] + b * second[2] + c * third[2]
                if depth >= depths[row, column]:
                    continue
                if has_holes:
                    u = a * uv[0, 0] + b * uv[1, 0] + c * uv[2, 0]
                    v = a * uv[0, 1] + b * uv[1, 1] + c * uv[2, 1]
                    if _is_hole(holes, layer, u, v):
                        continue
                depths[row, column] = depth
                _lower(nearest, row, column, size - 1, depth)


@inlined
def _lower(nearest: NDArray, row: int, column: int, last: int, depth: float) -> None:
    """Bring the blocks that a pixel is in or beside down to its depth."""
    for block_row in range(max(row - 1, 0) // BLOCK_PX, min(row + 1, last) // BLOCK_PX + 1):
        first, end = max(column - 1, 0) // BLOCK_PX, min(column + 1, last) // BLOCK_PX + 1
        for block_column in range(first, end):
            if depth < nearest[block_row, block_column]:
                nearest[block_row, block_column] = depth


@inlined
def _planes(first: NDArray, second: NDArray, third: NDArray) -> tuple[Weights, Weights, float]:
    """
    Return the weights of the second and third corner and twice the area.

    A weight at the middle of the pixel (column, row) is w[0] * column + w[1] * row + w[2].
    """
    x, y = float(first[0]), float(first[1])
    second_x, second_y = second[0] - x, second[1] - y
    third_x, third_y = third[0] - x, third[1] - y
    area = second_x * third_y - third_x * second_y
    per_area = 1 / area if area != 0 else 0.0
    x, y = x - 0.5, y - 0.5
    column, row = third_y * per_area, -third_x * per_area
    to_second = (column, row, -column * x - row * y)
    column, row = -second_y * per_area, second_x * per_area
    return to_second, (column, row, -column * x - row * y), area


@inlined
def _span(first: float, second: float, third: float, size: int) -> tuple[int, int]:
    """Return the range of pixels that three corners can touch."""
    low, high = min(first, second, third), max(first, second, third)
    return int(max(0.0, math.floor(low))), int(min(float(size), math.ceil(high) + 1))


@inlined
def _row_span(
    to_second: Weights, to_third: Weights, row: int, left: int, right: int
) -> tuple[int, int]:
    """Return the part of a row in which no weight is below zero, and a pixel more."""
    b, c = to_second[1] * row + to_second[2], to_third[1] * row + to_third[2]
    first, last = float(left), float(right - 1)
    for slope, start in (
        (to_second[0], b),
        (to_third[0], c),
        (-to_second[0] - to_third[0], 1 - b - c),
    ):
        if slope > 0:
            first = max(first, -start / slope - 1)
        elif slope < 0:
            last = min(last, -start / slope + 1)
    return int(first), int(last) + 1


@inlined
def _is_hole(holes: NDArray, layer: int, u: float, v: float) -> bool:
    size = holes.shape[1]
    column, row = int((u - math.floor(u)) * size), int((v - math.floor(v)) * size)
    return holes[layer, min(row, size - 1), min(column, size - 1)] < _MASK_FROM
