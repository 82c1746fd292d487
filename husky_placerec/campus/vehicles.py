"""Models of cars, vans and lorries, at the origin, with their front along x."""

from __future__ import annotations

from husky_placerec.campus import labels
from husky_placerec.campus.materials import EMITTER
from husky_placerec.campus.mesh import Frame2D, Look, Mesh, MeshBuilder
from husky_placerec.campus.numeric import Colour
import numpy as np

PAINTS = np.array(
    [
        (0.75, 0.75, 0.77), (0.9, 0.9, 0.9), (0.08, 0.08, 0.09), (0.55, 0.05, 0.05),
        (0.1, 0.18, 0.45), (0.35, 0.36, 0.38), (0.1, 0.3, 0.2), (0.75, 0.55, 0.1),
    ],
    np.float32,
)  # fmt: skip
_PAINT_HERE: Colour = (-1.0, -1.0, -1.0)  # the paint of the vehicle replaces a negative tint
_GLASS, _TYRE = (0.1, 0.13, 0.16), (0.07, 0.07, 0.08)
_HEADLIGHT, _TAIL_LIGHT = (1.0, 0.95, 0.8), (0.9, 0.08, 0.05)
_HERE = Frame2D(0, 0, 0)


def car_models(white: int) -> dict[str, Mesh]:
    """Return a model of each kind by name; `white` is the layer of the white texture."""
    return {'car': _car(white, van=False), 'van': _car(white, van=True), 'lorry': _lorry(white)}


def _car(white: int, van: bool) -> Mesh:
    builder, scale = MeshBuilder(), 1.25 if van else 1.0
    length, width, body_top = 4.3 * scale, 1.8 * scale, 0.35 + 0.55 * scale
    label = labels.TRUCK if van else labels.CAR
    body, glass, tyre = (Look(white, label, tint=tint) for tint in (_PAINT_HERE, _GLASS, _TYRE))
    builder.box(_HERE, (length, width, 0.55 * scale), body, z=0.35)
    cabin = (length * (0.96 if van else 0.62), width * 0.95, 0.6 * scale)
    middle = _HERE if van else _HERE.moved(-0.25, 0)
    builder.box(middle, cabin, glass, z=body_top, top=body, taper=0.8)
    _add_wheels(builder, (0.31 * length, -0.31 * length), 0.47 * width, tyre, 0.62)
    _add_lamps(builder, length, 0.36 * width, white, label)
    return builder.mesh()


def _lorry(white: int) -> Mesh:
    """Return a lorry of 7.6 m length: a cab and a tall box."""
    builder, length, width = MeshBuilder(), 7.6, 2.4
    label = labels.TRUCK
    body, glass, tyre = (Look(white, label, tint=tint) for tint in (_PAINT_HERE, _GLASS, _TYRE))
    builder.box(_HERE.moved(-0.9, 0), (5.8, width, 2.6), body, z=0.95)
    cab = _HERE.moved(length / 2 - 0.85, 0)
    builder.box(cab, (1.7, width * 0.95, 1.1), body, z=0.5)
    builder.box(cab, (1.7, width * 0.95, 0.9), glass, z=1.6, top=body, taper=0.85)
    _add_wheels(builder, (2.7, -1.6, -2.8), 0.46 * width, tyre, 0.95)
    _add_lamps(builder, length, 0.38 * width, white, label)
    return builder.mesh()


def _add_wheels(
    builder: MeshBuilder, ahead_m: tuple[float, ...], left_m: float, tyre: Look, height_m: float
) -> None:
    for side in (-1, 1):
        for ahead in ahead_m:
            wheel = _HERE.moved(ahead, side * left_m)
            builder.box(wheel, (1.06 * height_m, 0.2, height_m), tyre)


def _add_lamps(
    builder: MeshBuilder, length_m: float, left_m: float, white: int, label: int
) -> None:
    headlight, tail_light = (
        Look(white, label, EMITTER, tint) for tint in (_HEADLIGHT, _TAIL_LIGHT)
    )
    size = (0.08, 0.35, 0.18)
    for side in (-1, 1):
        builder.box(_HERE.moved(length_m / 2, side * left_m), size, headlight, z=0.55)
        builder.box(_HERE.moved(-length_m / 2, side * left_m), size, tail_light, z=0.6)
