"""What one pixel shows, gathered once so that shading works on plain numbers."""

from __future__ import annotations

from typing import NamedTuple

from husky_placerec.campus.materials import is_cut_out
from husky_placerec.campus.numeric import Colour, dot, inlined, scaled, three
from husky_placerec.campus.rasterizer import Hit
from husky_placerec.campus.soup import Soup


class Spot(NamedTuple):
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
def spot_at(soup: Soup, hit: Hit, point: Colour, towards: Colour) -> Spot:
    """Return what is seen at a pixel that shows a triangle."""
    surface = soup[hit.triangle]
    normal = three(surface.normal)
    if not is_cut_out(surface.material) and dot(normal, towards) < 0:
        normal = scaled(normal, -1.0)
    return Spot(
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
