"""Which signs a picture shows, what they say and where."""

from __future__ import annotations

from collections.abc import Mapping

from husky_placerec.campus import labels
from husky_placerec.campus.picture import Mask, VisibleSign
from husky_placerec.campus.rasterizer import Hits
from husky_placerec.campus.soup import Soup
import numpy as np

_LEAST_PX = 60


def visible_signs(
    soup: Soup, hits: Hits, mask: Mask, texts: Mapping[int, str]
) -> tuple[VisibleSign, ...]:
    """
    Return the signs that cover enough pixels, by the number of their object.

    :param texts: what a sign says, by the number of its object.
    """
    rows, columns = np.nonzero(mask == labels.BILLBOARD)
    things = soup['thing'][hits['triangle'][rows, columns]]
    signs = []
    for thing, pixels in zip(*np.unique(things, return_counts=True), strict=True):
        if pixels < _LEAST_PX or int(thing) not in texts:
            continue
        x, y = columns[things == thing], rows[things == thing]
        box = (int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1)
        signs.append(VisibleSign(texts[int(thing)], box))
    return tuple(signs)
