"""The surface point that a pixel shows, in plain numbers for shading."""

from __future__ import annotations

from typing import NamedTuple

from husky_placerec.campus.materials import is_cut_out
from husky_placerec.campus.mesh import Mesh
from husky_placerec.campus.numeric import Colour, dot, inlined, scaled, three
from husky_placerec.campus.rasterizer import Hit


class SurfacePoint(NamedTuple):
    """A point on a surface, in plain numbers, which avoid reference counting of arrays."""

    material: int
    thing: int
    layer: int
    columns: int  # windows across; the next: windows up
    rows: int
    tint: Colour
    normal: Colour  # unit vector that points to the side of the camera
    u: float
    v: float
    point: Colour  # in the map frame, metres
    towards: Colour  # unit vector to the camera
    above_m: float  # height above the ground


@inlined
def surface_point_at(mesh: Mesh, hit: Hit, point: Colour, towards: Colour) -> SurfacePoint:
    """Return the surface point of a pixel that shows a triangle."""
    surface = mesh[hit.triangle]
    normal = three(surface.normal)
    if not is_cut_out(surface.material) and dot(normal, towards) < 0:
        normal = scaled(normal, -1.0)
    return SurfacePoint(
        surface.material,
        surface.thing,
        surface.layer,
        surface.columns,
        surface.rows,
        three(surface.tint),
        normal,
        float(hit.u),
        float(hit.v),
        point,
        towards,
        point[2] - float(surface.foot),
    )
