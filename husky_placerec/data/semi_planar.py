"""
Images whose brightness comes first and whose colour comes behind it: nv12, nv21 and nv24.

sensor_msgs names them and libcamera's driver sends them; cv_bridge refuses them.
"""

from __future__ import annotations

import cv2
from husky_placerec.types import Pixels
import numpy as np

# Half as many rows and columns of colour as of brightness.
_HALVED = {'nv12': cv2.COLOR_YUV2RGB_NV12, 'nv21': cv2.COLOR_YUV2RGB_NV21}
SEMI_PLANAR = (*_HALVED, 'nv24')
# ITU-R BT.601 of 16 to 235, as OpenCV's own conversions; rows R, G, B of Y, Cb, Cr and one.
_SCALES = np.array([[1.164, 0.0, 1.596], [1.164, -0.391, -0.813], [1.164, 2.018, 0.0]])
_RGB_OF_YCC = np.hstack([_SCALES, _SCALES @ [[-16.0], [-128.0], [-128.0]]])


def semi_planar_size(encoding: str, height: int, step: int) -> int:
    """Return the bytes of an image, of brightness and colour."""
    return height * step * 3 if encoding == 'nv24' else height * step * 3 // 2


def decode_semi_planar(encoding: str, data: Pixels, height: int, width: int, step: int) -> Pixels:
    """
    Return [H, W, 3] RGB.

    :param data: bytes, at least `semi_planar_size`.
    :param step: bytes from a row of brightness to the next.
    :raises cv2.error: for a size that has no halves.
    """
    luma = data[: height * step].reshape(height, step)[:, :width]
    colour = data[height * step : semi_planar_size(encoding, height, step)]
    if encoding in _HALVED:  # a row of colour, Cb and Cr in turn, for two of brightness
        chroma = colour[: height // 2 * step].reshape(height // 2, step)[:, :width]
        return np.asarray(cv2.cvtColor(np.vstack([luma, chroma]), _HALVED[encoding]), np.uint8)
    chroma = colour.reshape(height, 2 * step)[:, : 2 * width].reshape(height, width, 2)
    lifted = np.maximum(luma, 16)  # what is blacker than black is black
    return np.asarray(cv2.transform(np.dstack([lifted, chroma]), _RGB_OF_YCC), np.uint8)
