"""The pixels that a triangle covers, and the barycentric weights of its corners."""

from __future__ import annotations

import math

from husky_placerec.campus.mesh import Mesh
from husky_placerec.campus.numeric import compiled, inlined
import numpy as np
from numpy.typing import NDArray

_MASK_FROM = 115  # of 255; a cut-out is transparent below

Plane = tuple[float, float, float]  # coefficients of column, row and 1
Weights = tuple[float, float, float]  # barycentric, of the corners of a triangle


def transformed(mesh: Mesh, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the [T, 3, 3] corners of T triangles after a [3, 4] affine map."""
    result = np.empty((len(mesh), 3, 3), np.float32)
    _transform(mesh['points'], matrix, result)
    return result


@compiled
def _transform(points: NDArray, matrix: NDArray, result: NDArray) -> None:
    for triangle in range(points.shape[0]):
        for corner in range(3):
            x, y, z = points[triangle, corner]
            for axis in range(3):
                row = matrix[axis]
                result[triangle, corner, axis] = row[0] * x + row[1] * y + row[2] * z + row[3]


@inlined
def planes(first: NDArray, second: NDArray, third: NDArray) -> tuple[Plane, Plane, float]:
    """
    Return the weights of the second and third corner as planes, and twice the signed area.

    The weight at the centre of a pixel is `w[0] * column + w[1] * row + w[2]`.
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
def weights(to_second: Plane, to_third: Plane, row: int, column: int) -> Weights:
    """Return the weights of the three corners at the centre of a pixel."""
    b = to_second[0] * column + to_second[1] * row + to_second[2]
    c = to_third[0] * column + to_third[1] * row + to_third[2]
    return 1 - b - c, b, c


@inlined
def span(first: float, second: float, third: float, size: int) -> tuple[int, int]:
    """Return the pixels, first and end, that three coordinates span, clipped to the image."""
    low, high = float(min(first, second, third)), float(max(first, second, third))
    return int(max(0.0, math.floor(low))), int(min(float(size), math.ceil(high) + 1))


@inlined
def row_span(
    to_second: Plane, to_third: Plane, row: int, left: int, right: int
) -> tuple[int, int]:
    """Return the pixels of a row, first and end, without negative weights, plus a margin of 1."""
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
def is_hole(holes: NDArray, layer: int, u: float, v: float) -> bool:
    """Tell whether the texture of a cut-out is transparent at (u, v)."""
    size = holes.shape[1]
    column, row = int((u - math.floor(u)) * size), int((v - math.floor(v)) * size)
    return holes[layer, min(row, size - 1), min(column, size - 1)] < _MASK_FROM
