"""
Decoding of semi-planar images: nv12, nv21 and nv24, with the luma plane before the chroma plane.

sensor_msgs names these encodings, and the driver of libcamera sends them; cv_bridge refuses them.
"""

from __future__ import annotations

import cv2
from husky_placerec.types import Pixels
import numpy as np

# Chroma with half the rows and columns of luma.
_HALVED = {'nv12': cv2.COLOR_YUV2RGB_NV12, 'nv21': cv2.COLOR_YUV2RGB_NV21}
SEMI_PLANAR = (*_HALVED, 'nv24')
# ITU-R BT.601, 16 to 235, as OpenCV converts; rows R, G, B; columns Y, Cb, Cr and 1.
_SCALES = np.array([[1.164, 0.0, 1.596], [1.164, -0.391, -0.813], [1.164, 2.018, 0.0]])
_RGB_OF_YCC = np.hstack([_SCALES, _SCALES @ [[-16.0], [-128.0], [-128.0]]])


def semi_planar_size(encoding: str, height: int, step: int) -> int:
    """Return the number of bytes of both planes."""
    return height * step * 3 if encoding == 'nv24' else height * step * 3 // 2


def decode_semi_planar(encoding: str, data: Pixels, height: int, width: int, step: int) -> Pixels:
    """
    Return [H, W, 3] RGB.

    :param data: bytes, at least `semi_planar_size`.
    :param step: bytes from one luma row to the next.
    :raises cv2.error: for an odd size.
    """
    luma = data[: height * step].reshape(height, step)[:, :width]
    colour = data[height * step : semi_planar_size(encoding, height, step)]
    if encoding in _HALVED:  # one chroma row, Cb and Cr in turn, for two luma rows
        chroma = colour[: height // 2 * step].reshape(height // 2, step)[:, :width]
        return np.asarray(cv2.cvtColor(np.vstack([luma, chroma]), _HALVED[encoding]), np.uint8)
    chroma = colour.reshape(height, 2 * step)[:, : 2 * width].reshape(height, width, 2)
    lifted = np.maximum(luma, 16)  # values below black are black
    return np.asarray(cv2.transform(np.dstack([lifted, chroma]), _RGB_OF_YCC), np.uint8)
