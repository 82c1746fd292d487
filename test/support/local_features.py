"""Local descriptors that tests make by hand: places that are seen on a grid of cells."""

from __future__ import annotations

from husky_placerec.descriptor.local.features import LocalFeatures
from husky_placerec.descriptor.local.network import quantized
from husky_placerec.descriptor.local.spec import LocalSpec
import numpy as np

ROWS, COLUMNS, SIZE = 4, 8, 16
MARGIN = 5  # cells around an image, into which it may look


def local_spec(**changes):
    values = {
        'weights': 'shipped',
        'weights_sha256': 'a' * 64,
        'branch': 'learned',
        'pinhole_focal': 0.0,
        'input_width': 384,
        'input_height': 224,
        'rows': ROWS,
        'columns': COLUMNS,
        'size': SIZE,
    }
    return LocalSpec(**{**values, **changes})


def grid(seed):
    """Return the features [rows, columns, SIZE] of a scene that is wider than an image."""
    shape = ROWS + 2 * MARGIN, COLUMNS + 2 * MARGIN, SIZE
    made = np.random.default_rng(seed).normal(size=shape)
    return (made / np.linalg.norm(made, axis=-1, keepdims=True)).astype(np.float32)


def looking(scene, right=0, down=0):
    """Return [cells, SIZE] of an image that looks at a scene, shifted by some cells."""
    rows = slice(MARGIN + down, MARGIN + down + ROWS)
    columns = slice(MARGIN + right, MARGIN + right + COLUMNS)
    return scene[rows, columns].reshape(-1, SIZE)


def seen_at(places, cameras=2):
    """Return [N, C, cells, SIZE] integers of places; each camera sees a scene of its own."""
    return quantized(
        np.array([[looking(grid(100 * c + place)) for c in range(cameras)] for place in places])
    )


def local_of(count, **changes):
    """Return the local descriptors of places 0 to count, of two cameras."""
    return LocalFeatures(local_spec(**changes), seen_at(range(count)))
