"""Key points of an image with a descriptor each, by OpenCV's SIFT or any network as ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
from husky_placerec.descriptor.fusion import normalize
from husky_placerec.errors import InputError
from husky_placerec.types import FloatArray, Indices, Mask, Pixels
import numpy as np
import onnxruntime

COUNT = 256  # most key points of an image
LEAST_CONTRAST = 0.01  # of SIFT; the usual 0.04 leaves few key points of an image at night
LEAST_SCORE = 0.05  # of a network's key point, as published for XFeat
APART = 5  # pixels: the window in which only the best key point of a network stays
DESCRIPTORS, SCORES = 'descriptors', 'scores'  # outputs of a network


@dataclass(frozen=True, eq=False)
class KeyPoints:
    """
    The key points of an image.

    :param positions: [N, 2] to the right and down, in pixels.
    :param descriptors: [N, D] unit vectors.
    """

    positions: FloatArray
    descriptors: FloatArray

    def __len__(self) -> int:
        return len(self.positions)

    @classmethod
    def none(cls) -> KeyPoints:
        """Return those of an image without features."""
        return cls(np.zeros((0, 2), np.float32), np.zeros((0, 1), np.float32))


class RootSift:
    """
    SIFT, whose descriptors are compared by Hellinger's kernel.

    Sources: Lowe, Distinctive Image Features from Scale-Invariant Keypoints, IJCV 2004;
    Arandjelovic and Zisserman, Three things everyone should know to improve object retrieval,
    CVPR 2012.

    :param count: most key points of an image.
    """

    def __init__(self, count: int = COUNT) -> None:
        self.count = count
        self._detector = cv2.SIFT.create(count, contrastThreshold=LEAST_CONTRAST)

    def __call__(self, image: Pixels) -> KeyPoints:
        """Return the key points of an RGB image."""
        grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
        points, found = self._detector.detectAndCompute(grey, None)
        if found is None:
            return KeyPoints.none()
        # OpenCV may return a few more than asked for, where several are equally strong.
        positions = np.array([each.pt for each in points[: self.count]], np.float32)
        sums = np.maximum(found.sum(axis=1, keepdims=True), 1e-6)
        return KeyPoints(positions, normalize(np.sqrt(found / sums))[: self.count])


class KeyPointNetwork:
    """
    A network of key points as an ONNX file, such as XFeat or SuperPoint.

    Its input is [1, H, W, 3] RGB uint8. Its outputs are `scores` [1, H, W], how much each pixel is
    a key point, and `descriptors` [1, C, h, w] on a coarser grid, which are interpolated.

    Sources: Potje et al., XFeat: Accelerated Features for Lightweight Image Matching, CVPR 2024;
    DeTone et al., SuperPoint: Self-Supervised Interest Point Detection and Description, CVPRW
    2018.

    :param count: most key points of an image.
    :raises InputError: for a file that is missing, or no such network.
    """

    def __init__(self, path: Path, count: int = COUNT, *, threads: int = 1) -> None:
        self.count = count
        if not path.is_file():
            raise InputError(f'{path}: no such file; expected a network of key points as ONNX')
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        try:
            self._session = onnxruntime.InferenceSession(
                path.read_bytes(), options, providers=['CPUExecutionProvider']
            )
        except Exception as error:  # ONNX Runtime raises many kinds
            raise InputError(f'{path}: not a network as ONNX ({error!r})') from error
        outputs = {each.name for each in self._session.get_outputs()}
        if not {DESCRIPTORS, SCORES} <= outputs:
            raise InputError(
                f'{path}: has the outputs {", ".join(sorted(outputs))}; expected '
                f'{DESCRIPTORS} and {SCORES}'
            )
        self._input = self._session.get_inputs()[0].name

    @cached_property
    def size(self) -> int:
        """The length of a descriptor."""
        (shape,) = [o.shape for o in self._session.get_outputs() if o.name == DESCRIPTORS]
        return int(shape[1])

    def __call__(self, image: Pixels) -> KeyPoints:
        """
        Return the key points of an RGB image.

        :raises InputError: for an image whose size the network does not take.
        """
        try:
            found = self._session.run([DESCRIPTORS, SCORES], {self._input: image[None]})
        except Exception as error:  # ONNX Runtime raises many kinds
            height, width = image.shape[:2]
            raise InputError(f'key points of a {width}x{height} image: {error}') from error
        grid, scores = found[0][0].transpose(1, 2, 0), found[1][0]
        right, down = strongest(scores, self.count)
        if not len(right):
            return KeyPoints.none()
        positions = np.column_stack([right, down]).astype(np.float32)
        descriptors = normalize(_interpolated(grid, positions, scores.shape))
        return KeyPoints(_between_pixels(scores, right, down), descriptors)


def strongest(scores: FloatArray, count: int) -> tuple[Indices, Indices]:
    """Return columns and rows of the best local maxima of [H, W] scores, the best first."""
    # A network gives equal scores everywhere in an image without features.
    best = cv2.dilate(scores, np.ones((APART, APART), np.uint8))
    down, right = np.nonzero((scores == best) & (scores > LEAST_SCORE) & ~_flat(scores))
    order = np.argsort(-scores[down, right], kind='stable')[:count]
    return right[order], down[order]


def _between_pixels(scores: FloatArray, right: Indices, down: Indices) -> FloatArray:
    """Return [N, 2] the centres of gravity of the scores of 3x3 pixels around maxima."""
    padded = np.pad(scores, 1)
    steps = [(across, along) for along in (0, 1, 2) for across in (0, 1, 2)]
    around = np.stack([padded[down + along, right + across] for across, along in steps])
    around /= around.sum(axis=0)
    off = np.array(steps, np.float32).T - 1
    return np.asarray(np.column_stack([right, down]) + (off @ around).T, np.float32)


def _flat(scores: FloatArray) -> Mask:
    """Return where the scores of a whole window are equal."""
    window = np.ones((APART, APART), np.uint8)
    return np.asarray(cv2.dilate(scores, window) == cv2.erode(scores, window))


def _interpolated(grid: FloatArray, positions: FloatArray, shape: Sequence[int]) -> FloatArray:
    """Return [N, C] of a grid [h, w, C] at positions in an image of a shape, bilinearly."""
    rows, columns = grid.shape[:2]
    right = np.clip((positions[:, 0] + 0.5) * columns / shape[1] - 0.5, 0, columns - 1)
    down = np.clip((positions[:, 1] + 0.5) * rows / shape[0] - 0.5, 0, rows - 1)
    left, top = right.astype(np.int64), down.astype(np.int64)
    next_left, next_top = np.minimum(left + 1, columns - 1), np.minimum(top + 1, rows - 1)
    across, along = (right - left)[:, None], (down - top)[:, None]
    upper = grid[top, left] * (1 - across) + grid[top, next_left] * across
    lower = grid[next_top, left] * (1 - across) + grid[next_top, next_left] * across
    return np.asarray(upper * (1 - along) + lower * along, np.float32)
