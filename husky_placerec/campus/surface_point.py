"""What one pixel shows, gathered once so that shading works on plain numbers."""

from __future__ import annotations

from typing import NamedTuple

from husky_placerec.campus.materials import is_cut_out
from husky_placerec.campus.mesh import Mesh
from husky_placerec.campus.numeric import Colour, dot, inlined, scaled, three
from husky_placerec.campus.rasterizer import Hit


class SurfacePoint(NamedTuple):
    """A point on a surface, in plain numbers: to count references to arrays would cost more."""

    material: int
    thing: int
    layer: int
    columns: int  # windows across and up in its texture
    rows: int
    tint: Colour
    normal: Colour  # on the camera's side
    u: float
    v: float
    point: Colour  # metres, in the world
    towards: Colour  # unit vector to the camera
    above_m: float  # the ground


@inlined
def surface_point_at(mesh: Mesh, hit: Hit, point: Colour, towards: Colour) -> SurfacePoint:
    """Return what is seen at a pixel that shows a triangle."""
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
