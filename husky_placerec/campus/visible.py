"""The ground truth of a picture: the class of each pixel and the visible signs."""

from __future__ import annotations

from collections.abc import Mapping

from husky_placerec.campus import labels
from husky_placerec.campus.mesh import Mesh
from husky_placerec.campus.numeric import compiled
from husky_placerec.campus.picture import Mask, VisibleSign
from husky_placerec.campus.rasterizer import Hits
import numpy as np
from numpy.typing import NDArray

_LEAST_PX = 60


def mask_of(mesh: Mesh, hits: Hits) -> Mask:
    """Return [H, W] the class of each pixel."""
    mask = np.full(hits.shape, labels.SKY, np.uint8)
    _classify(mesh, hits, mask)
    return mask


def things_of(mesh: Mesh, hits: Hits, mask: Mask) -> NDArray[np.int64]:
    """Return [H, W] the object number of each pixel of a sign, -1 elsewhere."""
    things = np.full(mask.shape, -1, np.int64)
    is_sign = mask == labels.BILLBOARD
    things[is_sign] = mesh['thing'][hits['triangle'][is_sign]]
    return things


def visible_signs(
    seen: NDArray[np.int64], mask: Mask, texts: Mapping[int, str]
) -> tuple[VisibleSign, ...]:
    """
    Return the signs that cover at least _LEAST_PX pixels, in the order of their object numbers.

    :param seen: [H, W], as `things_of` gives it.
    :param texts: texts of the signs by object number.
    """
    pixels_of_signs = np.flatnonzero(mask == labels.BILLBOARD)  # faster than nonzero
    rows, columns = np.divmod(pixels_of_signs, mask.shape[1])
    things = seen[rows, columns]
    signs = []
    for thing, pixels in zip(*np.unique(things, return_counts=True), strict=True):
        if pixels < _LEAST_PX or int(thing) not in texts:
            continue
        x, y = columns[things == thing], rows[things == thing]
        box = (int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1)
        signs.append(VisibleSign(texts[int(thing)], box))
    return tuple(signs)


@compiled
def _classify(mesh: Mesh, hits: Hits, mask: Mask) -> None:
    for row in range(hits.shape[0]):
        for column in range(hits.shape[1]):
            triangle = hits[row, column].triangle
            if triangle >= 0:
                mask[row, column] = mesh[triangle].label
