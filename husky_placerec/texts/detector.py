"""
Finding of signs by a text detector of PaddleOCR, which draws where writing is.

M. Liao et al., Real-time scene text detection with differentiable binarization, AAAI 2020. The
networks are in the wheel of `rapidocr` on PyPI; their recognisers know no Cyrillic, so that only
the boxes are used.
"""

from __future__ import annotations

from pathlib import Path

import cv2
from husky_placerec.errors import InputError
from husky_placerec.texts.ocr import MOST_SIGNS
from husky_placerec.texts.regions import in_reading_order
from husky_placerec.types import FloatArray, Floats, Pixels
import numpy as np
import onnxruntime

SIDE_PX = 736  # of the shorter side of the image that the network sees
MULTIPLE = 32
LEAST_PIXEL, LEAST_MEAN = 0.3, 0.5  # of the probability that a pixel, and a region, is text
UNCLIP = 1.6  # what the network draws lacks so many times its area over its border all around
LEAST_SIDE_PX = 3.0


class TextDetector:
    """
    Finds the texts of an image.

    :raises InputError: for a file that is no such network.
    """

    def __init__(self, file: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(
                str(file), options, providers=['CPUExecutionProvider']
            )
        except Exception as error:  # onnxruntime's errors have no common class
            raise InputError(f'text_detector: {file} cannot be loaded ({error})') from error
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].shape[1] != 3:
            found = ', '.join(f'{each.name} {each.shape}' for each in inputs)
            raise InputError(
                f'text_detector: {file} has the inputs {found}; expected one of [N, 3, H, W]'
            )
        self._input, self._file = inputs[0].name, file

    def find(self, image: Pixels) -> list[Floats]:
        """
        Return [4, 2] x y of the corners of each text, at most MOST_SIGNS.

        :param image: [H, W, 3] RGB.
        :raises InputError: for a network whose output is no map of the image.
        """
        height, width = image.shape[:2]
        drawn = self._drawn(image)
        scale = np.array([width / drawn.shape[1], height / drawn.shape[0]])
        # What is next to each other is one text, also across a gap of a pixel.
        there = cv2.dilate((drawn > LEAST_PIXEL).astype(np.uint8), np.ones((2, 2), np.uint8))
        outlines, _ = cv2.findContours(there, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        found = []
        for outline in sorted(outlines, key=cv2.contourArea, reverse=True)[: 4 * MOST_SIGNS]:
            (x, y), (across, down), angle = cv2.minAreaRect(outline)
            if min(across, down) < LEAST_SIDE_PX or _mean(drawn, outline) < LEAST_MEAN:
                continue
            grown = UNCLIP * across * down / (across + down)
            corners = cv2.boxPoints(((x + 0.5, y + 0.5), (across + grown, down + grown), angle))
            found.append(in_reading_order(corners.astype(np.float64)) * scale)
        return found[:MOST_SIGNS]

    def _drawn(self, image: Pixels) -> FloatArray:
        """Return [h, w] the probability that a pixel is text, in the size of the network."""
        height, width = image.shape[:2]
        scale = SIDE_PX / min(height, width)
        size = [max(1, round(side * scale / MULTIPLE)) * MULTIPLE for side in (width, height)]
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else 1)
        values = (small[..., ::-1].astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]
        (drawn,) = self._session.run(None, {self._input: np.ascontiguousarray(values)})[:1]
        drawn = np.asarray(drawn)
        if drawn.ndim != 4 or drawn.shape[:2] != (1, 1):
            raise InputError(
                f'text_detector: {self._file} gives {list(drawn.shape)}; expected [1, 1, H, W]'
            )
        return np.asarray(drawn[0, 0], np.float32)


def _mean(drawn: FloatArray, outline: np.ndarray) -> float:
    x, y, width, height = cv2.boundingRect(outline)
    inside = np.zeros((height, width), np.uint8)
    cv2.fillPoly(inside, [outline - (x, y)], 1)
    return float(cv2.mean(drawn[y : y + height, x : x + width], inside)[0])
