"""The ground truth of a picture: the class of each pixel and the visible signs."""

from __future__ import annotations

from collections.abc import Mapping

from husky_placerec.cameras.intrinsics import Intrinsics
from husky_placerec.campus import labels
from husky_placerec.campus.camera import affine, Camera
from husky_placerec.campus.mesh import Mesh
from husky_placerec.campus.numeric import compiled
from husky_placerec.campus.picture import Mask, VisibleSign
from husky_placerec.campus.rasterizer import Hits
from husky_placerec.campus.signs import letter_share, Sign
import numpy as np
from numpy.typing import NDArray

_LEAST_PX = 60
_WHOLE = 0.9  # share of the pixels of a whole sign that are seen; the border pixels vary


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
    seen: NDArray[np.int64],
    mask: Mask,
    signs: Mapping[int, Sign],
    camera: Camera,
    lens: Intrinsics,
) -> tuple[VisibleSign, ...]:
    """
    Return the signs that cover at least _LEAST_PX pixels, in the order of their object numbers.

    :param seen: [H, W], as `things_of` gives it.
    :param signs: by object number.
    :param lens: of the camera, upright.
    """
    pixels_of_signs = np.flatnonzero(mask == labels.BILLBOARD)  # faster than nonzero
    rows, columns = np.divmod(pixels_of_signs, mask.shape[1])
    things = seen[rows, columns]
    found = []
    for thing, pixels in zip(*np.unique(things, return_counts=True), strict=True):
        if pixels < _LEAST_PX or int(thing) not in signs:
            continue
        x, y = columns[things == thing], rows[things == thing]
        box = (int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1)
        found.append(_visible(signs[int(thing)], box, int(pixels), camera, lens))
    return tuple(found)


def _visible(
    sign: Sign, box: tuple[int, int, int, int], pixels: int, camera: Camera, lens: Intrinsics
) -> VisibleSign:
    face = sign.face_towards(camera.position)
    if face is None:  # seen by a pixel at its very edge
        return VisibleSign(sign.text, box, None, 0.0, False)
    axes = affine([camera.right, camera.down, camera.ahead], np.array(camera.position))
    corners = lens.project(face @ axes[:, :3].T + axes[:, 3])
    if not np.isfinite(corners).all():
        return VisibleSign(sign.text, box, None, 0.0, False)
    left, right = np.linalg.norm(corners[3] - corners[0]), np.linalg.norm(corners[2] - corners[1])
    size = np.array([lens.width, lens.height])
    x, y = corners.T
    area = abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
    inside = bool(((corners >= 0) & (corners <= size)).all())
    return VisibleSign(
        sign.text,
        box,
        tuple((float(x), float(y)) for x, y in corners),
        letter_share(sign.text) * float(left + right) / 2,
        inside and pixels >= _WHOLE * area,
    )


@compiled
def _classify(mesh: Mesh, hits: Hits, mask: Mask) -> None:
    for row in range(hits.shape[0]):
        for column in range(hits.shape[1]):
            triangle = hits[row, column].triangle
            if triangle >= 0:
                mask[row, column] = mesh[triangle].label
