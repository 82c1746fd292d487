"""
The model of a camera: focal lengths, principal point, distortion and image size.

The distortion models are those of ROS (`sensor_msgs/CameraInfo`) and OpenCV: `plumb_bob` (k1 k2 p1
p2 k3), `rational_polynomial` (k1 k2 p1 p2 k3 k4 k5 k6), and `equidistant` (k1 k2 k3 k4), which
OpenCV calls fisheye.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
import math

from husky_placerec.errors import InputError
from husky_placerec.types import Floats, Mask
import numpy as np

PLUMB_BOB, RATIONAL, EQUIDISTANT = 'plumb_bob', 'rational_polynomial', 'equidistant'
# The numbers of coefficients that each model may have.
COEFFICIENTS = {PLUMB_BOB: (0, 4, 5), RATIONAL: (0, 8), EQUIDISTANT: (4,)}
STEEPEST = math.radians(89.0)  # from the optical axis; a pinhole model sees no further


@dataclass(frozen=True)
class Intrinsics:
    """
    Intrinsics of a camera, in pixels of images of `width` x `height`.

    Integer coordinates are the edges of pixels: the middle of an image is at half its size. For
    ROS and OpenCV, 0 is the middle of the first pixel, so that their principal point is half a
    pixel less.

    :param model: `plumb_bob`, `rational_polynomial` or `equidistant`.
    :param distortion: coefficients in the order of OpenCV; empty: none.
    :param turns: quarter turns, counterclockwise, that bring an image of the camera upright.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    width: int
    height: int
    model: str = PLUMB_BOB
    distortion: tuple[float, ...] = ()
    turns: int = 0

    @property
    def is_straight(self) -> bool:
        """Whether straight lines stay straight: a pinhole without distortion."""
        return self.model != EQUIDISTANT and not any(self.distortion)

    @property
    def upright(self) -> Intrinsics:
        """The intrinsics of the upright image; only for a camera without distortion."""
        fx, fy, cx, cy, width, height = (
            self.fx,
            self.fy,
            self.cx,
            self.cy,
            self.width,
            self.height,
        )
        for _ in range(self.turns % 4):
            fx, fy, cx, cy, width, height = fy, fx, cy, width - cx, height, width
        return Intrinsics(fx, fy, cx, cy, width, height)

    def scaled(self, width: int, height: int) -> Intrinsics:
        """Return the intrinsics of the same images, resized to another width and height."""
        across, down = width / self.width, height / self.height
        return replace(
            self,
            fx=self.fx * across,
            fy=self.fy * down,
            cx=self.cx * across,
            cy=self.cy * down,
            width=width,
            height=height,
        )

    def rays(self) -> Floats:
        """Return [height, width, 3] rays through the pixels; only without distortion."""
        right = (np.arange(self.width) + 0.5 - self.cx) / self.fx
        down = (np.arange(self.height) + 0.5 - self.cy) / self.fy
        x, y = np.meshgrid(right, down)
        return np.stack([x, y, np.ones_like(x)], axis=-1)

    def project(self, rays: Floats) -> Floats:
        """
        Return the pixels [..., 2] of rays.

        :param rays: [..., 3] in the upright camera: x right, y down, z ahead.
        :return: x and y; NaN for a ray that the model does not cover.
        """
        x, y, z = np.moveaxis(np.asarray(rays, np.float64) @ turned(self.turns), -1, 0)
        radius, steepest = np.hypot(x, y), _steepest(self.model, self.distortion)
        angle = np.arctan2(radius, z)
        with np.errstate(divide='ignore', invalid='ignore'):
            if self.model == EQUIDISTANT:
                scale = np.where(radius > 0, _fisheye(angle, self.distortion) / radius, 1.0)
                x, y = x * scale, y * scale
            else:
                x, y = _bent(x / z, y / z, self.distortion)
        pixels = np.stack([self.fx * x + self.cx, self.fy * y + self.cy], axis=-1)
        pixels[angle > steepest] = np.nan
        return pixels

    def sees(self, rays: Floats) -> Mask:
        """Return [...] which of the rays [..., 3] reach the image."""
        x, y = np.moveaxis(self.project(rays), -1, 0)
        with np.errstate(invalid='ignore'):
            inside = (x >= 0) & (x <= self.width) & (y >= 0) & (y <= self.height)
        return np.asarray(inside, np.bool_)

    @property
    def field_of_view_deg(self) -> float:
        """The horizontal field of view of the upright image, in degrees."""
        angles = np.radians(np.arange(0.0, 180.0, 0.25))
        widest = 0.0
        for side in (-1.0, 1.0):
            rays = np.stack([side * np.sin(angles), 0 * angles, np.cos(angles)], axis=-1)
            seen = self.sees(rays)
            widest += math.degrees(angles[seen.argmin() - 1 if not seen.all() else -1])
        return widest

    @property
    def border_shift(self) -> float:
        """The largest shift of a border pixel by the distortion, in widths of the image."""
        x, y = np.linspace(0, self.width, 33), np.linspace(0, self.height, 33)
        sides = [(x, 0 * y), (x, 0 * y + self.height), (0 * x, y), (0 * x + self.width, y)]
        straight = np.concatenate([np.stack(side, axis=-1) for side in sides])
        right = (straight[:, 0] - self.cx) / self.fx
        down = (straight[:, 1] - self.cy) / self.fy
        rays = np.stack([right, down, np.ones_like(right)], axis=-1)
        shift = replace(self, turns=0).project(rays) - straight
        shift = np.linalg.norm(shift, axis=-1) / self.width
        return float(np.nan_to_num(shift, nan=1.0).max())


def turned(turns: int) -> Floats:
    """Return [3, 3]: rays as rows in the upright camera times it are rays of the camera itself."""
    # A quarter turn, counterclockwise: what is at the right of the image comes to its upper edge.
    quarter = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    return np.asarray(np.linalg.matrix_power(quarter, turns % 4))


def checked(lens: Intrinsics, source: str) -> Intrinsics:
    """
    Return intrinsics that can be used.

    :param source: what they were read from, for the message.
    :raises InputError: for a focal length, a size, a model or coefficients that cannot be.
    """
    for name in ('fx', 'fy'):
        value = getattr(lens, name)
        if not (math.isfinite(value) and value > 0):
            raise InputError(f'{source}: focal length {name} is {value:g}; expected more than 0')
    if not (math.isfinite(lens.cx) and math.isfinite(lens.cy)):
        raise InputError(
            f'{source}: principal point is {lens.cx:g}, {lens.cy:g}; expected numbers'
        )
    if lens.width <= 0 or lens.height <= 0:
        raise InputError(f'{source}: size is {lens.width}x{lens.height}; expected more than 0')
    if lens.model not in COEFFICIENTS:
        known = ', '.join(COEFFICIENTS)
        raise InputError(f'{source}: distortion model is {lens.model!r}; expected one of {known}')
    counts = COEFFICIENTS[lens.model]
    if len(lens.distortion) not in counts:
        expected = ' or '.join(map(str, counts))
        raise InputError(
            f'{source}: {len(lens.distortion)} coefficients of {lens.model}; expected {expected}'
        )
    if not all(map(math.isfinite, lens.distortion)):
        raise InputError(f'{source}: a coefficient of distortion is not finite')
    return lens


def _bent(x: Floats, y: Floats, coefficients: tuple[float, ...]) -> tuple[Floats, Floats]:
    """Return where plumb_bob and rational_polynomial move points of the plane one metre ahead."""
    k1, k2, p1, p2, k3, k4, k5, k6 = (*coefficients, *[0.0] * (8 - len(coefficients)))
    r2 = x * x + y * y
    radial = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
    across = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
    down = y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
    return across, down


def _fisheye(angle: Floats, coefficients: tuple[float, ...]) -> Floats:
    k1, k2, k3, k4 = coefficients
    a2 = angle * angle
    return np.asarray(angle * (1 + a2 * (k1 + a2 * (k2 + a2 * (k3 + a2 * k4)))))


@lru_cache(maxsize=32)
def _steepest(model: str, coefficients: tuple[float, ...]) -> float:
    """Return the angle up to which the radius in the image grows; beyond, the model folds back."""
    angles = np.linspace(0, math.pi if model == EQUIDISTANT else STEEPEST, 2000)
    if model == EQUIDISTANT:
        radius = _fisheye(angles, coefficients)
    else:
        radial = (*coefficients, *[0.0] * (8 - len(coefficients)))
        radial = (*radial[:2], 0.0, 0.0, *radial[4:])  # the tangential part is small
        radius, _ = _bent(np.tan(angles), 0 * angles, radial)
    falls = np.flatnonzero(np.diff(radius) <= 0)
    return float(angles[falls[0]] if len(falls) else angles[-1])
