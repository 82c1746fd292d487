"""The kinds of surface that the renderer distinguishes."""

from husky_placerec.campus.numeric import inlined

# Plain integers, not an Enum, because compiled code compares them for every pixel.
PLAIN, FACADE, LEAF, CONIFER, EMITTER, ROAD, SIGN, GRASS, CUTOUT = range(9)


@inlined
def is_cut_out(material: int) -> bool:
    """Tell whether the texture has transparent holes; such a surface has no front or back."""
    return material in (LEAF, CONIFER, CUTOUT)
